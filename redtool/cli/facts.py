"""What a store or server says of itself: INFO and CONFIG GET as dicts of text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend


Facts = dict[str, str]


def info(backend: Backend, section: bytes) -> Facts:
    """The fields of a section of INFO."""
    reply = backend.execute(b"INFO", section)
    text = bytes(reply).decode("utf-8", "surrogateescape") if isinstance(reply, bytes) else ""
    fields = (line.partition(":") for line in text.splitlines() if line and line[0] != "#")
    return {name: value for name, _, value in fields}


def settings(backend: Backend, *patterns: bytes) -> Facts:
    """Parameters by name. Raises ReplyError, as where a server forbids CONFIG."""
    found: Facts = {}
    for pattern in patterns:  # one a call: before Redis 7 CONFIG GET takes one
        reply = backend.execute(b"CONFIG", b"GET", pattern)
        pairs = list(reply.items()) if isinstance(reply, dict) else []
        if isinstance(reply, list):
            pairs = list(zip(reply[::2], reply[1::2], strict=True))
        found.update((_text(name), _text(value)) for name, value in pairs)
    return found


def number(facts: Facts, name: str) -> int:
    """A field as a number, 0 where it is missing or none."""
    text = facts.get(name, "")
    return int(text) if text.lstrip("-").isdigit() else 0


def keyspace(backend: Backend) -> tuple[int, int]:
    """How many keys there are in all databases, and how many of them have a TTL."""
    keys = expires = 0
    for text in info(backend, b"keyspace").values():
        fields = dict(part.partition("=")[::2] for part in text.split(","))
        keys += number(fields, "keys")
        expires += number(fields, "expires")
    return keys, expires


def _text(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
