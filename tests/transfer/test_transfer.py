"""What of a copy and a comparison does not show in values: pages, chunks, repeats, losses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import redtool
from redtool import errors
from redtool.persist.payload import pack
from redtool.transfer.comparing import Comparison
from redtool.transfer.copying import Copy, Stopped
from redtool.transfer.items import PAGE, Reader
from tests.cold import chill

ALL = [(0, 0)]


class Wrapped:
    """A store in memory whose pipeline a test may look into."""

    def __init__(self) -> None:
        self.store = redtool.open(":memory:")
        self.store.execute("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.batches: list[list[bytes]] = []  # the first words of each batch
        self.name, self.remote = "wrapped", False

    @property
    def db(self) -> int:
        return self.store.db

    @property
    def in_multi(self) -> bool:
        return self.store.in_multi

    def execute(self, *argv: Any) -> Any:
        return self.store.execute(*argv)

    def pipeline(self, batch: Sequence[Sequence[bytes]], stop: bool = False) -> list[Any]:
        self.batches.append([bytes(argv[0]) for argv in batch])
        return self.store.pipeline(batch, stop)

    def commands(self) -> Any:
        return self.store.commands()

    def messages(self) -> Iterator[Any]:
        return self.store.messages()

    def close(self) -> None:
        self.store.close()


@pytest.fixture
def source() -> Iterator[Wrapped]:
    side = Wrapped()
    yield side
    side.close()


@pytest.fixture
def target() -> Iterator[Wrapped]:
    side = Wrapped()
    yield side
    side.close()


def fill(side: Wrapped, count: int, value: bytes = b"v") -> None:
    side.store.pipeline([(b"SET", b"key:%d" % n, value) for n in range(count)])


def copied(source: Wrapped, target: Any, **options: Any) -> Copy:
    copy = Copy(Reader(source), target, **options)
    copy.run(ALL)
    return copy


def counts(copy: Copy) -> tuple[int, int, int, int]:
    found = copy.counts
    return found.copied, found.equal, found.different, found.failed


def test_many_keys_a_round_trip(source: Wrapped, target: Wrapped) -> None:
    fill(source, 5000)
    assert counts(copied(source, target)) == (5000, 0, 0, 0)
    assert target.store.execute("DBSIZE") == 5000
    asked = len(source.batches) + len(target.batches)
    assert asked < 2 * (5000 // PAGE) + 30
    assert max(batch.count(b"DUMP") for batch in source.batches) == PAGE


def test_large_values_come_in_small_chunks(source: Wrapped, target: Wrapped, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = 1 << 16
    monkeypatch.setattr("redtool.transfer.items.WEIGHT", weight)
    fill(source, 300, bytes(weight // 10 - 50))
    assert counts(copied(source, target)) == (300, 0, 0, 0)
    assert chunks(source) == [10] * 5
    source.batches.clear()
    comparison = Comparison(Reader(source), Reader(target), 0)
    assert not list(comparison.run(ALL))
    assert chunks(source) == [10] * 5


def chunks(side: Wrapped) -> list[int]:
    """How many values were asked for in one go, at last but for the very last."""
    return [batch.count(b"DUMP") for batch in side.batches if b"DUMP" in batch][-6:-1]


def test_a_key_that_scan_gives_twice(source: Wrapped, target: Wrapped, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(source, 10)
    fill(target, 4, b"other")
    monkeypatch.setattr(Reader, "pages", lambda self: iter([[b"key:1", b"key:9", b"key:9"], [b"key:1"]]))
    assert [apart.key for _, apart in Comparison(Reader(source), Reader(target), 0).run(ALL)] == [b"key:1", b"key:9"]
    assert counts(copied(source, target, keep_going=True))[:2] == (1, 1)


def test_a_store_whose_keys_come_in_meanwhile(source: Wrapped, target: Wrapped,
                                              monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """SCAN begins anew when the last of them has left the file: no key is read twice."""
    fill(source, 5000)
    chill(source.store.store)
    whole = source.pipeline

    def thawing(batch: Sequence[Sequence[bytes]], stop: bool = False) -> list[Any]:
        if len(source.batches) > 2:
            while source.store.store.thaw():
                pass
        return whole(batch, stop)

    monkeypatch.setattr(source, "pipeline", thawing)
    assert counts(copied(source, target)) == (5000, 0, 0, 0)
    assert source.store.store.databases[0].cold is None
    assert sum(batch.count(b"DUMP") for batch in source.batches) == 5000


def test_a_key_that_is_gone_meanwhile(source: Wrapped, target: Wrapped, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(source, 3)
    monkeypatch.setattr(Reader, "pages", lambda self: iter([[b"key:0", b"gone", b"key:2"]]))
    assert counts(copied(source, target)) == (2, 0, 0, 0)
    assert not [apart.key for _, apart in Comparison(Reader(source), Reader(target), 0).run(ALL)]


def test_what_was_sent_when_the_target_was_lost_is_found_there(source: Wrapped, target: Wrapped,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The connection breaks after half of a batch has run, twice."""
    fill(source, 100)
    monkeypatch.setattr("redtool.transfer.copying.PAUSES", (0.0, 0.0, 0.0))
    losses = iter([20, 50])
    whole = target.pipeline

    def broken(batch: Sequence[Sequence[bytes]], stop: bool = False) -> list[Any]:
        if b"RESTORE" in batch[0] and (done := next(losses, 0)):
            whole(batch[:done], stop)
            raise errors.ConnectError("connection lost")
        return whole(batch, stop)

    monkeypatch.setattr(target, "pipeline", broken)
    assert counts(copied(source, target)) == (50, 50, 0, 0)
    assert target.store.execute("DBSIZE") == 100


