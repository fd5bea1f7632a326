"""redis-cli's own two formats: ``raw`` for pipes and ``text`` for people, byte for byte.

Nothing is imported here: a one-shot command and every line of a script come through ``raw``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_VERBATIM = frozenset((b"INFO", b"LOLWUT"))
_VERBATIM_SUB = {
    b"MEMORY": frozenset((b"DOCTOR", b"MALLOC-STATS")),
    b"CLUSTER": frozenset((b"NODES", b"INFO")),
    b"CLIENT": frozenset((b"LIST", b"INFO")),
    b"LATENCY": frozenset((b"GRAPH", b"DOCTOR")),
    b"DEBUG": frozenset((b"HTSTATS", b"HTSTATS-KEY", b"CLIENT-EVICTION")),
}
_NAMED = {9: "\\t", 10: "\\n", 13: "\\r", 7: "\\a", 8: "\\b", 34: '\\"', 92: "\\\\"}
_REPR: list[str] = []  # the printed form of each byte, filled on first use


def raw(reply: object) -> bytes:
    """Give ``redis-cli --raw``'s bytes: values as they are, one a line, nested ones flattened.

    A dict is flattened to alternating lines and a double or boolean is printed as RESP2 gives it.
    """
    if type(reply) is bytes:
        return reply + b"\n"
    if isinstance(reply, int):
        return b"%d\n" % reply
    if reply is None:
        return b"\n"
    if isinstance(reply, bytes):
        return reply + b"\n"
    lines: list[bytes] = []
    _flatten(reply, lines)
    return b"\n".join(lines) + b"\n"


def _flatten(reply: object, lines: list[bytes]) -> None:
    """Append the lines of a reply. A nested empty array has one empty line, as in redis-cli."""
    if isinstance(reply, dict):
        reply = [part for pair in reply.items() for part in pair]
    if isinstance(reply, (list, tuple, set, frozenset)):
        for item in reply:
            if type(item) is bytes:
                lines.append(item)
            else:
                _flatten(item, lines)
        if not reply:
            lines.append(b"")
    else:
        lines.append(_scalar(reply))


def _scalar(reply: object) -> bytes:
    if isinstance(reply, (bytes, bytearray)):
        return bytes(reply)
    if reply is None:
        return b""
    if isinstance(reply, int):
        return b"%d" % reply
    if isinstance(reply, float):
        return double(reply)
    return error_text(reply) + b"\n"  # redis-cli ends an error inside an array with a line of its own


def double(value: float) -> bytes:
    """Print a double as a server does."""
    if value != value:
        return b"nan"
    from redtool.numeric import float_text
    from redtool.resp import LongDouble

    return value.text if isinstance(value, LongDouble) else float_text(value)


def error_text(error: object) -> bytes:
    """Give the text of an error reply as the server sent it."""
    return str(getattr(error, "message", error)).encode("utf-8", "surrogateescape")


def is_verbatim(argv: Sequence[bytes]) -> bool:
    """Tell whether redis-cli prints this command's reply as it is, even on a terminal (INFO, CLIENT LIST, …)."""
    if not argv:
        return False
    name = argv[0].upper()
    if name in _VERBATIM:
        return True
    return name in _VERBATIM_SUB and len(argv) > 1 and argv[1].upper() in _VERBATIM_SUB[name]


def verbatim(reply: bytes) -> bytes:
    """Give a verbatim command's text with nothing added, except the line end that some of them lack."""
    return reply if reply.endswith(b"\n") else reply + b"\n"


def text(reply: object) -> bytes:
    """Give redis-cli's format for a terminal: ``(integer) 1``, quoted strings, numbered and indented items."""
    return _text(reply, b"")


def _text(reply: object, prefix: bytes) -> bytes:
    kind = type(reply)
    if kind is bytes or kind is bytearray:
        return quoted(reply) + b"\n"  # type: ignore[arg-type]
    if isinstance(reply, bytes):
        return reply + b"\n"
    if reply is None:
        return b"(nil)\n"
    if isinstance(reply, dict):
        return _map(reply, prefix)
    if isinstance(reply, (list, tuple, set, frozenset)):
        return _items(reply, prefix)
    if kind is bool:
        return b"(true)\n" if reply else b"(false)\n"
    if isinstance(reply, int):
        return b"(integer) %d\n" % reply
    if isinstance(reply, float):
        return b"(double) %s\n" % double(reply)
    return b"(error) %s\n" % error_text(reply)


def empty_text(reply: object) -> bytes:
    """Give what redis-cli prints for an empty collection."""
    if isinstance(reply, dict):
        return b"(empty hash)"
    if isinstance(reply, (set, frozenset)):
        return b"(empty set)"
    return b"(empty push)" if type(reply).__name__ == "Push" else b"(empty array)"


def _items(reply: list[object] | tuple[object, ...] | set[object] | frozenset[object], prefix: bytes) -> bytes:
    if not reply:
        return empty_text(reply) + b"\n"
    width = len(str(len(reply)))
    mark = b"~ " if isinstance(reply, (set, frozenset)) else b") "
    deeper = prefix + b" " * (width + 2)
    out: list[bytes] = []
    for index, item in enumerate(reply, 1):
        out += (prefix if index > 1 else b"", b"%*d" % (width, index), mark, _text(item, deeper))
    return b"".join(out)


def _map(reply: dict[object, object], prefix: bytes) -> bytes:
    if not reply:
        return b"(empty hash)\n"
    width = len(str(len(reply)))
    deeper = prefix + b" " * (width + 2)
    out: list[bytes] = []
    for index, (key, value) in enumerate(reply.items(), 1):
        out += (prefix if index > 1 else b"", b"%*d# " % (width, index), _text(key, deeper)[:-1], b" => ")
        if has_lines(value):
            out += (b"\n", deeper)
        out.append(_text(value, deeper))
    return b"".join(out)


def has_lines(value: object) -> bool:
    """Tell whether a map's value takes several lines and so starts on a line of its own, as since Redis 7.0."""
    while isinstance(value, (dict, list, tuple, set, frozenset)) and value:
        if len(value) > 1:
            return True
        value = next(iter(value.values() if isinstance(value, dict) else value))
    return False


def quoted(value: bytes | bytearray) -> bytes:
    """Quote a string as redis-cli does: printable ASCII as it is, the rest as ``\\n`` or ``\\xHH``."""
    if value.isascii() and b'"' not in value and b"\\" not in value and value.decode().isprintable():
        return b'"%s"' % value
    if not _REPR:
        _REPR.extend(_NAMED.get(n) or (chr(n) if 32 <= n < 127 else f"\\x{n:02x}") for n in range(256))
    return ('"' + value.decode("latin-1").translate(_REPR) + '"').encode()
