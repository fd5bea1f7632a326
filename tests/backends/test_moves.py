"""Slots that move and masters that fall while a cluster is at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from redtool.backends import dispatch, open_backend
from redtool.backends.cluster import Cluster
from redtool.commands.cluster import slot_of
from redtool.errors import ConnectError, FateUnknown, ReplyError
from redtool.resp import OK, QUEUED
from tests.backends.test_cluster import sweep
from tests.clusters import LocalCluster, Node, until

SLOT = slot_of(b"a")


@pytest.fixture
def ends(local: LocalCluster) -> Iterator[tuple[Node, Node]]:
    """The node that slot a is on and another; afterwards the slot is back."""
    source = local.owner(SLOT)
    goal = local.other(source)
    yield source, goal
    for node in (source, goal):
        node.call("CLUSTER", "SETSLOT", SLOT, "STABLE")
    if local.owner(SLOT) is goal:
        local.move(SLOT, goal, source)
    until(lambda: local.owner(SLOT) is source, "the slot does not come back")


def test_a_slot_that_has_moved(c: Cluster, local: LocalCluster, ends: tuple[Node, Node]) -> None:
    source, goal = ends
    c.execute("SET", "a", 1)
    local.move(SLOT, *ends)
    assert c.execute("INCR", "a") == 2
    assert c.nodes.owner(SLOT) == ("127.0.0.1", goal.port)
    local.move(SLOT, goal, source)
    batch = [[b"INCR", b"a"], [b"SET", b"b", b"x"], [b"INCR", b"a"], [b"GET", b"{a}none"]]
    assert c.pipeline(batch) == [3, OK, 4, None]
    assert c.nodes.owner(SLOT) == ("127.0.0.1", source.port)


def test_a_slot_on_its_way(c: Cluster, local: LocalCluster, ends: tuple[Node, Node]) -> None:
    """Keys are on both nodes; the ones that have moved, and new ones, are asked for with ASK."""
    source, goal = ends
    c.pipeline([[b"SET", b"{a}%d" % at, b"%d" % at] for at in range(20)])
    local.begin_move(SLOT, *ends)
    assert local.move_keys(SLOT, source, goal, 10) == 10
    assert c.pipeline([[b"GET", b"{a}%d" % at] for at in range(20)]) == [b"%d" % at for at in range(20)]
    assert [c.execute("INCR", f"{{a}}{at}") for at in range(20)] == list(range(1, 21))
    assert c.execute("SET", "{a}new", "v") == OK
    assert goal.call("CLUSTER", "COUNTKEYSINSLOT", SLOT) == 11
    assert c.nodes.owner(SLOT) == ("127.0.0.1", source.port)
    assert set(sweep(c)) == {b"{a}%d" % at for at in range(20)} | {b"{a}new"}


def test_keys_on_both_sides_are_waited_for(c: Cluster, local: LocalCluster, ends: tuple[Node, Node],
                                           monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """TRYAGAIN: the command has not run; it does when the keys are together again."""
    source, goal = ends
    c.execute("MSET", "{a}1", 1, "{a}2", 2)
    local.begin_move(SLOT, *ends)
    local.move_keys(SLOT, source, goal, 1)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            local.move_keys(SLOT, source, goal)
            local.end_move(SLOT, source, goal)

    monkeypatch.setattr(dispatch, "sleep", pause)
    assert c.pipeline([[b"MGET", b"{a}1", b"{a}2"], [b"SET", b"b", b"x"]]) == [[b"1", b"2"], OK]
    assert len(pauses) >= 2


def test_patience_ends(c: Cluster, local: LocalCluster, ends: tuple[Node, Node],
                       monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    source, goal = ends
    c.execute("MSET", "{a}1", 1, "{a}2", 2)
    local.begin_move(SLOT, *ends)
    local.move_keys(SLOT, source, goal, 1)
    monkeypatch.setattr(dispatch, "PATIENCE", 0.0)
    with pytest.raises(ReplyError, match=r"^TRYAGAIN Multiple keys request during rehashing of slot$"):
        c.execute("MGET", "{a}1", "{a}2")
    replies = c.pipeline([[b"MGET", b"{a}1", b"{a}2"], [b"SET", b"b", b"x"]])
    assert str(replies[0]).startswith("TRYAGAIN") and replies[1] == OK


def test_a_transaction_follows_a_slot_that_has_moved(c: Cluster, local: LocalCluster, ends: tuple[Node, Node]) -> None:
    local.move(SLOT, *ends)
    assert [c.execute(*line.split()) for line in ("MULTI", "PING", "SET a 1", "INCR a", "EXEC")] == [
        OK, QUEUED, QUEUED, QUEUED, [b"PONG", OK, 2],
    ]  # fmt: skip
    assert c.execute("WATCH", "a") == OK
    local.move(SLOT, *reversed(ends))
    c.execute("UNWATCH")
    assert c.execute("WATCH", "a") == OK
    assert [c.execute(*line.split()) for line in ("MULTI", "SET a 5", "EXEC")] == [OK, QUEUED, [OK]]


def test_a_slot_that_moves_within_a_transaction(c: Cluster, local: LocalCluster, ends: tuple[Node, Node]) -> None:
    assert [c.execute(*line.split()) for line in ("MULTI", "SET a 1")] == [OK, QUEUED]
    local.move(SLOT, *ends)
    with pytest.raises(ReplyError, match=r"^EXECABORT .*none of it has run"):
        c.execute("EXEC")
    assert not c.in_multi
    assert c.execute("GET", "a") is None


@contextmanager
def meanwhile(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Do something again and again in a thread until the event; what goes wrong there is raised here."""
    stop, trouble = threading.Event(), list[BaseException]()

    def go() -> None:
        try:
            while not stop.is_set():
                work(stop)
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if trouble:
        raise trouble[0]


