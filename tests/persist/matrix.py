"""Files exchanged with every real server at hand, both ways; prints what passes as a table.

    python -m tests.persist.matrix [SERVER ...]

A dataset of every type and encoding (the cases of ``exchange``, and what only files have: several databases,
deadlines, odd keys, functions) is made on one side and saved, or journalled with a rewrite half way. The other side
loads the files. Then all keys are read on both and must be equal, element by element, with deadlines, and by the
servers' own digests.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hiredis

import redtool
from redtool import errors, resp
from redtool.persist.save import FORMATS, save
from tests.persist.datasets import serving
from tests.persist.exchange import (
    CASES,
    DEFAULTS,
    LATER,
    NOISE,
    OPTIONAL,
    Argv,
    Ask,
    digests_apart,
    made,
    options,
    read,
    same_hash,
)
from tests.servers import Word, named_servers

Row = tuple[int, Word, list[Argv]]  # database, key, the commands that make its value

OWN = {"redis6": "0009", "redis7": "0010", "redis74": "0012", "redis8": "0012", "valkey8": "0010",
       "valkey": "valkey080"}  # fmt: skip
WITH_FIELDS = ("redis74", "redis8", "valkey")  # servers that know deadlines of hash fields
CODE = "#!lua name={0}\nredis.register_function('{0}', function() return 1 end)"
LIBRARIES = [CODE.format(name) for name in ("one", "two")]


def rows() -> list[Row]:
    """The whole dataset; what a server has no commands for is left out when it is made."""
    found: list[Row] = [(0, name, on_key(lines, name)) for name, lines in CASES.items()]
    found += [
        (0, b"\0\r\n\xff", [("SET", b"\0\r\n\xff", b"*1\r\n")]),
        (0, "", [("SET", "", "the empty key")]),
        (0, b"long" * 100, [("RPUSH", b"long" * 100, "")]),
        (0, "deadline: string", [("SET", "deadline: string", "v"), ("PEXPIREAT", "deadline: string", LATER)]),
        (0, "deadline: hash", [("HSET", "deadline: hash", "f", "v"), ("PEXPIREAT", "deadline: hash", LATER + 1)]),
        (0, "bitmap", [("SETBIT", "bitmap", 100_000, 1), ("SETBIT", "bitmap", 7, 1)]),
        (0, "huge", [("SET", "huge", NOISE * 2000)]),
        (0, "huge, LZF", [("SET", "huge, LZF", b"ab" * 1_000_000)]),
        (0, "vectors", [("VADD", "vectors", "VALUES", 3, 1, n, -n / 7, f"e{n}", "SETATTR", "{}") for n in range(30)]),
        (0, "vectors: BIN", [("VADD", "vectors: BIN", "VALUES", 3, 1, n, 2, f"e{n}", "BIN") for n in range(9)]),
        (9, "elsewhere", [("SET", "elsewhere", 9), ("PEXPIREAT", "elsewhere", LATER)]),
        (9, "set: large", on_key(CASES["set: large"], "set: large")),
        (15, "last", [("ZADD", "last", 1, "m")]),
    ]
    return found


def on_key(lines: list[Argv], key: str) -> list[Argv]:
    return [tuple(key if word == "k" else word for word in line) for line in lines]


def has_fields(row: Row) -> bool:
    return any(line[0] == "HPEXPIREAT" for line in row[2])


class Side:
    """A server or a store: ``ask`` runs a command in RESP3."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def fill(self, wanted: list[Row]) -> list[Row]:
        """Make the rows; gives those that could be made."""
        done = []
        for row in wanted:
            self.ask("SELECT", row[0])
            if made(self.ask, row[2]):
                done.append(row)
            else:
                self.ask("DEL", row[1])
            if any(line[0] in OPTIONAL for line in row[2]):
                for line in DEFAULTS:
                    self.ask(*line)
        return done

    def keys(self) -> set[tuple[int, bytes]]:
        found = set()
        for db in range(16):
            self.ask("SELECT", db)
            found.update((db, key) for key in self.ask("KEYS", "*"))
        return found

    def value(self, row: Row) -> Any:
        self.ask("SELECT", row[0])
        return read(self.ask, row[1])

    def deadline(self, row: Row) -> int:
        """In unix ms; seconds where only those can be asked for. -1: none."""
        self.ask("SELECT", row[0])
        exact = self.ask("PEXPIRETIME", row[1])
        if not isinstance(exact, errors.ReplyError):
            return int(exact)
        return LATER if self.ask("TTL", row[1]) > 0 else -1

    def functions(self) -> list[Any]:
        found = self.ask("FUNCTION", "LIST", "WITHCODE")
        return [] if isinstance(found, errors.ReplyError) else sorted(each[b"library_code"] for each in found)


