"""Replies as text: choose a format by name, decide about colour. Everything else is imported when it is used.

human   tables, boards, columns (rich)          raw     redis-cli --raw's bytes
text    redis-cli's format for a terminal       json    a line of JSON a reply
plain   the same as text                        csv     a line of CSV a reply
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Renderer = Callable[[Sequence[bytes], object], bytes]

FORMATS = ("human", "text", "plain", "raw", "json", "csv")


def choose(name: str, *, width: int = 80, color: bool = False, cap: int = 1000, json_pretty: bool = False) -> Renderer:
    """Give the renderer of a format: ``renderer(argv, reply) -> bytes``, the last line end included.

    The options are for ``human`` alone; see ``human.render``.
    """
    if name == "human":
        return _human(width, color, cap, json_pretty)
    if name == "raw":
        return _raw
    if name in ("text", "plain"):
        return _text
    if name == "json":
        from redtool.render import json

        return json.line
    if name == "csv":
        from redtool.render import csv

        return csv.line
    from redtool.errors import UsageError

    raise UsageError(f"unknown format {name}; one of {', '.join(FORMATS)}")


def _raw(argv: Sequence[bytes], reply: object) -> bytes:
    from redtool.render import plain

    return plain.verbatim(reply) if isinstance(reply, bytes) and plain.is_verbatim(argv) else plain.raw(reply)


def _text(argv: Sequence[bytes], reply: object) -> bytes:
    from redtool.render import plain

    return plain.verbatim(reply) if isinstance(reply, bytes) and plain.is_verbatim(argv) else plain.text(reply)


def _human(width: int, color: bool, cap: int, json_pretty: bool) -> Renderer:
    def draw(argv: Sequence[bytes], reply: object) -> bytes:
        from redtool.render.human import render

        return render(argv, reply, width=width, color=color, cap=cap, json_pretty=json_pretty).encode()

    return draw


def want_color(option: str | None, environ: Mapping[str, str], isatty: bool) -> bool:
    """Decide about colour: NO_COLOR (set and not empty) > ``--color always|never`` > FORCE_COLOR > a terminal."""
    if environ.get("NO_COLOR"):
        return False
    if option in ("always", "never"):
        return option == "always"
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return isatty and environ.get("TERM") != "dumb"
