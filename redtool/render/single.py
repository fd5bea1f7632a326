"""Draw a reply that is one value, as redis-cli does but in colour and with UTF-8 as text. Needs no rich."""

from __future__ import annotations

from redtool.render.cells import cut, quote, scalar, show
from redtool.render.plain import error_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 1 << 15  # characters of a string that are shown
DIM, RED, GREEN, MAGENTA, PLAIN = "2", "31", "32", "35", ""

Part = tuple[str, str]  # text, SGR code


def draw(reply: object, note: str = "", color: bool = False, cap: int = 1000, json_pretty: bool = False) -> str:
    """Give the line of a single value, its line end included; ``cap`` 0 shows a string however long it is."""
    parts = value_parts(reply, LONGEST if cap else 0, json_pretty)
    if note:
        parts.append((f"  {note}", DIM))
    if not color:
        return "".join(text for text, _ in parts) + "\n"
    return "".join(f"\x1b[{code}m{text}\x1b[0m" if code else text for text, code in parts) + "\n"


def value_parts(value: object, limit: int, json_pretty: bool) -> list[Part]:
    """Give the pieces of a value and their colours. A string over ``limit`` characters is cut, its length noted."""
    if isinstance(value, (bytes, bytearray)):
        return _string(bytes(value), type(value).__name__, limit, json_pretty)
    if value is None:
        return [("(nil)", DIM)]
    if isinstance(value, bool):
        return [("(true)" if value else "(false)", MAGENTA)]
    if isinstance(value, int):
        return [("(integer) ", DIM), (scalar(value), MAGENTA)]
    if isinstance(value, float):
        return [("(double) ", DIM), (scalar(value), MAGENTA)]
    return [("(error) " + show(error_text(value))[0], RED)]


def _string(value: bytes, kind: str, limit: int, json_pretty: bool) -> list[Part]:
    if kind in ("Status", "Verbatim"):
        return [(show(value)[0], GREEN if kind == "Status" else PLAIN)]
    if json_pretty and value[:1] in (b"{", b"["):
        from redtool.render.indent import indented

        if (pretty := indented(value)) is not None:
            return [(pretty, PLAIN)]
    text, note, _ = clipped(value, limit, quote)
    if not note:
        return [(text, PLAIN)]
    return [(text[:-1], PLAIN), (note, DIM)]


def clipped(value: bytes, limit: int, write: Callable[[bytes], tuple[str, bool]]) -> tuple[str, str, bool]:
    """Give a string's text, a note of its length when it is over ``limit`` characters, and whether it has escapes.

    Escapes take four characters a byte; a string that is full of them is cut sooner.
    """
    part, note = cut(value, limit)
    text, escaped = write(part)
    if escaped and limit and len(text) > limit + 2:
        part, note = cut(value, limit // 4)
        text, escaped = write(part)
    return text, note, escaped