class Result:
    """The rows that were exchanged, and what was not the same on both sides."""

    def __init__(self, exchanged: list[Row], wrong: list[str]) -> None:
        self.exchanged, self.wrong = exchanged, wrong

    @property
    def missing(self) -> set[Word]:
        """Keys of the dataset that one of the sides, or the format, knows nothing of."""
        return {row[1] for row in rows()} - {row[1] for row in self.exchanged}

    def __str__(self) -> str:
        return "; ".join(self.wrong) or f"equal, {len(self.exchanged)} keys"


def compare(name: str, theirs: Side, ours: Side, wanted: list[Row], journal: bool = False) -> Result:
    """Read everything on both sides. A journal does not say when a consumer was last seen."""
    found = []
    keys = theirs.keys()
    if keys != ours.keys() or len(keys) != len(wanted):
        found.append(f"keys {keys ^ ours.keys()}")
    for row in wanted:
        values = [without_times(each) if journal else each for each in (theirs.value(row), ours.value(row))]
        if not same_hash(*values):
            found.append(f"value of {row[1]!r}")
            continue
        when, here = theirs.deadline(row), ours.deadline(row)
        if when != here and not (name == "redis6" and when == LATER and here >= LATER):
            found.append(f"deadline of {row[1]!r}")
        digests = [side.ask("DEBUG", "DIGEST-VALUE", row[1]) for side in (theirs, ours)]
        if digests[0] != digests[1] and not digests_apart(name, ours.ask("TYPE", row[1]), has_fields(row)):
            found.append(f"digest of {row[1]!r}")
    if theirs.functions() != ours.functions():
        found.append("functions")
    return Result(wanted, found)


def without_times(value: Any) -> Any:
    """A value without the times at which consumers were seen."""
    if isinstance(value, dict):
        return {name: without_times(part) for name, part in value.items() if name != b"seen-time"}
    if isinstance(value, list | tuple):
        return type(value)(map(without_times, value))
    return value


# -- the ways


def their_dump(name: str, home: Path) -> Result:
    with server_on(name, home) as theirs:
        done = theirs.fill(rows())
        load_functions(theirs)
        theirs.ask("SAVE")
        with redtool.open(home / "dump.rdb") as store:
            return compare(name, theirs, side_of(store), done)


def our_dump(name: str, home: Path, form: str) -> Result:
    """In one format; what that has no place for is refused here, and left out then."""
    with redtool.open(home) as store:
        ours = side_of(store)
        ours.ask("CONFIG", "SET", "rdb-format", form)
        fields = name in WITH_FIELDS and form == OWN[name]
        done = ours.fill([row for row in rows() if knows(name, row, fields)])
        done = [row for row in done if fits(store, row, form)]
        if form != "0009":
            load_functions(ours)
        assert ours.ask("SAVE") == b"OK"
        assert magic(home / "dump.rdb").endswith(form.upper())
        with server_on(name, home) as theirs:
            return compare(name, theirs, ours, done)


def their_journal(name: str, home: Path, base: str) -> Result:
    """With a base that is a snapshot, or commands."""
    stamps = () if name == "redis6" else ("--aof-timestamp-enabled", "yes")
    preamble = ("--aof-use-rdb-preamble", "yes" if base == "RDB" else "no")
    with server_on(name, home, "--appendonly", "yes", *preamble, *stamps) as theirs:
        done = halves(theirs, rows())
        theirs.ask("DEBUG", "LOADAOF")  # its journal does not say how much a group has read
        with copied(home) as copy, redtool.open(copy) as store:
            return compare(name, theirs, side_of(store), done, journal=True)


def our_journal(name: str, home: Path) -> Result:
    with redtool.open(home) as store:
        ours = side_of(store)
        ours.ask("CONFIG", "SET", "rdb-format", OWN[name])
        done = halves(ours, [row for row in rows() if knows(name, row, name in WITH_FIELDS)])
        with copied(home) as copy, server_on(name, copy, "--appendonly", "yes") as theirs:
            return compare(name, theirs, ours, done, journal=True)


