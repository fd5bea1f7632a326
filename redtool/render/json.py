"""``--json``: a reply as one line of JSON that always parses.

The shape is the RESP3 reply's, whatever protocol the server speaks:

map, HGETALL, CONFIG GET, …      an object; ``[[key, value], …]`` when a key is not UTF-8 or two would be equal
members with scores              ``[["ann", 1.5], ["bob", 2]]``, as ``redis-cli --json`` prints them
SCAN, SSCAN, HSCAN, ZSCAN        ``["cursor", …]``, the part after the cursor an array, object or list of pairs
double                           a number, whole ones without a point; ``"inf"``, ``"-inf"`` and ``"nan"`` are strings
integer                          all its digits, beyond 2**53 too
nil, boolean                     ``null``, ``true``, ``false``
string                           a string; ``{"base64": "…"}`` when it is not UTF-8
error                            ``{"error": {"code": "WRONGTYPE", "message": "…"}}``
INFO                             an object of sections: ``.server.uptime_in_seconds``
CLIENT LIST, CLUSTER NODES       an array of objects; CLIENT INFO, CLUSTER INFO an object
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from redtool.render import texts
from redtool.render.lift import command_name, lift

# Inside strings only; escaped so that no reply can steer a terminal or break a line.
_UNSAFE = {n: f"\\u{n:04x}" for n in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def line(argv: Sequence[bytes], reply: object) -> bytes:
    """Give the reply of the command ``argv`` as a line of JSON, its line end included."""
    name = command_name(argv)
    parse = _TEXTS.get(name) if isinstance(reply, bytes) else None
    value = _plain(parse(reply)) if parse else to_json(lift(argv, reply))  # type: ignore[arg-type]
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if not text.isascii() or "\x7f" in text:
        text = text.translate(_UNSAFE)
    return text.encode() + b"\n"


def to_json(reply: object) -> object:
    """Give the value that ``json.dumps`` writes for a reply."""
    if isinstance(reply, (bytes, bytearray)):
        return _string(bytes(reply))
    if reply is None or isinstance(reply, bool):
        return reply
    if isinstance(reply, int):
        return int(reply)
    if isinstance(reply, float):
        return _double(reply)
    if isinstance(reply, dict):
        return _object(reply)
    if isinstance(reply, (list, tuple)):
        return [to_json(item) for item in reply]
    if isinstance(reply, (set, frozenset)):
        return [to_json(item) for item in _ordered(reply)]
    return _error(reply)


def _string(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        from binascii import b2a_base64

        return {"base64": b2a_base64(value, newline=False).decode()}


def _double(value: float) -> object:
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    whole = value.is_integer() and abs(value) < 1e17 and str(value) != "-0.0"
    return int(value) if whole else value


def _object(reply: dict[object, object]) -> object:
    """Give an object, or pairs where the keys cannot all be told apart as strings."""
    found: dict[str, object] = {}
    for key, value in reply.items():
        name = to_json(key)
        if name is None or isinstance(name, (bool, int, float)):
            name = json.dumps(name)
        if not isinstance(name, str) or name in found:
            return [[to_json(key), to_json(value)] for key, value in reply.items()]
        found[name] = to_json(value)
    return found


def _ordered(members: set[object] | frozenset[object]) -> list[object]:
    """Sort a set where it can be, so that the same data gives the same line."""
    if all(isinstance(member, bytes) for member in members):
        return sorted(members)  # type: ignore[type-var]
    return list(members)


def _error(error: object) -> object:
    message = str(getattr(error, "message", error))
    message = message.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return {"error": {"code": message.partition(" ")[0], "message": message}}


def _plain(value: object) -> object:
    """Make parsed text safe to encode: bytes that were not UTF-8 become ``\\xHH``."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _client(reply: bytes) -> object:
    found = texts.clients(reply)
    return _typed(found[0]) if len(found) == 1 else [_typed(client) for client in found]


def _typed(client: dict[str, str]) -> object:
    return {key: texts.typed(key, value) for key, value in client.items()}


_TEXTS: dict[bytes, Callable[[bytes], object]] = {
    b"INFO": texts.info,
    b"CLUSTER INFO": texts.info,
    b"CLIENT INFO": _client,
    b"CLIENT LIST": lambda reply: [_typed(client) for client in texts.clients(reply)],
    b"CLUSTER NODES": texts.nodes,
}
