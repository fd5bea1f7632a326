"""Print a reply on a terminal: in colour, paged when it is taller than the screen, without rich for a single value."""

from __future__ import annotations

import os

from redtool.render import want_color

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redtool.options import Options


def show_reply(
    argv: Sequence[bytes],
    reply: object,
    options: Options,
    config: Mapping[str, object] | None = None,
    queued: Sequence[Sequence[bytes]] | None = None,
) -> None:
    """Print the reply of the command ``argv`` on stdout as ``--color``, ``--pretty`` and ``--no-pager`` want it.

    config: ``pager`` (a command line or False) and ``max_rows`` (0 = all).
    """
    config = config or {}
    isatty = os.isatty(1)
    width, height = screen(os.environ) if isatty else (80, 0)
    color = want_color(options.get("color", "auto"), os.environ, isatty)
    rows = config.get("max_rows", 1000)
    cap, pretty = rows if isinstance(rows, int) else 1000, "pretty" in options.flags
    text = to_text(argv, reply, width=width, color=color, cap=cap, json_pretty=pretty, queued=queued)
    if height and "no_pager" not in options.flags and is_tall(text, width, height):
        from redtool.render.pager import page

        if page(text, height, os.environ, config, width):
            return
    data = memoryview(text.encode("utf-8", "surrogateescape"))
    while data:
        data = data[os.write(1, data) :]


def to_text(
    argv: Sequence[bytes],
    reply: object,
    *,
    width: int,
    color: bool,
    cap: int = 1000,
    json_pretty: bool = False,
    queued: Sequence[Sequence[bytes]] | None = None,
) -> str:
    """Give ``human.render``'s text, by the short way where the reply is a single value."""
    from redtool.render.lift import lift
    from redtool.render.notes import note
    from redtool.render.plain import is_verbatim
    from redtool.resp import Verbatim

    value = lift(argv, reply)
    plain = isinstance(value, bytes) and (is_verbatim(argv) or type(value) is Verbatim)
    if plain or isinstance(value, (list, tuple, dict, set, frozenset)):
        from redtool.render.human import render

        return render(argv, reply, width=width, color=color, cap=cap, json_pretty=json_pretty, queued=queued)
    from redtool.render.single import draw

    return draw(value, note(argv, value), color, cap, json_pretty)


def screen(environ: Mapping[str, str]) -> tuple[int, int]:
    """Give the columns and lines of the terminal at stdout; COLUMNS and LINES win."""
    try:
        width, height = os.get_terminal_size(1)
    except OSError:
        width, height = 0, 0
    given = [environ.get("COLUMNS", ""), environ.get("LINES", "")]
    width, height = (int(text) if text.isdigit() else size for text, size in zip(given, (width, height), strict=True))
    return width or 80, height or 24


def is_tall(text: str, width: int, height: int) -> bool:
    """Tell quickly whether a text may be taller than the screen."""
    return text.count("\n") >= height or len(text) >= width * (height - 1)