def test_a_target_that_stays_lost(source: Wrapped, target: Wrapped, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(source, 1)
    monkeypatch.setattr("redtool.transfer.copying.PAUSES", (0.0,))

    def lost(batch: Sequence[Sequence[bytes]], stop: bool = False) -> list[Any]:
        raise errors.ConnectError("connection lost")

    copy = Copy(Reader(source), target)
    monkeypatch.setattr(target, "pipeline", lost)
    with pytest.raises(errors.ConnectError):
        copy.run(ALL)


def test_stops_at_a_key_that_cannot_be_copied(source: Wrapped, target: Wrapped) -> None:
    """A target that is full takes no more; what it took is counted."""
    fill(source, 3000, bytes(1000))
    target.store.execute("CONFIG", "SET", "maxmemory", "500kb")
    copy = Copy(Reader(source), target)
    with pytest.raises(Stopped):
        copy.run(ALL)
    assert copy.counts.keys < 3000
    assert copy.counts.copied == target.store.execute("DBSIZE") > 0
    assert copy.counts.left[0].why.startswith("OOM command not allowed")
    going_on = copied(source, target, keep_going=True)
    assert sum(counts(going_on)) == 3000
    assert len(going_on.counts.left) <= 1000


def test_deadlines_are_exact_and_lifetimes_are_given(source: Wrapped, target: Wrapped) -> None:
    source.store.execute("SET", "a", "1", "PXAT", 4102444800123)
    source.store.execute("SET", "b", "1")
    copied(source, target)
    assert target.store.execute("PEXPIRETIME", "a") == 4102444800123
    assert counts(copied(source, target, lifetime=0)) == (0, 2, 0, 0)  # TTLs do not count then
    copied(source, target, lifetime=0, replace=True)
    assert target.store.execute("PEXPIRETIME", "a") == -1
    copied(source, target, lifetime=50_000, replace=True)
    assert 0 < target.store.execute("PTTL", "b") <= 50_000


def test_uses_are_not_changed_and_can_be_kept(source: Wrapped, target: Wrapped) -> None:
    for side in (source, target):
        side.store.execute("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    source.store.execute("RESTORE", "idle", 0, pack(b"v"), "IDLETIME", 5000)
    copy = Copy(Reader(source, usage=True), target)
    copy.run(ALL)
    assert source.store.execute("OBJECT", "IDLETIME", "idle") >= 5000
    assert target.store.execute("OBJECT", "IDLETIME", "idle") >= 5000
    for side in (source, target):
        side.store.execute("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    source.store.execute("RESTORE", "often", 0, pack(b"v"), "FREQ", 77)
    copy = Copy(Reader(source, usage=True), target)
    copy.run(ALL)
    assert target.store.execute("OBJECT", "FREQ", "often") == 77
