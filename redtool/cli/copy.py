"""``redtool copy``: the keys of a store, dump or server into another store, server or cluster."""

from __future__ import annotations

import os
from time import monotonic
from typing import Annotated

import typer

from redtool import exits, oneshot
from redtool.cli.output import note, progress, show_facts
from redtool.cli.pair import Place, both, database, is_place, must_differ
from redtool.errors import ConnectError, UsageError
from redtool.options import Options
from redtool.transfer.asking import count_of, databases
from redtool.transfer.comparing import Comparison
from redtool.transfer.copying import TOLERANCE, TTL_DROPPED, TTL_KEPT, Copy, Stopped, copy_libraries, libraries
from redtool.transfer.items import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.transfer.copying import Pairs

NAME = "copy"
EXAMPLES = """
redtool copy default redis://prod:6379
redtool copy @prod ./local --match 'user:*' --ttl 3600
redtool copy dump.rdb redis+cluster://node1:7000 --db 0 --replace --verify
redtool copy redis://old:6379/2 redis://new:6379 --dry-run
redtool copy user:1 user:2        as the Redis command
"""
TOLD = 10  # keys left out that are told one by one
AGAIN = "The same command goes on from there: what has arrived is passed over."


def verb(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="SRC DST", help="store, dump, URL or @target; default: your own store")
    ] = None,
    match: Annotated[str, typer.Option("--match", metavar="PATTERN", help="only keys that match: user:*, h?llo")] = "",
    kind: Annotated[str, typer.Option("--type", metavar="TYPE", help="only keys of this type: string, hash, …")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="write over keys that DST has already")] = False,
    ttl: Annotated[
        str, typer.Option("--ttl", metavar="TTL", help="keep (usual), none, or seconds that all copies live")
    ] = "keep",
    db: Annotated[str, typer.Option("--db", "-n", metavar="N[:M]", help="only database N, into N or M")] = "",
    functions: Annotated[bool, typer.Option("--functions", help="libraries of functions, too")] = False,
    usage: Annotated[bool, typer.Option("--usage", help="keep how long keys lay idle, or how used (LFU)")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="write nothing, tell what would be copied")] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="go on after a key that cannot be copied")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="read both sides afterwards and compare")] = False,
) -> int:
    """Copy the keys of SRC into DST, with their TTLs: from anything redtool opens into a store, server or cluster.

    All databases are copied, each into the one of its number, unless --db or the URL of SRC says which. Keys that DST
    has already are left as they are and, if they are not equal, told; the exit code is 1 then. So a copy that was
    broken off is begun again with the same command. Values go by DUMP and RESTORE, encoded anew where DST takes
    another version, and by ordinary commands where a server has neither. Between two words that can only be keys it
    is the Redis command COPY.
    """
    options: Options = ctx.obj
    words = words or []
    if len(words) != 2 or not any(map(is_place, words)):
        if len(words) < 2 or any(map(is_place, words)):
            raise UsageError("from where to where? redtool copy SRC DST")
        return oneshot.run(options.with_words(["copy", *words]))
    places = Place(words[0], options), Place(words[1], options)
    _check(*places)
    lifetime, chosen = _lifetime(ttl), database(db)
    with both(*places) as (source, target):
        pairs = _pairs(*places, source, chosen)
        reader = Reader(source, os.fsencode(match), os.fsencode(kind), usage)
        with progress("looking" if dry_run else "copying", _total(source, pairs), lines=True) as advance:
            copy = Copy(reader, target, replace=replace, lifetime=lifetime, dry=dry_run, keep_going=keep_going,
                        advance=advance)  # fmt: skip
            run = Run(copy, pairs, functions, options)
            code = run.run()
        run.show(not (match or kind))
        if verify and code != exits.INTERRUPTED and not dry_run:
            code = max(code, run.verify())
    return code


def _check(source: Place, target: Place) -> None:
    source.must_be_there()
    if target.target.kind == "memory":
        raise UsageError("a store in memory would be gone in a moment")
    if target.target.kind == "dump":
        raise UsageError("a dump is not written to; to make one: redtool backup --rdb FILE")
    must_differ(source, target)


def _lifetime(text: str) -> int:
    if text in ("keep", "none"):
        return TTL_KEPT if text == "keep" else TTL_DROPPED
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.001 <= seconds <= 1e12:
        raise UsageError(f"--ttl is keep, none or a number of seconds, not '{text}'")
    return int(seconds * 1000)


