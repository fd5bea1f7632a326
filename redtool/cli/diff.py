"""``redtool diff``: what is not the same in two stores, dumps or servers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from redtool import exits, oneshot
from redtool.cli.dump import short
from redtool.cli.output import Field, progress, show_facts, show_many
from redtool.cli.pair import Place, both, database, must_differ
from redtool.errors import RedtoolError, UsageError
from redtool.options import Options
from redtool.transfer.asking import databases
from redtool.transfer.comparing import Comparison, compare_libraries, pairs_of
from redtool.transfer.copying import libraries
from redtool.transfer.items import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.transfer.comparing import Pairs
    from redtool.transfer.differences import Difference

    Row = tuple[object, ...]

NAME = "diff"
EXAMPLES = """
redtool diff default dump.rdb
redtool diff redis://old:6379 redis://new:6379 && echo equal
redtool diff @prod ./local --match 'cfg:*' --json
redtool diff monday.rdb tuesday.rdb --count
"""
TROUBLE = 2  # as diff's
FIELDS = (Field("db"), Field("key", "key", short), Field("differs"), Field("a"), Field("b"))


def verb(
    ctx: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="store, dump, URL or @target; default: your own store")],
    second: Annotated[str, typer.Argument(metavar="B", help="the other one")],
    match: Annotated[str, typer.Option("--match", metavar="PATTERN", help="only keys that match: user:*, h?llo")] = "",
    kind: Annotated[str, typer.Option("--type", metavar="TYPE", help="only keys of this type: string, hash, …")] = "",
    db: Annotated[str, typer.Option("--db", "-n", metavar="N[:M]", help="only database N, of B its N or M")] = "",
    tolerance: Annotated[
        int, typer.Option("--ttl-tolerance", metavar="MS", min=0, help="TTLs so far apart are equal (1000)")
    ] = 1000,
    no_ttl: Annotated[bool, typer.Option("--no-ttl", help="TTLs do not count")] = False,
    keys_only: Annotated[bool, typer.Option("--keys-only", help="keys, types and TTLs only, no values")] = False,
    functions: Annotated[bool, typer.Option("--functions", help="libraries of functions, too")] = False,
    count: Annotated[bool, typer.Option("--count", help="only how many differ")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="stop after N differences")] = 0,
) -> int:
    """Compare the keys of A and B: which are missing on a side, and whose type, value or TTL is another.

    Exit code 0 when there is no difference, 1 when there is, 2 when there was trouble. Values are compared by what is
    in them, whatever versions the servers are of. Both sides are read a piece at a time, however large they are; what
    is written meanwhile may show up as a difference.
    """
    options: Options = ctx.obj
    try:
        places = Place(first, options), Place(second, options)
        for place in places:
            place.must_be_there()
        must_differ(*places)
        chosen = database(db)
        with both(*places) as (a, b):
            pairs = _pairs(places, a, b, chosen)
            one, other = (Reader(side, os.fsencode(match), os.fsencode(kind)) for side in (a, b))
            shown = os.isatty(1) and not count
            total = sum(keys for side in (a, b) for number, keys in databases(side)) if not (match or kind) else None
            with progress("comparing", total, not shown, lines=True) as advance:
                comparison = Comparison(one, other, None if no_ttl else tolerance, names=keys_only, advance=advance)
                found = _found(comparison, pairs, (a, b) if functions else None)
                return _show(comparison, islice(found, limit) if limit else found, count, limit, options)
    except UsageError:
        raise
    except RedtoolError as error:
        oneshot.complain(f"redtool: {error}")
        return TROUBLE


def _pairs(places: tuple[Place, Place], a: Backend, b: Backend, chosen: tuple[int, int] | None) -> Pairs:
    """Which databases are compared, and with which."""
    one, other = places
    if chosen is not None:
        return [chosen]
    if one.clustered or other.clustered or one.target.db or other.target.db:
        return [(one.target.db, other.target.db)]
    return pairs_of(databases(a), databases(b))


def _found(comparison: Comparison, pairs: Pairs, sides: tuple[Backend, Backend] | None) -> Iterator[Row]:
    """A row a difference."""
    if sides is not None:
        for apart in compare_libraries(libraries(sides[0]), libraries(sides[1])):
            comparison.libraries += 1
            yield _row(0, apart)
    for number, apart in comparison.run(pairs):
        yield _row(number, apart)


def _row(number: int, apart: Difference) -> Row:
    return number, apart.key, apart.what, apart.a, apart.b


def _show(comparison: Comparison, rows: Iterator[Row], count: bool, limit: int, options: Options) -> int:
    """Print the differences, or how many there are; gives the exit code."""
    if count:
        for _ in rows:
            continue
        counts = {"compared": comparison.keys, "only_a": comparison.only_a, "only_b": comparison.only_b,
                  "different": comparison.apart}  # fmt: skip
        show_facts({name: (number, f"{number:,}") for name, number in counts.items()}, options)
    else:
        show_many(FIELDS, rows, options, lambda total: _summary(comparison, total, limit))
    return exits.ERROR_REPLY if comparison.differences else exits.OK


def _summary(comparison: Comparison, total: int, limit: int) -> str:
    from redtool.render.cells import plural

    if limit and total == limit:
        return f"{plural(total, 'difference')}, no more by --limit"
    if not total:
        return f"no difference, {plural(comparison.keys, 'key')} compared"
    return (f"{comparison.only_a:,} only in a, {comparison.only_b:,} only in b, {comparison.apart:,} different; "
            f"{plural(comparison.keys, 'key')} of a compared")  # fmt: skip
