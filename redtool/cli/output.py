"""What verbs print: rows and facts in every format, notes and progress on stderr."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any

from redtool.oneshot import complain, format_of, write
from redtool.options import Options

BLOCK = 1 << 16  # bytes that are written at once


@dataclass(frozen=True)
class Field:
    """A column: its name, the renderer's role for it, and how a person reads a value (None: as it is)."""

    name: str
    role: str = "value"
    shown: Callable[[Any], object] | None = None

    def for_people(self, value: object) -> object:
        if value is None:
            return "-"
        return value if self.shown is None else self.shown(value)


def show_rows(fields: Sequence[Field], rows: Sequence[Sequence[object]], options: Options, noun: str = "row",
              note: str = "") -> None:  # fmt: skip
    """Print a table. Raw: values between tabs; JSON: an object a row, one a line."""
    name = format_of(options)
    if name == "human":
        from redtool.render.shape.kinds import Column, Empty, Table

        heads = tuple(Column(field.name, field.role) for field in fields)
        cells = [tuple(encoded(field.for_people(value)) for field, value in zip(fields, row, strict=True))
                 for row in rows]  # fmt: skip
        shown = Table(heads, cells, len(cells), noun, note=note) if cells else Empty(f"(no {noun}s)", note)
        write_text(draw(shown, options), options)
        return
    write(b"".join(line(fields, row, name) for row in rows))


SCREEN = 250  # rows that are laid out together on a terminal


def show_many(fields: Sequence[Field], rows: Iterator[Sequence[object]], options: Options,
              footer: Callable[[int], str]) -> None:  # fmt: skip
    """Print rows as they come: for people in tables, one of all rows when they are few, and ``footer`` of how many."""
    name = format_of(options)
    if name == "human":
        _screens(fields, rows, options, footer)
        return
    if name == "csv":
        write(b",".join(field.name.encode() for field in fields) + b"\n")
    while block := list(islice(rows, SCREEN)):
        write(b"".join(line(fields, row, name) for row in block))


def _screens(fields: Sequence[Field], rows: Iterator[Sequence[object]], options: Options,
             footer: Callable[[int], str]) -> None:  # fmt: skip
    from redtool.render.shape.kinds import Column, Empty, Table

    heads = tuple(Column(field.name, field.role) for field in fields)
    total = 0
    while True:
        block = list(islice(rows, SCREEN))
        first, total = not total, total + len(block)
        cells = [tuple(encoded(field.for_people(value)) for field, value in zip(fields, row, strict=True))
                 for row in block]  # fmt: skip
        text = draw(Table(heads, cells, len(cells), ""), options) if cells else ""
        if len(block) == SCREEN:
            write(text.encode("utf-8", "surrogateescape"))
            continue
        text += draw(Empty(footer(total)), options)
        if first:
            write_text(text, options)
        else:
            write(text.encode("utf-8", "surrogateescape"))
        return


def line(fields: Sequence[Field], row: Sequence[object], name: str) -> bytes:
    """One row as a line of a format for programs."""
    if name == "raw":
        return b"\t".join(as_bytes(value) for value in row) + b"\n"
    from redtool.render import choose

    values = [encoded(value) for value in row]
    if name == "csv":
        return choose("csv")((), values)
    return choose("json")((), {field.name.encode(): value for field, value in zip(fields, values, strict=True)})


def show_facts(facts: Mapping[str, tuple[object, object]], options: Options, **more: object) -> None:
    """Print named facts: name -> (value, what a person reads). ``more`` only programs see, in JSON."""
    name = format_of(options)
    if name == "human":
        from redtool.render.shape.kinds import Column, Table

        cells = [(key.replace("_", " ").encode(), encoded(shown)) for key, (_, shown) in facts.items()]
        write_text(draw(Table((Column("", "key"), Column("")), cells, len(cells), ""), options), options)
    elif name == "json":
        from redtool.render import choose

        values: dict[bytes, object] = {key.encode(): encoded(value) for key, (value, _) in facts.items()}
        values.update((key.encode(), value) for key, value in more.items())
        write(choose("json")((), values))
    else:
        fields = (Field("name"), Field("value"))
        write(b"".join(line(fields, (key.encode(), value), name) for key, (value, _) in facts.items()))


