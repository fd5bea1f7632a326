"""What all drawing shares: the look, rich's console, a cell's text and colour, folding by screen cells.

Only rich's standard colours that read well on light and on dark terminals are used, over the default foreground.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from rich.cells import chop_cells
from rich.console import Console, RenderableType
from rich.text import Text

from redtool.render.cells import clean, inline, plural, quote, scalar, show
from redtool.render.plain import empty_text
from redtool.render.single import DIM, GREEN, MAGENTA, PLAIN, RED, clipped, value_parts

STYLES = {"key": "cyan", "number": "magenta", "index": "dim", "id": "cyan", "time": "dim", "value": ""}
SGR = {DIM: "dim", RED: "red", GREEN: "green", MAGENTA: "magenta", PLAIN: ""}
RIGHT = ("number", "index")
NARROWEST = 20  # columns; a narrower terminal wraps by itself
ROOM = 150_000  # characters of all the values of a reply together, while there is a cap
SHORTEST = 60  # characters that a value keeps however many there are
_ESCAPES = re.compile(r"(?:\\(?:x[0-9a-f]{2}|[^x]))+")
_TRAILING = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Look:
    """How to draw: columns of the terminal, colour or none, most rows laid out (0 = all), JSON over several lines."""

    width: int = 80
    color: bool = False
    cap: int = 1000
    json_pretty: bool = False

    def narrower(self, by: int) -> Look:
        return Look(max(self.width - by, NARROWEST // 2), self.color, self.cap, self.json_pretty)


def paint(what: RenderableType, look: Look) -> str:
    """Draw with rich, give the text: with ANSI colours or none at all, no blanks at a table's line ends."""
    console = Console(
        file=io.StringIO(),
        width=look.width,
        color_system="standard" if look.color else None,
        force_terminal=look.color,
        no_color=not look.color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as capture:
        console.print(what, soft_wrap=isinstance(what, Text))
    return capture.get() if isinstance(what, Text) else _TRAILING.sub(_without_blanks, capture.get())


def is_blank(line: str) -> bool:
    """Whether a line shows nothing: it is empty, or has nothing but colours."""
    return not _COLOUR.sub("", line)


def _without_blanks(found: re.Match[str]) -> str:
    return found[0].replace(" ", "")


def cell(value: object, role: str, look: Look, limit: int) -> Text:
    """Give a table cell: text without quotes, unless it is empty or begins or ends with a blank.

    A value longer than ``limit`` characters is cut, with its true length.
    """
    if isinstance(value, str):
        return Text(clean(value), STYLES[role])
    if isinstance(value, (bytes, bytearray)):
        return _string(bytes(value), role, look, limit if look.cap else 0)
    if value is None:
        return Text("(nil)", "dim")
    if isinstance(value, BaseException):
        return Text(scalar(value), "red")
    if isinstance(value, (int, float)):
        return Text(scalar(value), STYLES[role] or "magenta")
    if not value:
        return Text(empty_text(value).decode(), "dim")
    return Text(inline(value, limit if look.cap else 1 << 62), STYLES[role])


def _string(value: bytes, role: str, look: Look, limit: int) -> Text:
    if not value:
        return Text('""', "dim")
    if look.json_pretty and value[:1] in (b"{", b"["):
        from redtool.render.indent import indented

        if (pretty := indented(value)) is not None:
            return Text(pretty)
    blank = value[:1] == b" " or value[-1:] == b" "
    text, note, escaped = clipped(value, limit, quote if blank else show)
    made = Text(text[:-1] if blank and note else text, STYLES[role])
    return noted(mark_escapes(made) if escaped and look.color else made, note)


def noted(text: Text, note: str) -> Text:
    """Append a dim note."""
    return text.append(note if note[0] == "…" else f"  {note}", "dim") if note else text


def mark_escapes(text: Text) -> Text:
    """Set what stands for a control character or byte apart from ordinary text."""
    text.highlight_regex(_ESCAPES, "magenta")
    return text


def fold(text: Text, width: int) -> list[Text]:
    """Split a line into pieces of at most ``width`` screen cells."""
    if text.cell_len <= width:
        return [text]
    if text.plain.isascii():
        return list(text.divide(range(width, len(text), width)))
    offsets, at = [], 0
    for piece in chop_cells(text.plain, width):
        at += len(piece)
        offsets.append(at)
    return list(text.divide(offsets[:-1]))


def share(limit: int, count: int) -> int:
    """Give the characters to show of each of ``count`` values, ``limit`` or less when there are very many."""
    return max(min(limit, ROOM // max(count, 1)), SHORTEST)


def leaf(value: object, look: Look, limit: int) -> Text:
    """Give a value among others as redis-cli prints it, coloured by type; UTF-8 is shown as text."""
    made = Text()
    for text, code in value_parts(value, limit if look.cap else 0, look.json_pretty):
        made.append(text, SGR[code])
    return mark_escapes(made) if look.color and "\\" in made.plain and isinstance(value, bytes) else made


def footer(total: int, shown: int, noun: str, note: str, always: bool = False) -> str:
    """Say what is left out, how many there were, how a scan goes on; empty when a glance tells, or without noun."""
    if shown < total:
        left = f"… {total - shown:,} more {plural(total - shown, noun).split(' ', 1)[1]}; use --raw for all"
        return f"{left} · {note}" if note else left
    count = plural(total, noun) if noun and (always or note or total > 10) else ""
    return " · ".join(part for part in (count, note) if part)