def _pairs(one: Place, other: Place, source: Backend, chosen: tuple[int, int] | None) -> Pairs:
    """Which databases are copied, and into which."""
    there = other.target.db
    if chosen is not None:
        pairs = [chosen]
    elif one.target.db or one.clustered:
        pairs = [(one.target.db, there or (0 if other.clustered else one.target.db))]
    else:
        pairs = [(number, number) for number, _ in databases(source)]
        if there:
            pairs = [(number, there) for number, _ in pairs]
    if len({into for _, into in pairs}) < len(pairs):
        raise UsageError("several databases do not go into one: choose with --db N")
    if other.clustered and any(into for _, into in pairs):
        raise UsageError("a cluster has database 0 only: choose with --db N:0")
    return pairs


def _total(source: Backend, pairs: Pairs) -> int:
    """Roughly how many keys there are to look at."""
    counts = dict(databases(source))
    return sum(counts.get(number, 0) for number, _ in pairs) or count_of(source)


class Run:
    """One copy, and what is told of it."""

    def __init__(self, copy: Copy, pairs: Pairs, functions: bool, options: Options) -> None:
        self.copy, self.pairs, self.functions, self.options = copy, pairs, functions, options
        self.counts = copy.counts
        self.began = monotonic()
        self.libraries = 0

    def run(self) -> int:
        """Copy everything; gives the exit code."""
        source, target = self.copy.source.backend, self.copy.there.backend
        try:
            if self.functions and not self.copy.dry:
                self.libraries = copy_libraries(source, target, self.copy.replace, self.counts)
            self.copy.run(self.pairs)
        except KeyboardInterrupt:
            oneshot.complain(f"redtool: interrupted after {self._so_far()}. {AGAIN}")
            return exits.INTERRUPTED
        except Stopped as stopped:
            oneshot.complain(f"redtool: {stopped}")
        except ConnectError as error:
            raise ConnectError(f"{error}. That was after {self._so_far()}. {AGAIN}") from None
        return exits.ERROR_REPLY if self.counts.different or self.counts.failed else exits.OK

    def _so_far(self) -> str:
        from redtool.render.cells import plural

        return plural(self.counts.copied + self.counts.equal, "key")

    def show(self, everything: bool) -> None:
        """Print the counts on stdout, and on stderr what was left out and why."""
        counts = self.counts
        numbers = {"copied": counts.copied, "equal": counts.equal, "different": counts.different,
                   "failed": counts.failed}  # fmt: skip
        if self.copy.dry and self.copy.replace:
            numbers["replaced"] = counts.replaced
        if self.functions:
            numbers["libraries"] = self.libraries
        facts: dict[str, tuple[object, object]] = {name: (count, f"{count:,}") for name, count in numbers.items()}
        left = [{b"db": each.db, b"key": each.key, b"why": each.why.encode()} for each in counts.left]
        show_facts(facts, self.options, dry_run=self.copy.dry, left=left)
        self._tell_left()
        if oneshot.format_of(self.options) == "human":
            self._remark(everything)

    def _tell_left(self) -> None:
        from redtool.words import quote

        counts = self.counts
        for each in counts.left[:TOLD]:
            where = f" of database {each.db}" if each.db else ""
            oneshot.complain(f"redtool: {quote(each.key[:100]).decode()}{where}: {each.why}")
        more = counts.different + counts.failed - min(len(counts.left), TOLD)
        if more > 0:
            oneshot.complain(f"and {more:,} more; redtool diff SRC DST shows them")

    def _remark(self, everything: bool) -> None:
        took = monotonic() - self.began
        if self.copy.dry:
            note("Nothing was written: this is what would be done.")
        elif took >= 1:
            note(f"{took:.1f} s, {self.counts.keys / took:,.0f} keys a second")
        if self.counts.different and not self.copy.replace:
            note("What is different was left as it is; --replace writes over it.")
        if everything and not self.functions and libraries(self.copy.source.backend):
            note("SRC has libraries of functions, which --functions copies.")

    def verify(self) -> int:
        """Compare what was copied; gives the exit code."""
        tolerance = TOLERANCE if self.copy.lifetime == TTL_KEPT else None
        with progress("comparing", self.counts.keys, lines=True) as advance:
            comparison = Comparison(self.copy.source, self.copy.there, tolerance, advance=advance)
            found = [apart for (_, apart), _ in zip(comparison.run(self.pairs, both=False), range(TOLD), strict=False)]
        from redtool.render.cells import plural
        from redtool.words import quote

        for apart in found:
            key = quote(apart.key[:100]).decode()
            oneshot.complain(f"redtool: {key} is not the same: {apart.what}: {apart.a} in SRC, {apart.b} in DST")
        if not found:
            note(f"Verified: {plural(comparison.keys, 'key')} of SRC found equal in DST.")
        return exits.ERROR_REPLY if found else exits.OK