def write_lines(lines: Iterable[bytes]) -> int:
    """Print many lines with few writes, those before a failure too; gives how many there were."""
    held: list[bytes] = []
    size = count = 0
    try:
        for text in lines:
            held.append(text)
            size += len(text)
            count += 1
            if size >= BLOCK:
                full, held, size = held, [], 0
                write(b"".join(full))
    finally:
        if held:
            write(b"".join(held))
    return count


def draw(shape: Any, options: Options) -> str:
    """Draw a shape as the renderers would on this terminal, nothing left out."""
    from redtool.render.human import draw as drawn
    from redtool.render.paint import Look

    return drawn(shape, Look(columns(), colored(options), 0))


def write_text(text: str, options: Options) -> None:
    """Print a text for people, by way of the pager when it is taller than the screen."""
    from redtool.render.pager import page
    from redtool.render.terminal import is_tall, screen

    if os.isatty(1) and "no_pager" not in options.flags:
        across, lines = screen(os.environ)
        if is_tall(text, across, lines) and page(text, lines, os.environ, None, across):
            return
    write(text.encode("utf-8", "surrogateescape"))


def columns() -> int:
    """Columns of the terminal at stdout, 80 where it is none."""
    from redtool.render.terminal import screen

    return screen(os.environ)[0] if os.isatty(1) else 80


def colored(options: Options) -> bool:
    from redtool.render import want_color

    return want_color(options.get("color", "auto"), os.environ, os.isatty(1))


def encoded(value: object) -> object:
    """Text as bytes, for the renderers; anything else as it is."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def as_bytes(value: object) -> bytes:
    """A value as raw output has it."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"yes" if value else b"no"
    return b"" if value is None else str(value).encode("utf-8", "surrogateescape")


def size_text(count: int) -> str:
    """Bytes as a person reads them."""
    from redtool.render.cells import size

    return size(count) or str(count)


def note(text: str) -> None:
    """A remark for people, on stderr, folded to the screen."""
    from textwrap import wrap

    width = min(columns(), 100)
    # Paths stay whole, so that they can be copied
    lines = wrap(text, width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
    complain("\n".join(lines))


def is_watched() -> bool:
    """Whether someone sees stderr: then long work shows its progress."""
    return os.isatty(2) and os.environ.get("TERM") != "dumb"


BAR_AFTER = 0.5  # seconds
LINE_EVERY = 10.0  # seconds


@contextmanager
def progress(what: str, total: int | None = None, wanted: bool = True,
             lines: bool = False) -> Iterator[Callable[[int], None]]:  # fmt: skip
    """A bar on stderr for long work, gone when it ends; gives a function that takes how far it is.

    total: None where only time passes. Without a terminal at stderr there is nothing, or ``lines`` now and then; nor is
    there when it is not ``wanted``: where stdout is printed on the same screen all the while.
    """
    if not wanted or not is_watched():
        yield Lines(what, total).advance if lines and not is_watched() else lambda done: None
        return
    bar = Bar(what, total)
    try:
        yield bar.advance
    finally:
        bar.stop()


class Lines:
    """Progress for a log: a line every ten seconds."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total = what, total
        self.due = monotonic() + LINE_EVERY

    def advance(self, done: int) -> None:
        """Say how far the work is."""
        if monotonic() >= self.due:
            self.due = monotonic() + LINE_EVERY
            complain(f"{self.what}: {done:,}" + (f" of about {self.total:,}" if self.total else ""))


class Bar:
    """The bar of ``progress``: it appears once the work has taken a while."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total = what, total
        self.due = monotonic() + BAR_AFTER
        self.drawn: Any = None

    def advance(self, done: int) -> None:
        """Say how far the work is."""
        if self.drawn is None and monotonic() >= self.due:
            self.drawn = self._draw()
        if self.drawn is not None:
            self.drawn.update(self.drawn.task_ids[0], completed=min(done, self.total or done))

    def _draw(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

        parts: list[Any] = [SpinnerColumn(), TextColumn("{task.description}")]
        parts += [BarColumn(), TaskProgressColumn()] if self.total else []
        bar = Progress(*parts, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
        bar.add_task(self.what, total=self.total)
        bar.start()
        return bar

    def stop(self) -> None:
        """Take the bar away."""
        if self.drawn is not None:
            self.drawn.stop()
