"""``--csv``: a reply as one line, as ``redis-cli --csv`` prints it.

Strings are quoted as in C (``"a\\nb"``), nil is ``NULL``, an error is ``ERROR,"…"``, nested replies and maps are
flattened. INFO and the other commands that redis-cli prints raw even here are one quoted string too, so that a
line is always a reply.
"""

from __future__ import annotations

from redtool.render.plain import double, error_text, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def line(argv: Sequence[bytes], reply: object) -> bytes:
    """Give the reply as a line of CSV, its line end included."""
    return field(reply) + b"\n"


def field(reply: object) -> bytes:
    """Give one reply's fields joined by commas; an empty collection is an empty field."""
    if isinstance(reply, (bytes, bytearray)):
        return quoted(reply)
    if reply is None:
        return b"NULL"
    if isinstance(reply, bool):
        return b"true" if reply else b"false"
    if isinstance(reply, int):
        return b"%d" % reply
    if isinstance(reply, float):
        return double(reply)
    if isinstance(reply, dict):
        return b",".join(field(part) for pair in reply.items() for part in pair)
    if isinstance(reply, (list, tuple, set, frozenset)):
        return b",".join(field(item) for item in reply)
    return b"ERROR," + quoted(error_text(reply))
