"""``redtool scan``: go through all keys with SCAN, a page at a time, so neither a server nor memory suffers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import typer

from redtool import errors, exits, oneshot
from redtool.backends import open_backend
from redtool.cli.output import Field, draw, line, progress, size_text, write_text
from redtool.options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend

NAME = "scan"
EXAMPLES = """
redtool scan
redtool scan 'user:*' --type hash --limit 100 --long
redtool -u redis://prod:6379 scan 'session:*' --count 500 > sessions.txt
redtool scan 'tmp:*' -0 | xargs -0 redtool DEL
redtool scan 0 match 'user:*'       the Redis command, for it begins with a cursor
"""
SCREEN = 1000  # keys that are laid out together on a terminal

Row = tuple[bytes, int | None, int | None, bytes]  # type, TTL in ms (None: no expiry), bytes, key


def verb(
    ctx: typer.Context,
    pattern: Annotated[
        list[str] | None, typer.Argument(metavar="[PATTERN]", help="glob: user:*, h?llo, [ab]*; else all keys")
    ] = None,
    kind: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="only keys of this type: string, hash, list, …")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="stop after N keys")] = 0,
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, help="keys to look at a page (default 1000)")
    ] = 1000,
    long: Annotated[
        bool, typer.Option("--long", "-l", help="with type, TTL in seconds (-1: none) and size in bytes")
    ] = False,
    null: Annotated[bool, typer.Option("--null", "-0", help="end each key with a NUL byte, for xargs -0")] = False,
) -> int:
    """Go through all keys of a store or server.

    Prints one key a line, in columns on a terminal. SCAN is used, a page at a time, never KEYS: a server goes on
    serving others. Keys that are there all the while are all found; a server may give one twice. -i SECONDS waits
    between pages.
    """
    options: Options = ctx.obj
    words = pattern or []
    own = bool(kind or limit or long or null)
    if words and words[0].isdigit():
        if own:
            raise errors.UsageError(f"'scan {words[0]}' is the Redis command, which has none of these options")
        return oneshot.run(options.with_words([NAME, *words]))
    if len(words) > 1:
        raise errors.UsageError(f"one pattern, in quotes so that the shell leaves it alone: redtool scan '{words[0]}'")
    backend = open_backend(options)
    try:
        found = Scan(backend, os.fsencode(words[0]) if words else b"", os.fsencode(kind), count, limit)
        found.pause = oneshot.repeats(options)[1]
        _print(found, long, null, options)
    finally:
        backend.close()
    return exits.OK


class Scan:
    """One iteration. ``seen`` counts the keys found, ``looked`` roughly those looked at."""

    def __init__(self, backend: Backend, pattern: bytes, kind: bytes, count: int, limit: int) -> None:
        self.backend, self.count, self.limit = backend, count, limit
        self.options = ((b"MATCH", pattern) if pattern else ()) + ((b"TYPE", kind) if kind else ())
        self.pause = 0.0
        self.seen = self.looked = 0

    def pages(self) -> Iterator[list[bytes]]:
        """Keys, a page at a time, up to the limit."""
        cursor = b"0"
        while True:
            reply: Any = self.backend.execute(b"SCAN", cursor, *self.options, b"COUNT", b"%d" % self.count)
            cursor, keys = reply
            self.looked += self.count
            if self.limit:
                keys = keys[: self.limit - self.seen]
            self.seen += len(keys)
            if keys:
                yield keys
            if cursor == b"0" or (self.limit and self.seen >= self.limit):
                return
            if self.pause:
                from time import sleep

                sleep(self.pause)

    def details(self, keys: Sequence[bytes]) -> list[Row]:
        """Type, TTL and size of keys; those that are gone meanwhile are left out."""
        ask = [words for key in keys for words in ((b"TYPE", key), (b"PTTL", key), (b"MEMORY", b"USAGE", key))]
        replies: list[object] = []
        while len(replies) < len(ask):
            replies += self.backend.pipeline(ask[len(replies) :])
        rows: list[Row] = []
        for at, key in enumerate(keys):
            kind, ttl, size = replies[at * 3 : at * 3 + 3]
            if isinstance(kind, bytes) and kind != b"none":
                left = ttl if isinstance(ttl, int) and ttl >= 0 else None
                rows.append((bytes(kind), left, size if isinstance(size, int) else None, key))
        return rows


def _print(found: Scan, long: bool, null: bool, options: Options) -> None:
    name = oneshot.format_of(options)
    total = found.backend.execute(b"DBSIZE")
    keys = total if isinstance(total, int) else None
    if name == "human" and not null:
        _screens(found, keys, long, options)
        return
    with progress("scanning", keys, not os.isatty(1)) as advance:
        for page in _counted(found, advance):
            oneshot.write(_lines(found, page, long, null, name))


def _counted(found: Scan, advance: Callable[[int], None]) -> Iterator[list[bytes]]:
    for keys in found.pages():
        advance(found.looked)
        yield keys


def _lines(found: Scan, keys: list[bytes], long: bool, null: bool, name: str) -> bytes:
    """A page for programs. The key stands last, for it may hold anything."""
    end = b"\0" if null else b"\n"
    if not long:
        if name == "json" and not null:
            from redtool.render import choose

            write = choose("json")
            return b"".join(write((), key) for key in keys)
        if name == "csv" and not null:
            return b"".join(line(FIELDS[3:], (key,), "csv") for key in keys)
        return end.join(keys) + end
    rows = [(kind, -1 if ttl is None else -(-ttl // 1000), size, key) for kind, ttl, size, key in found.details(keys)]
    if null:
        return b"".join(line(FIELDS, row, "raw")[:-1] + b"\0" for row in rows)
    return b"".join(line(FIELDS, row, name) for row in rows)


def _ttl(milliseconds: int) -> str:
    from redtool.render.cells import duration

    return duration(milliseconds / 1000 if milliseconds < 1000 else milliseconds // 1000)


FIELDS = (Field("type"), Field("ttl", "time", _ttl), Field("size", "number", size_text), Field("key", "key"))


def _screens(found: Scan, total: int | None, long: bool, options: Options) -> None:
    """Print on a terminal: all sorted and paged when they are few, else as they come."""
    held: list[bytes] = []
    with progress("scanning", total) as advance:
        pages = _counted(found, advance)
        for page in pages:
            held += page
            if len(held) > SCREEN:
                break  # the bar must be gone before anything is printed
    if len(held) <= SCREEN:
        write_text(_screen(sorted(held), found, long, options, len(held)), options)
        return
    for page in pages:
        while len(held) > SCREEN:
            oneshot.write(_screen(held[:SCREEN], found, long, options, None).encode("utf-8", "surrogateescape"))
            del held[:SCREEN]
        held += page
    for at in range(0, len(held), SCREEN):
        last = found.seen if at + SCREEN >= len(held) else None
        text = _screen(held[at : at + SCREEN], found, long, options, last)
        oneshot.write(text.encode("utf-8", "surrogateescape"))


def _screen(keys: list[bytes], found: Scan, long: bool, options: Options, total: int | None) -> str:
    """A block of keys; with a footer that counts them all when ``total`` is given."""
    from redtool.render.cells import plural
    from redtool.render.shape.kinds import Column, Columns, Empty, Table

    if total == 0:
        return draw(Empty("(no keys)"), options)
    if long:
        rows = [tuple(field.for_people(value) for field, value in zip(FIELDS, row, strict=True))
                for row in found.details(keys)]  # fmt: skip
        heads = tuple(Column(field.name, field.role) for field in FIELDS)
        text = draw(Table(heads, rows, len(rows), ""), options)
    else:
        text = draw(Columns(list(keys), len(keys), ""), options)
    return text if total is None else text + draw(Empty(plural(total, "key")), options)
