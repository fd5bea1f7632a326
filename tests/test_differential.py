"""A short run of the differential test with fixed seeds, and what it must notice."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from redtool import loading
from redtool.commands.table import TABLE
from redtool.loading import Sink
from redtool.persist.aof import encode
from redtool.persist.replay import Replay
from tests import differential, embedded, servers, wire
from tests.program import CARRY, DRAWN, EXCLUDED, PLACED, Argv, Program, Step, drawable
from tests.sameness import dataset


@pytest.fixture(scope="module")
def quick() -> Iterator[servers.RealServer]:
    with servers.running("valkey", *differential.OPTIONS) as server:
        yield server


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_commands_agree(quick: servers.RealServer, seed: int) -> None:
    found = next(differential.differences(quick, 1000, seed), None)
    assert found is None, f"\n{found}"


@pytest.mark.parametrize("seed", [4, 5])
def test_random_commands_agree_when_keys_lie_in_a_file(quick: servers.RealServer, seed: int) -> None:
    found = next(differential.differences(quick, 1500, seed, chilled=True), None)
    assert found is None, f"\n{found}"


@pytest.mark.parametrize("name", sorted(servers.real_servers().keys() - {"valkey"}))
def test_random_commands_agree_with_other_servers(name: str) -> None:
    with servers.running(name, *differential.OPTIONS) as server:
        found = next(differential.differences(server, 2000, 4), None)
    assert found is None, f"\n{found}"


def test_every_command_is_drawn_or_excluded_with_a_reason(quick: servers.RealServer) -> None:
    embedded.import_all()
    drawn = {command.name.split()[0] for command in drawable(quick)} | PLACED
    assert {command.name for command in drawable(quick)} >= DRAWN
    missing = {command.name for command in TABLE.values()} - drawn - EXCLUDED.keys()
    assert {name for name in missing if quick.call("COMMAND", "INFO", name) != [None]} == set()
    assert all(EXCLUDED.values())


# The engine is made to differ by a step of its own, which the server does not see.
PLANTED: list[tuple[Step, Step, str]] = [
    ((0, (b"SET", b"k", b"1")), (0, (b"GET", b"k")), "reply"),
    ((0, (b"SADD", b"k", b"1")), (0, (b"SMEMBERS", b"k")), "reply"),
    ((0, (b"RPUSH", b"k", b"1")), (0, (b"INCR", b"k")), "reply"),
    ((0, (b"HSET", b"k", b"f", b"1")), (0, (b"HSCAN", b"k", b"0")), "reply"),
    ((0, (b"SET", b"k", b"1")), (0, (b"PING",)), "dataset"),
    ((1, (b"SELECT", b"1")), (1, (b"SET", b"k", b"1")), "dataset"),
]


@pytest.mark.parametrize(("planted", "step", "what"), PLANTED, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("proto", [2, 3])
def test_a_difference_is_noticed(quick: servers.RealServer, planted: Step, step: Step, what: str, proto: int) -> None:
    pair = differential.Pair(quick, proto)
    try:
        assert pair.compare_datasets([]) is None
        pair.engine[planted[0]].call(*planted[1])
        found = pair.step(step) or pair.compare_datasets([])
        assert found is not None
        assert found.what == what
    finally:
        pair.close()


def test_the_shortest_history_is_found(quick: servers.RealServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose INCRBY is off by one: two steps show it, of sixty."""
    handler = TABLE[b"INCRBY"].handler
    assert handler is not None
    monkeypatch.setattr(TABLE[b"INCRBY"], "handler", lambda c, key, n: handler(c, key, b"%d" % (int(n) + 1)))
    noise: list[Step] = [(i % 2, (b"RPUSH", b"l", b"%d" % i)) for i in range(58)]
    steps: list[Step] = [(0, (b"SET", b"n", b"5")), *noise, (0, (b"INCRBY", b"n", b"2"))]
    found = differential.run(quick, steps, 2, 25)
    assert found is not None
    short = differential.shrink(quick, found, 2)
    assert short.history == [(0, (b"INCRBY", b"n", b"2"))]
    assert (short.ours, short.theirs) == (":3", ":2")
    assert "INCRBY n 2" in str(short)


class Tape:
    """Stands in for the journal of a store and keeps what it is given, with SELECT where the database changes."""

    def __init__(self) -> None:
        self.pending: list[Argv] = []
        self.db = 0

    def select(self, db: int) -> None:
        self.db = db
        self.pending.append((b"SELECT", b"%d" % db))

    def append(self, argv: Argv, db: int) -> None:
        if db != self.db:
            self.select(db)
        self.pending.append(argv)


@pytest.mark.parametrize("seed", range(8))
def test_the_journal_of_random_commands_gives_the_same_dataset(quick: servers.RealServer, seed: int) -> None:
    """Keys expire during the run, and the journal is replayed when every deadline has passed."""
    first = embedded.Client()
    clients = [first, embedded.Client(first.store)]
    tape: Any = Tape()
    first.store.journal = tape
    for i, (client, argv) in enumerate(Program(Random(seed), drawable(quick)).steps(600)):
        if argv[0] == CARRY:
            argv = (b"RESTORE", argv[2], argv[3], first.call("DUMP", argv[1]) or b"", *argv[4:])
        clients[client].call(*argv)
        if i % 50 == 49:
            first.advance(700_000)
    replayed = embedded.Client()
    replayed.advance(100 * 365 * 86_400_000)
    loading.begin(replayed.store)
    warnings: list[str] = []
    replay = Replay(encode(tape.pending), "journal", Sink(replayed.store), warnings.append)
    replay.run()
    assert not warnings
    assert replay.whole == replay.end
    replayed.ns = first.ns
    loading.end(replayed.store)
    for client in (first, replayed):
        client.store.clock.ns = first.ns
        for db in client.store.databases:
            for key in list(db.data):
                db.peek(key)  # those past their deadline go, as they would at the next look
    assert dataset(replayed) == dataset(first)


TREES = [
    (b"+OK\r\n", ("+", b"OK")),
    (b"$2\r\n\r\n\r\n", ("$", b"\r\n")),
    (b":-5\r\n", (":", -5)),
    (b"$-1\r\n", wire.NULL),
    (b"*-1\r\n", wire.NULL_ARRAY),
    (b"_\r\n", wire.NULL3),
    (b"*2\r\n:1\r\n*0\r\n", ("*", [(":", 1), ("*", [])])),
    (b"%1\r\n$1\r\na\r\n,1.5\r\n", ("%", [("$", b"a"), (",", b"1.5")])),
    (b"-ERR x\r\n", ("-", b"ERR x")),
    (b"#t\r\n", ("#", b"t")),
]


@pytest.mark.parametrize(("data", "tree"), TREES)
def test_wire(data: bytes, tree: wire.Tree) -> None:
    assert wire.parse(data) == tree


def test_what_may_be_in_any_order() -> None:
    left, right = (
        wire.parse(b"*4\r\n$1\r\n%b\r\n:1\r\n$1\r\n%b\r\n:1\r\n" % pair) for pair in ((b"a", b"b"), (b"b", b"a"))
    )
    assert wire.unordered(left, 2) == wire.unordered(right, 2)
    crossed = wire.parse(b"*4\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n:1\r\n")
    assert wire.unordered(left, 2) != wire.unordered(crossed, 2)
    assert wire.unordered(left) == wire.unordered(crossed)
