"""Real sentinels: the master is found by its name, and found again after a failover."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from redtool.backends import dispatch, open_backend
from redtool.backends.sentinel import Sentinel
from redtool.errors import ConnectError, FateUnknown, UsageError
from redtool.resp import OK, QUEUED
from tests.clusters import until
from tests.sentinels import Trio, sentinels


def test_the_master_is_found(m: Sentinel, trio: Trio) -> None:
    assert m.name == f"mymaster {trio.master.address}"
    assert m.execute("SET", "k", 1) == OK
    assert m.pipeline([[b"INCR", b"k"], [b"MULTI"], [b"INCR", b"k"], [b"EXEC"], [b"GET", b"k"]]) == [
        2, OK, QUEUED, [3], b"3",
    ]  # fmt: skip
    assert trio.master.call("GET", "k") == b"3"
    assert m.commands()[b"GET"].line == "GET key"
    assert m.execute("SUBSCRIBE", "x") == [[b"subscribe", b"x", 1]]
    trio.master.call("PUBLISH", "x", "hello")
    assert next(m.messages()) == [b"message", b"x", b"hello"]


WRONG = [
    ("redis+sentinel://127.0.0.1:1/mymaster", ConnectError, r"^cannot connect to 127\.0\.0\.1:1: connection refused$"),
    ("redis+sentinel://127.0.0.1:1,127.0.0.1:2/m", ConnectError, r"^no sentinel can be asked: cannot .*:1: .*; .*:2: "),
    ("redis+sentinel://127.0.0.1:1", UsageError, "name of the master is missing"),
]


@pytest.mark.parametrize(("url", "kind", "text"), WRONG)
def test_what_cannot_be_found(url: str, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        open_backend(url)


def test_a_name_that_no_sentinel_knows(trio: Trio) -> None:
    with pytest.raises(ConnectError, match="it knows no master called 'other'"):
        open_backend(trio.url.replace("mymaster", "other"))
    gone = trio.url.replace("redis+sentinel://", "redis+sentinel://127.0.0.1:1,")
    with open_backend(f"{gone}/2") as m:  # type: ignore[attr-defined]
        assert m.db == 2


def test_the_next_master_is_followed(m: Sentinel, trio: Trio) -> None:
    """The old one lives on as a replica; a selected database and the user are kept."""
    m.execute("SELECT", 3)
    m.execute("SET", "k", "old")
    until(lambda: all(b"db3" in node.call("INFO", "keyspace") for node in trio.nodes), "replicas do not follow")
    new = trio.fail_over()
    until(lambda: m.execute("ROLE")[0] == b"master" and m.name.endswith(new.address), "no news")  # type: ignore[index]
    assert (m.db, m.execute("GET", "k")) == (3, b"old")
    assert m.execute("SET", "k", "new") == OK
    assert new.call("SELECT", 3) == OK and new.call("GET", "k") == b"new" and new.call("SELECT", 0) == OK


def test_masters_fall_in_the_middle_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction is lost and told to be; a pipeline goes on with the next master; then nobody takes over."""
    said: list[str] = []
    with (
        sentinels("valkey") as trio,
        open_backend(trio.url) as m,  # type: ignore[attr-defined]
        open_backend(trio.url) as other,  # type: ignore[attr-defined]
    ):
        m.warn = said.append
        old = trio.master
        assert [other.execute(*line.split()) for line in ("MULTI", "SET a 1")] == [OK, QUEUED]

        def fall() -> None:
            until(lambda: old.call("LLEN", "l") > 1000, "nothing arrives")
            old.stop()

        thread = threading.Thread(target=fall)
        thread.start()
        replies: list[Any] = []
        while thread.is_alive():
            replies += m.pipeline([[b"RPUSH", b"l", b"%d" % at] for at in range(len(replies), len(replies) + 20_000)])
        replies += m.pipeline([[b"RPUSH", b"l", b"%d" % len(replies)]])
        thread.join()
        assert [reply for reply in replies if not isinstance(reply, int | FateUnknown)] == []
        held: Any = m.execute("LRANGE", "l", 0, -1)
        unknown = [at for at, reply in enumerate(replies) if isinstance(reply, FateUnknown)]
        assert len(held) == len(set(held))
        assert {b"%d" % at for at in range(max(unknown, default=0) + 1, len(replies))} <= set(held)
        assert len(said) == 1 and said[0].endswith("waiting up to 30 s for another master")
        with pytest.raises(ConnectError, match="the transaction is gone, none of it has run"):
            other.execute("EXEC")
        assert not other.in_multi
        assert other.execute("EXISTS", "a") == 0
        monkeypatch.setattr(dispatch, "PATIENCE", 0.0)
        new = trio.master
        new.stop()
        with pytest.raises(ConnectError, match=f"cannot connect to {new.address}: connection refused"):
            m.execute("SET", "a", 1)


def test_passwords_of_a_sentinel_and_of_the_master(trio: Trio) -> None:
    watcher, nodes = trio.watchers[0], trio.nodes
    seed = f"127.0.0.1:{watcher.port}"
    for each in trio.watchers:
        each.call("SENTINEL", "SET", "mymaster", "auth-pass", "secret")
    for node in nodes:
        node.call("CONFIG", "SET", "masterauth", "secret", "requirepass", "secret")
    watcher.call("ACL", "SETUSER", "default", "resetpass", ">watch")
    watcher.password = "watch"
    try:
        with open_backend(f"redis+sentinel://:secret@{seed}/mymaster?sentinel_password=watch") as m:  # type: ignore[attr-defined]
            assert m.execute("SET", "k", 1) == OK
        with pytest.raises(ConnectError, match=rf"^127\.0\.0\.1:{watcher.port}: NOAUTH "):
            open_backend(f"redis+sentinel://:secret@{seed}/mymaster")
        with pytest.raises(ConnectError, match="WRONGPASS"):
            open_backend(f"redis+sentinel://:wrong@{seed}/mymaster?sentinel_password=watch")
    finally:
        watcher.call("ACL", "SETUSER", "default", "nopass")
        watcher.password = ""
        for node in nodes:
            node.call("CONFIG", "SET", "requirepass", "", "masterauth", "")
