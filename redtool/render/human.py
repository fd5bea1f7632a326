"""Draw a reply for a person at a terminal: tables, boards and columns with rich, the rest in redis-cli's layout.

``render`` gives the whole text. No line of a table or tree is wider than the terminal; a single value and text with a
layout of its own (LOLWUT) are left to the terminal to wrap, so that copying gives them whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.table import Table as Grid
from rich.text import Text

from redtool.render import board, tree
from redtool.render.cells import clean, show
from redtool.render.paint import NARROWEST, RIGHT, Look, cell, fold, footer, is_blank, paint, share
from redtool.render.plain import verbatim
from redtool.render.shape import Board, Columns, Empty, Group, Lines, Shape, Table, shape

GAP = 2
READABLE = 12  # cells under which a column of text is no longer read with ease
STYLE = box.Box("    \n    \n ── \n    \n    \n    \n    \n    \n")


def render(
    argv: Sequence[bytes],
    reply: object,
    *,
    width: int = 80,
    color: bool = False,
    cap: int = 1000,
    json_pretty: bool = False,
    queued: Sequence[Sequence[bytes]] | None = None,
) -> str:
    """Give the text for the reply of the command ``argv``, its last line end included.

    width: columns of the terminal (at least 20 are used). color: ANSI colours, else no escape at all.
    cap: rows, elements and long values laid out at most, 0 = everything.
    json_pretty: strings that are JSON objects or arrays over several lines.
    queued: the commands of the transaction that EXEC ran.
    """
    look = Look(max(width, NARROWEST), color, cap, json_pretty)
    return draw(shape(argv, reply, cap, queued), look)


def draw(what: Shape, look: Look) -> str:
    """Draw a shape."""
    if isinstance(what, Table):
        return _titled(what.title, _table(what, look), look) + _foot(what.total, len(what.rows), what, look)
    if isinstance(what, Columns):
        return _columns(what, look) + _dim(footer(what.total, len(what.items), what.noun, what.note, True), look)
    if isinstance(what, Board):
        drawn = _titled(what.title, board.draw(what, look, _grid(True)), look)
        return drawn + _dim(footer(what.total, len(what.rows), "member", what.note), look)
    if isinstance(what, Group):
        return _group(what, look)
    if isinstance(what, Empty):
        return _dim(f"{what.text} · {what.note}" if what.note else what.text, look)
    if isinstance(what, Lines):
        return _lines(what.text)
    return tree.draw(what.reply, look, what.note)


def _lines(text: bytes) -> str:
    """Give text with its own layout, its control characters escaped but its line ends kept."""
    lines = verbatim(text).replace(b"\r\n", b"\n").split(b"\n")
    return "\n".join(show(line)[0] for line in lines)


def _dim(text: str, look: Look) -> str:
    return paint(Text("\n").join(_wrapped(text, "dim", look)), look) if text else ""


def _wrapped(text: str, style: str, look: Look) -> list[Text]:
    return fold(Text(clean(text), style), look.width)


def _titled(title: str, drawn: str, look: Look) -> str:
    return paint(Text("\n").join(_wrapped(title, "bold", look)), look) + drawn if title else drawn


def _foot(total: int, shown: int, what: Table, look: Look) -> str:
    return _dim(footer(total, shown, what.noun, what.note), look)


def _grid(heads: bool) -> Grid:
    return Grid(box=STYLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), show_header=heads, border_style="dim")


def _table(what: Table, look: Look) -> str:
    limit = share(max(80, look.width * 6 // len(what.columns)), len(what.rows) * len(what.columns))
    cells = [
        [cell(value, column.role, look, limit) for value, column in zip(row, what.columns, strict=True)]
        for row in what.rows
    ]
    if len(what.columns) > 2 and _needs(what, cells) > look.width:
        return _records(what, look)
    grid = _grid(any(column.head for column in what.columns))
    for column in what.columns:
        justify = "right" if column.role in RIGHT else "left"
        grid.add_column(Text(_head(column.head), "bold"), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in cells:
        grid.add_row(*row)
    return paint(grid, look)


def _head(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _needs(what: Table, cells: list[list[Text]]) -> int:
    """Give the cells a table needs to be read with ease: columns of text may fold, but not under 12 cells."""
    total = GAP * (len(what.columns) - 1)
    for at, column in enumerate(what.columns):
        widest = max((row[at].cell_len for row in cells), default=0)
        total += max(min(widest, READABLE), cell_len(_head(column.head)))
    return total


def _records(what: Table, look: Look) -> str:
    """Draw a table that is too wide as a block a row."""
    blocks = []
    for index, row in enumerate(what.rows, 1):
        grid = _grid(False)
        grid.add_column(overflow="fold")
        grid.add_column(overflow="fold")
        for column, value in zip(what.columns, row, strict=True):
            grid.add_row(Text(_head(column.head), "cyan"), cell(value, column.role, look, look.width * 2))
        blocks.append(_dim(f"{index})", look) + paint(grid, look))
    return "\n".join(blocks)


def _columns(what: Columns, look: Look) -> str:
    """Lay values out in as few lines as fit, downwards as ls does."""
    texts = [cell(item, "value", look, look.width // 2) for item in what.items]
    widths = [min(text.cell_len, look.width) for text in texts]
    count = len(texts)
    fewest = max(1, sum(widths) // look.width)
    for lines in range(fewest, count + 1):
        if lines > 1 and -(-count // lines) == -(-count // (lines - 1)):
            continue  # no column less than with a line less
        spans = [max(widths[at : at + lines]) for at in range(0, count, lines)]
        if sum(spans) + GAP * (len(spans) - 1) <= look.width:
            break
    else:
        lines, spans = count, [look.width]
    return _laid(texts, lines, spans, look)


def _laid(texts: list[Text], lines: int, spans: list[int], look: Look) -> str:
    if len(spans) == 1:
        return paint(Text("\n").join(piece for text in texts for piece in fold(text, look.width)), look)
    out = []
    for at in range(lines):
        line, last = Text(), 0
        for column, text in enumerate(texts[at::lines]):
            if column:
                line.append(" " * (GAP + spans[column - 1] - last))
            line += text
            last = text.cell_len
        out.append(line)
    return paint(Text("\n").join(out), look)


def _group(what: Group, look: Look) -> str:
    """Draw shapes one below the other. A numbered one-line result stands beside its number."""
    blocks = []
    numbered = what.noun == "result"
    width = len(what.parts[-1][0]) + 1 if what.parts else 0
    for label, part in what.parts:
        if numbered:
            blocks.append(_beside(f"{label:>{width - 1}} ", draw(part, look.narrower(width)), look))
        else:
            heading = paint(Text("\n").join(_wrapped(label, "bold", look)), look) if label else ""
            blocks.append(heading + draw(part, look))
    text = ("" if numbered else "\n").join(blocks)
    return text + _dim(footer(what.total, len(what.parts), what.noun, "") if len(what.parts) < what.total else "", look)


def _beside(label: str, drawn: str, look: Look) -> str:
    mark = paint(Text(label + "|", "dim"), look).rstrip("\n").replace("|", "")
    first, *rest = drawn.rstrip("\n").split("\n")
    while rest and is_blank(rest[-1]):
        rest.pop()
    return "\n".join([mark + first, *("" if is_blank(line) else " " * len(label) + line for line in rest)]) + "\n"

