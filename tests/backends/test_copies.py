"""Copies into a cluster and out of it, and under sentinels; masters fall and a slot moves meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import redtool
from redtool.backends import open_backend
from redtool.backends.cluster import Cluster
from redtool.backends.embedded import Embedded
from redtool.commands.cluster import slot_of
from redtool.transfer.comparing import Comparison
from redtool.transfer.copying import Copy
from redtool.transfer.items import Reader
from tests.clusters import LocalCluster
from tests.sentinels import sentinels

KEYS = 4000
ALL = [(0, 0)]


@pytest.fixture
def store() -> Iterator[Embedded]:
    """Strings, and a few hashes with deadlines."""
    with redtool.open(":memory:") as found:
        found.pipeline([(b"SET", b"key:%d" % n, b"value %d" % n) for n in range(KEYS)])
        found.pipeline([(b"HSET", b"user:%d" % n, b"name", b"%d" % n) for n in range(50)])
        found.pipeline([(b"PEXPIREAT", b"user:%d" % n, b"4102444800000") for n in range(50)])
        yield found


def differences(a: Any, b: Any) -> list[Any]:
    return [apart for _, apart in Comparison(Reader(a), Reader(b), 1000).run(ALL)]


def meanwhile(chunks: Iterator[Any], event: Callable[[], object]) -> Iterator[Any]:
    """Let something happen after the second chunk."""
    for at, items in enumerate(chunks):
        if at == 2:
            event()
        yield items


def copied(source: Any, target: Any, event: Callable[[], object]) -> int:
    """Copy; gives how many keys have arrived."""
    reader = Reader(source)
    whole = reader.items
    reader.items = lambda: meanwhile(whole(), event)  # type: ignore[method-assign]
    copy = Copy(reader, target)
    copy.run(ALL)
    assert not copy.counts.left
    return copy.counts.copied + copy.counts.equal


def test_there_and_back(c: Cluster, store: Embedded) -> None:
    assert copied(store, c, lambda: None) == KEYS + 50
    assert not differences(store, c)
    with redtool.open(":memory:") as other:
        assert copied(c, other, lambda: None) == KEYS + 50
        assert not differences(other, store)
    c.execute("SET", "key:7", "another")
    c.execute("DEL", "user:9")
    assert {apart.key for apart in differences(c, store)} == {b"key:7", b"user:9"}


def test_a_slot_moves(c: Cluster, local: LocalCluster, store: Embedded) -> None:
    slot = slot_of(b"key:1")
    source = local.owner(slot)
    goal = local.other(source)
    assert copied(store, c, lambda: local.move(slot, source, goal)) == KEYS + 50
    assert not differences(store, c)
    local.move(slot, goal, source)


def test_a_master_falls(c: Cluster, local: LocalCluster, store: Embedded) -> None:
    """What it had taken and not passed on to its replica is copied when the copy is begun again."""
    fallen = local.masters[0]
    assert copied(store, c, fallen.stop) == KEYS + 50
    local.heal(fallen)
    assert copied(store, c, lambda: None) == KEYS + 50
    assert not differences(store, c)


def test_a_master_under_sentinels_falls(store: Embedded) -> None:
    """Three of its own: they bear one failover in a while."""
    with sentinels("valkey") as trio, open_backend(trio.url) as target:  # type: ignore[attr-defined]
        assert copied(store, target, trio.master.stop) == KEYS + 50
        assert copied(store, target, lambda: None) == KEYS + 50
        assert not differences(store, target)
