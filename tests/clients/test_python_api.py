"""The Python API: threads, several clients of one store, other programs on its socket, processes that fork."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import redtool
from redtool import errors
from redtool.backends.embedded import Embedded
from redtool.docgen import ROOT
from tests.clients.redispy import LIMIT, until


@pytest.fixture(params=["memory", "store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Embedded]:
    with redtool.open(":memory:" if request.param == "memory" else tmp_path / "store") as opened:
        assert isinstance(opened, Embedded)
        yield opened


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    """What each gives, all at once."""
    results: list[Any] = [None] * len(works)

    def run(at: int) -> None:
        results[at] = works[at]()

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    return results


def test_threads_share_a_store(store: Embedded) -> None:
    def count() -> None:
        for _ in range(500):
            store.execute("INCR", "n")

    in_threads(*[count] * 4)
    assert store.execute("GET", "n") == b"2000"


def test_a_thread_that_waits_holds_up_no_other(store: Embedded) -> None:
    def push() -> int:
        until(lambda: b"blocked_clients:1" in store.execute("INFO", "clients"))
        return store.execute("RPUSH", "jobs", "one")

    popped, length = in_threads(lambda: store.execute("BLPOP", "jobs", 0), push)
    assert (popped, length) == ([b"jobs", b"one"], 1)


def test_a_pipeline_takes_the_words_that_a_command_takes(store: Embedded) -> None:
    batch = [("SET", "n", 1), (b"INCRBYFLOAT", "n", 0.5), ("LPUSH", "n", "ü"), ["GET", bytearray(b"n")]]
    replies = store.pipeline(batch)
    assert replies[:2] == [b"OK", b"1.5"]
    assert isinstance(replies[2], errors.ReplyError)
    assert replies[3] == b"1.5"
    for wrong in ([("SET", "k", None)], [("PING",), ()]):
        with pytest.raises(errors.UsageError):
            store.pipeline(wrong)
    assert store.execute("DBSIZE") == 1


def test_a_reply_may_be_stored(store: Embedded) -> None:
    """It is a string of a kind of its own, and must not stay one."""
    store.execute("SET", "k", store.execute("PING"))
    store.pipeline([("APPEND", "k", "!"), ("HSET", "h", "f", store.execute("PING"))])
    assert store.execute("GET", "k") == b"PONG!"
    assert type(store.execute("HGET", "h", "f")) is bytes


def test_clients_have_states_of_their_own(store: Embedded) -> None:
    other = store.client()
    other.execute("SELECT", 1)
    other.execute("WATCH", "k")
    store.execute("SET", "k", "here")
    other.execute("MULTI")
    assert (other.in_multi, store.in_multi, other.db, store.db) == (True, False, 1, 0)
    assert other.execute("GET", "k") == b"QUEUED"
    assert other.execute("EXEC") == [None]
    assert len(store.execute("CLIENT", "LIST").splitlines()) >= 2
    other.execute("SUBSCRIBE", "news")
    assert store.execute("PUBLISH", "news", "rain") == 1
    assert [message[-1] for message in other.arrived()][-1] == b"rain"
    other.close()
    assert store.execute("PUBLISH", "news", "rain") == 0
    with pytest.raises(errors.StoreError, match="closed"):
        other.execute("PING")
    assert store.execute("PING") == b"PONG"


def test_transactions_of_clients_do_not_mix(store: Embedded) -> None:
    def work() -> None:
        client = store.client()
        for _ in range(50):
            client.execute("MULTI")
            client.execute("RPUSH", "l", 1)
            client.execute("RPUSH", "l", 2)
            client.execute("EXEC")
        client.close()

    in_threads(*[work] * 4)
    assert store.execute("LRANGE", "l", 0, -1) == [b"1", b"2"] * 200


def test_closing_the_store_closes_its_clients(store: Embedded) -> None:
    other = store.client()

    def wait() -> str:
        with pytest.raises(errors.StoreError) as error:
            other.execute("BLPOP", "l", 0)
        return str(error.value)

    def close() -> None:
        until(lambda: b"blocked_clients:1" in store.execute("INFO", "clients"))
        store.close()

    assert "closed" in in_threads(wait, close)[0]
    for client in (store, other):
        with pytest.raises(errors.StoreError, match="closed"):
            client.execute("PING")


def test_any_client_finds_the_store_at_its_socket(tmp_path: Path) -> None:
    with redtool.open(tmp_path / "store") as store:
        with redis.Redis(unix_socket_path=store.socket) as client:
            client.rpush("jobs", "one")
            assert store.execute("LPOP", "jobs") == b"one"
        done = subprocess.run([sys.executable, "-m", "redtool", "--store", tmp_path / "store", "INCR", "n"],
                              capture_output=True, check=True, timeout=LIMIT)  # fmt: skip
        assert done.stdout == b"1\n"
        assert store.execute("GET", "n") == b"1"


@pytest.mark.parametrize("kind", ["owner", "attached", "server"])
def test_who_stops_listening_leaves_the_rest_to_the_next(kind: str, tmp_path: Path) -> None:
    with redtool.open(tmp_path / "store") as owner:
        others = {"attached": lambda: redtool.open(tmp_path / "store"),
                  "server": lambda: redtool.connect(f"unix://{owner.socket}")}  # fmt: skip
        listener: Any = others[kind]() if kind in others else owner.client()
        listener.execute("SUBSCRIBE", "news")
        for text in ("a", "b", "c"):
            assert owner.execute("PUBLISH", "news", text) == 1
        heard: list[bytes] = []
        while len(heard) < 3:
            message = next(listener.messages())
            if message[0] == b"message":
                heard.append(message[2])
        assert heard == [b"a", b"b", b"c"]
        listener.close()


def test_redis_py_goes_through_the_owner_of_a_store_and_then_owns_it(tmp_path: Path) -> None:
    place = tmp_path / "store"
    with redtool.open(place) as store:
        client = redtool.redis(place)
        client.set("k", "v")
        assert store.execute("GET", "k") == b"v"
        assert client.client_info()["addr"] != "embedded:0"
    assert client.get("k") == b"v"  # a connection that has ended is not used again
    assert client.client_info()["addr"] == "embedded:0"
    client.close()


def test_a_child_that_is_forked_leaves_the_store_to_its_parent(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.clients.forking", str(tmp_path / "store")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT, cwd=ROOT)
    assert done.stderr == ""
    closed = "the store is closed"
    assert done.stdout.splitlines() == [closed, closed, "2", "3", "4", "5", "b'5'", "Embedded", "b'800'"]


def test_what_comes_before_a_command_has_begun_to_wait_is_served(store: Embedded) -> None:
    """Between the look at the list and the wait no lock is held: another thread, or process, may push then."""
    other, share = store.client(), store.share

    def push() -> None:
        other.execute("RPUSH", "jobs", "one")
        share()

    store.share = push  # type: ignore[method-assign]  # it is called in between
    assert in_threads(lambda: store.execute("BLPOP", "jobs", 0)) == [[b"jobs", b"one"]]
    assert store.execute("EXISTS", "jobs") == 0