def there_and_back(name: str, home: Path) -> Result:
    """Its directory is opened here, written to and rewritten, and goes on there."""
    with server_on(name, home, "--appendonly", "yes") as theirs:
        done = halves(theirs, rows())
    with redtool.open(home) as store:
        ours = side_of(store)
        ours.ask("CONFIG", "SET", "rdb-format", OWN[name])
        before: Row = (3, "before", [("XADD", "before", "1-1", "f", "v")])
        after: Row = (3, "after", [("SET", "after", "v")])
        done += ours.fill([before])
        rewrite(ours)
        done += ours.fill([after])
        with copied(home) as copy, server_on(name, copy, "--appendonly", "yes") as theirs:
            return compare(name, theirs, ours, done, journal=True)


WAYS: dict[str, Callable[[str, Path], Result]] = {
    "its RDB → redtool": their_dump,
    "redtool's RDB → it": lambda name, home: our_dump(name, home, "0010"),
    "redtool's RDB, rdb-format its own → it": lambda name, home: our_dump(name, home, OWN[name]),
    "its AOF directory → redtool": lambda name, home: their_journal(name, home, "RDB"),
    "its AOF directory without RDB → redtool": lambda name, home: their_journal(name, home, "AOF"),
    "redtool's directory → it": our_journal,
    "its directory → redtool → it": there_and_back,
}
# Version 10, and journals of several files, came with Redis 7.
IMPOSSIBLE = {("redis6", way) for way in ("redtool's RDB → it", *list(WAYS)[-2:])}


def halves(side: Side, wanted: list[Row]) -> list[Row]:
    """Half of the rows before a rewrite of the journal, half after."""
    done = side.fill(wanted[::2])
    load_functions(side)
    rewrite(side)
    return done + side.fill(wanted[1::2])


def rewrite(side: Side) -> None:
    side.ask("BGREWRITEAOF")
    while b"aof_rewrite_in_progress:0" not in side.ask("INFO", "persistence"):
        pass


def knows(name: str, row: Row, fields: bool) -> bool:
    """Whether a server can have a row, given whether it can have deadlines of fields from this file."""
    return (fields or not has_fields(row)) and (name == "redis8" or row[2][0][0] != "VADD")


def fits(store: Any, row: Row, form: str) -> bool:
    """Whether a format has a place for a row; one that it has none for is removed."""
    key = row[1] if isinstance(row[1], bytes) else str(row[1]).encode()
    value = store.store.databases[row[0]].get(key)
    version, fields_version = FORMATS[form]
    try:
        save(len, [(0, 1, 0, [(key, value, None)])], version=version, fields_version=fields_version)
    except errors.Unfit:
        store.execute("SELECT", row[0])
        store.execute("DEL", key)
        return False
    return True


def load_functions(side: Side) -> None:
    for code in LIBRARIES:
        side.ask("FUNCTION", "LOAD", code)


def magic(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(9).decode()


def side_of(store: Any) -> Side:
    """A store, asked by RESP3 as servers are."""
    store.session.switch(3)

    def ask(*words: Word) -> Any:
        reader = hiredis.Reader(replyError=errors.ReplyError.of)
        try:
            reply = store.execute(*words)
        except errors.ReplyError as error:
            reply = error
        reader.feed(resp.encode(reply, 3))
        return reader.gets()

    return Side(ask)


@contextmanager
def server_on(name: str, home: Path, *more: str) -> Iterator[Side]:
    with serving(name, home, *options(name), *more) as server, server.client(proto=3) as client:
        yield Side(client.call)


@contextmanager
def directory() -> Iterator[Path]:
    """A directory whose path is short enough for a socket in it."""
    path = Path(tempfile.mkdtemp(prefix="rt-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def copied(home: Path) -> Iterator[Path]:
    """What lies in a directory whose owner goes on, without sockets."""
    with directory() as copy:
        for path in home.rglob("*"):
            target = copy / path.relative_to(home)
            if path.is_dir():
                target.mkdir(exist_ok=True)
            elif path.is_file() and path.name not in ("lock", "log"):
                shutil.copy(path, target)
        yield copy


def exchanged(name: str, way: str) -> Result | None:
    """Try one way with one server; None where there is none."""
    if (name, way) in IMPOSSIBLE:
        return None
    with directory() as home:
        return WAYS[way](name, home)


def main(names: list[str]) -> int:
    print(f"| server | {' | '.join(WAYS)} |\n{'|---' * (len(WAYS) + 1)}|")
    wrong = 0
    for name in names:
        found = [exchanged(name, way) for way in WAYS]
        wrong += sum(len(each.wrong) for each in found if each)
        print(f"| {name} | {' | '.join(str(each or '-') for each in found)} |", flush=True)
    print(f"\nkeys in the dataset: {len(rows())}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or sorted(named_servers())))
