"""Draw members with scores: rank, member, score and a bar."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from redtool.render.cells import scalar
from redtool.render.paint import Look, cell, paint
from redtool.render.shape.kinds import Board

EIGHTHS = " ▏▎▍▌▋▊▉█"
WIDEST, NARROWEST = 32, 6  # cells of a bar
MOST_DIGITS = 9  # the point and what follows it


def draw(board: Board, look: Look, grid: Table) -> str:
    """Draw into ``grid``, an empty table of the common style. The bar takes what room the texts leave."""
    names = [cell(member, "key", look, look.width // 2) for member, _ in board.rows]
    scores = aligned([scalar(score) for _, score in board.rows])
    ranks = [] if board.start is None else [str(board.start + at) for at in range(len(board.rows))]
    room = look.width - 4 - max(6, *(name.cell_len for name in names)) - len(scores[0])
    room -= max(4, *map(len, ranks)) + 2 if ranks else 0
    bars = _bars([score for _, score in board.rows], min(room, WIDEST)) if room >= NARROWEST else []
    if ranks:
        grid.add_column(Text("rank", "bold"), justify="right", no_wrap=True)
    grid.add_column(Text("member", "bold"), overflow="fold")
    grid.add_column(Text(f"{'score':>{len(scores[0])}}", "bold"), overflow="fold")
    if bars:
        grid.add_column(no_wrap=True)
    for at, name in enumerate(names):
        row = [Text(ranks[at], "dim")] if ranks else []
        row += [name, Text(scores[at], "magenta")]
        grid.add_row(*row, *bars[at : at + 1])
    return paint(grid, look)


def aligned(numbers: list[str]) -> list[str]:
    """Pad numbers to one width, their points below each other unless some have very many digits."""
    tails = [len(number) - number.find(".") if "." in number else 0 for number in numbers]
    if max(tails) <= MOST_DIGITS and not any("e" in number for number in numbers):
        numbers = [number + " " * (max(tails) - tail) for number, tail in zip(numbers, tails, strict=True)]
    widest = max(len("score"), *map(len, numbers))
    return [number.rjust(widest) for number in numbers]


def _bars(scores: list[object], width: int) -> list[Text]:
    """Draw a bar a score. Negative ones grow to the left of a common zero line."""
    values = [_finite(score) for score in scores]
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    shares = [bar_share(score, largest) for score in scores]
    low, high = min(0.0, *shares), max(0.0, *shares)
    left = round(width * -low / (high - low)) if low < 0 else 0
    if low < 0 and high > 0:
        left = min(max(left, 1), width - 1)
    made = []
    for share in shares:
        if share < 0:
            cells = max(1, round(left * share / low))
            made.append(Text(" " * (left - cells) + "█" * cells, "magenta"))
        else:
            made.append(Text(" " * left + bar(share / high if high else 0.0, width - left), "green"))
    return made


def _finite(score: object) -> float | None:
    value = float(score) if isinstance(score, (int, float)) else 0.0
    return value if abs(value) != float("inf") and value == value else None


def bar_share(score: object, largest: float) -> float:
    """Give a score's part of the greatest one, -1 to 1; infinite scores are as long as the longest."""
    value = _finite(score)
    if value is None:
        return 0.0 if score != score else 1.0 if score == float("inf") else -1.0
    return value / largest if largest else 0.0


def bar(share: float, width: int) -> str:
    """Give a bar in eighths of a cell; what is not nothing shows at least one."""
    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, part = divmod(eighths, 8)
    return "█" * full + (EIGHTHS[part] if part else "")