def test_slots_move_under_load(c: Cluster, local: LocalCluster, ends: tuple[Node, Node]) -> None:
    """Every command runs once, and a scan finds every key, while the keys' slots go to and fro, once a scan at most."""
    tags = (b"a", b"b", b"c")
    keys = [b"{%b}%d" % (tag, at) for tag in tags for at in range(60)]
    homes = {tag: (local.owner(slot_of(tag)), local.other(local.owner(slot_of(tag)))) for tag in tags}
    starts = {tag: way[0] for tag, way in homes.items()}
    moves = rounds = 0

    def to_and_fro(stop: threading.Event) -> None:
        nonlocal moves
        for tag, way in homes.items():
            local.move(slot_of(tag), *way)
            homes[tag] = way[1], way[0]
        moves += 1
        then = rounds
        until(lambda: rounds > then + 1 or stop.is_set(), "no scan comes to an end")

    try:
        with meanwhile(to_and_fro):
            while moves < 6:
                assert c.pipeline([[b"INCR", key] for key in keys]) == [rounds + 1] * len(keys)
                assert c.execute("MGET", *keys[:3], *keys[-3:]) == [b"%d" % (rounds + 1)] * 6
                rounds += 1
                assert set(sweep(c, "COUNT", "10")) == set(keys)
            assert c.execute("DBSIZE") >= len(keys)  # type: ignore[operator]
    finally:
        for tag, way in homes.items():
            if local.owner(slot_of(tag)) is not starts[tag]:
                local.move(slot_of(tag), *way)


def test_a_master_falls_in_the_middle_of_a_pipeline(local: LocalCluster) -> None:
    """Its replica takes over; each command is answered, or its fate is unknown, and none runs twice."""
    fallen = local.owner(SLOT)
    said: list[str] = []
    tags = {node: next(b"%d" % at for at in range(1000) if local.owner(slot_of(b"%d" % at)) is node)
            for node in local.masters}  # fmt: skip
    with open_backend(local.url) as c:  # type: ignore[attr-defined]
        c.nodes.warn = said.append
        lists = [b"{%b}list" % tag for tag in tags.values()]
        batch = [[b"RPUSH", lists[at % 3], b"%d" % at] for at in range(60_000)]
        mine = b"{%b}list" % tags[fallen]

        def fell() -> None:
            until(lambda: fallen.call("LLEN", mine) > 1000, "nothing arrives")
            fallen.stop()

        thread = threading.Thread(target=fell)
        thread.start()
        replies: list[Any] = c.pipeline(batch)
        thread.join()
        unknown = [at for at, reply in enumerate(replies) if isinstance(reply, FateUnknown)]
        assert len(replies) == len(batch)
        assert [reply for reply in replies if not isinstance(reply, int | FateUnknown)] == []
        assert {lists[at % 3] for at in unknown} <= {mine}
        assert unknown == list(range(unknown[0], unknown[-1] + 1, 3)) if unknown else True
        for name in lists:
            held: Any = c.execute("LRANGE", name, 0, -1)
            assert len(held) == len(set(held))
            if name != mine:
                assert len(held) == 20_000
            else:
                after = range(max(unknown) + 3 if unknown else lists.index(mine), 60_000, 3)
                assert {b"%d" % at for at in after} <= set(held)
    assert len(said) <= 1
    local.heal(fallen)


def test_a_node_that_stays_away(local: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be sent is told as not run: replies up to there, and an error that names the node."""
    monkeypatch.setattr(dispatch, "PATIENCE", 0.0)
    owner = local.owner(SLOT)
    with open_backend(local.url) as c:  # type: ignore[attr-defined]
        owner.stop()
        try:
            refused = rf"^cannot connect to 127\.0\.0\.1:{owner.port}: connection refused$"
            with pytest.raises(ConnectError, match=refused):
                c.execute("GET", "a")
            with pytest.raises(ConnectError, match=refused) as caught:
                c.pipeline([[b"SET", b"b", b"1"], [b"SET", b"a", b"1"], [b"SET", b"c", b"1"]])
            assert caught.value.replies == (OK,)  # type: ignore[attr-defined]
            assert c.execute("MGET", "b", "{b}2") == [b"1", None]
        finally:
            local.heal(owner)
