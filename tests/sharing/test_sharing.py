"""Several processes use one store at a time: whoever comes first has it, the others go through that one."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

import redtool
from redtool.backends.attached import Attached
from redtool.backends.embedded import Embedded, open_store
from redtool.errors import ConnectError, ReplyError, StoreLocked
from redtool.saving import LOCK_FILE
from redtool.server.place import SOCKET, socket_of
from tests.sharing.crowd import kills, shells
from tests.sharing.processes import Process, run, until


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def owned(store: Path) -> Process:
    """A process that is the owner of the store."""
    process = Process(store)
    assert process.ask("PING") == "PONG"
    return process


def attached(store: Path) -> Attached:
    """Open a store that somebody has open."""
    found = open_store(store)
    assert isinstance(found, Attached)
    return found


def test_a_blocked_pop_is_answered_by_another_process(store: Path) -> None:
    with Process(store, "BLPOP", "q", "0") as waiting:
        until(lambda: socket_of(str(store)), "listened")
        assert run(store, "RPUSH", "q", "job") == "1\n"
        assert waiting.end() == (0, "q\njob\n", "")
    assert sorted(os.listdir(store)) == ["appendonlydir", "lock"]


def test_a_pop_that_waits_is_served_by_a_pop_that_waits_before(store: Path) -> None:
    """The one attached to the other, in the order in which they came."""
    with Process(store, "BLPOP", "q", "0") as first:
        until(lambda: socket_of(str(store)), "listened")
        with Process(store, "BLPOP", "q", "0") as second:
            until(lambda: "blocked_clients:2" in run(store, "INFO", "clients"), "waited")
            assert run(store, "RPUSH", "q", "a", "b") == "2\n"
            assert first.end()[:2] == (0, "q\na\n")
            assert second.end()[:2] == (0, "q\nb\n")


def test_the_next_goes_on_when_the_owner_closes(store: Path) -> None:
    with owned(store) as owner, Process(store) as next_one:
        assert owner.ask("SET a 1") == "OK"
        assert next_one.ask("SELECT 3") == "OK"
        assert next_one.ask("INCR n") == "1"
        assert owner.ask("SELECT 3") == "OK"
        assert owner.ask("INCR n") == "2"
        assert owner.end()[0] == 0
        assert next_one.ask("INCR n") == "3"  # in the database that it had selected
        assert run(store, "-n", "3", "INCR", "n") == "4\n"
        assert next_one.end() == (0, "", "")
    assert run(store, "-n", "3", "GET", "n") == "4\n"
    assert run(store, "GET", "a") == "1\n"


def test_the_next_goes_on_when_the_owner_is_killed(store: Path) -> None:
    with owned(store) as owner, Process(store) as next_one:
        assert owner.ask("SET a 1") == "OK"
        assert next_one.ask("SET b 2") == "OK"
        owner.kill()
        assert next_one.ask("MGET a b") == "1"
        assert next_one.line() == "2"
        assert next_one.end()[0] == 0
    assert run(store, "DBSIZE") == "2\n"
    assert sorted(os.listdir(store)) == ["appendonlydir", "lock"]


def test_a_pop_goes_on_waiting_when_the_owner_is_killed(store: Path) -> None:
    with Process(store) as owner:
        assert owner.ask("SET a 1") == "OK"
        with Process(store, "BLPOP", "q", "0") as waiting:
            until(lambda: "blocked_clients:1" in run(store, "INFO", "clients"), "waited")
            owner.kill()
            assert run(store, "RPUSH", "q", "job") == "1\n"
            assert waiting.end() == (0, "q\njob\n", "")


def test_a_subscription_outlives_the_owner(store: Path) -> None:
    with Process(store) as owner:
        assert owner.ask("PING") == "PONG"
        with Process(store, "SUBSCRIBE", "news") as reader:
            assert [reader.line() for _ in range(3)] == ["subscribe", "news", "1"]
            assert run(store, "PUBLISH", "news", "one") == "1\n"
            assert [reader.line() for _ in range(3)] == ["message", "news", "one"]
            owner.end()
            until(lambda: run(store, "PUBLISH", "news", "two") == "1\n", "subscribed again")
            assert [reader.line() for _ in range(3)] == ["message", "news", "two"]


def test_a_transaction_does_not_outlive_the_owner(store: Path) -> None:
    with owned(store) as owner, Process(store) as other:
        assert other.ask("MULTI") == "OK"
        assert other.ask("INCR n") == "QUEUED"
        owner.end()
        other.tell("EXEC")
        code, _, error = other.end()
    assert code == 3
    assert "the transaction is gone, none of it has run" in error
    assert run(store, "EXISTS", "n") == "0\n"


def test_a_killed_owner_leaves_nothing_in_the_way(store: Path) -> None:
    with Process(store) as owner:
        assert owner.ask("SET a 1") == "OK"
        owner.kill()
    assert (store / SOCKET).exists()
    assert run(store, "GET", "a") == "1\n"
    assert not (store / SOCKET).exists()


def test_a_store_with_a_long_path(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-directory-with-quite-a-long-name"] * 5)
    with Process(deep) as owner:
        assert owner.ask("SET a 1") == "OK"
        assert (deep / SOCKET).is_symlink()
        assert run(deep, "INCR", "a") == "2\n"
        assert owner.ask("GET a") == "2"
        path = socket_of(str(deep))
        owner.end()
    assert not os.path.exists(path)
    assert not (deep / SOCKET).is_symlink()


def test_who_serves_nobody_is_named(store: Path) -> None:
    with redtool.open(store) as owner:
        assert isinstance(owner, Embedded)
        owner.execute("SET", "a", "1")
        os.unlink(owner.socket)
        with pytest.raises(StoreLocked, match=f"in use by process {os.getpid()}"):
            open_store(store, wait=0.05)


def test_a_file_that_somebody_else_put_there_is_left(store: Path) -> None:
    with redtool.open(store) as owner:
        assert isinstance(owner, Embedded)
        os.rename(owner.socket, str(store / "moved"))
        (store / SOCKET).write_text("mine")
    assert (store / SOCKET).read_text() == "mine"


def test_threads_and_attached_ones_at_once(store: Path) -> None:
    """The owner's threads and a client a process apart count to the same number."""
    with redtool.open(store) as owner, Process(store) as other:

        def count() -> None:
            for _ in range(500):
                owner.execute("INCR", "n")

        threads = [threading.Thread(target=count) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(200):
            other.tell("INCR n")
        for thread in threads:
            thread.join()
        assert other.end()[0] == 0
        assert owner.execute("GET", "n") == b"1700"


def test_a_slow_script_of_the_owner_lets_others_in(store: Path) -> None:
    with redtool.open(store) as owner:
        owner.execute("CONFIG", "SET", "busy-reply-threshold", "20")
        failures: list[ReplyError] = []

        def forever() -> None:
            try:
                owner.execute("EVAL", "while true do end", 0)
            except ReplyError as error:
                failures.append(error)

        thread = threading.Thread(target=forever)
        thread.start()
        with attached(store) as other:

            def refused() -> bool:
                try:
                    other.execute("GET", "a")
                except ReplyError as error:
                    return error.code == "BUSY"
                return False

            until(refused, "busy")
            assert other.execute("SCRIPT", "KILL") == b"OK"
        thread.join()
        assert "Script killed by user" in failures[0].message


def test_an_owner_that_is_told_to_shut_down_obeys(store: Path) -> None:
    with Process(store, "serve", "--port", "0") as server:
        until(lambda: socket_of(str(store)), "listened")
        with attached(store) as other:
            assert other.execute("SET", "k", "v") == b"OK"
            assert other.execute("SHUTDOWN") == b"OK"
            assert server.end()[0] == 0
            assert other.execute("GET", "k") == b"v"


def test_a_slow_script_of_another_lets_the_owner_in(store: Path) -> None:
    with redtool.open(store) as owner:
        owner.execute("CONFIG", "SET", "busy-reply-threshold", "20")
        with Process(store) as other:
            other.tell("EVAL 'while true do end' 0")

            def refused() -> bool:
                try:
                    owner.execute("GET", "a")
                except ReplyError as error:
                    return error.code == "BUSY"
                return False

            until(refused, "busy")
            assert owner.execute("SCRIPT", "KILL") == b"OK"
            code, _, error = other.end()
            assert code == 1
            assert "Script killed by user" in error


def test_a_pipeline_is_run_once_though_the_owner_closes_in_its_midst(store: Path) -> None:
    """What the owner has not run is run by the next: each command exactly once."""
    owner = redtool.open(store)
    assert isinstance(owner, Embedded)
    other = attached(store)
    owner.execute("PING")
    closing = threading.Thread(target=owner.close)
    batch = [(b"INCR", b"n")] * 20000
    closing.start()
    replies: list[object] = []
    while len(replies) < len(batch):
        replies += other.pipeline(batch[len(replies) :])
    closing.join()
    assert replies == list(range(1, 20001))
    other.close()
    assert run(store, "GET", "n") == "20000\n"


def test_a_write_of_unknown_fate_is_told_and_not_repeated(tmp_path: Path) -> None:
    """An owner that dies without a word, as after kill -9, with a command in its hands."""
    store = tmp_path
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(store / SOCKET))
    listener.listen()

    def owner() -> None:
        taken, _ = listener.accept()
        with taken:
            taken.recv(1000)
            taken.sendall(b"+OK\r\n")
            taken.recv(1000)
        listener.close()

    thread = threading.Thread(target=owner)
    thread.start()
    with (store / "lock").open("w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)
        other = attached(store)
    with pytest.raises(ConnectError, match="INCR: it may or may not have run"):
        other.execute("INCR", "n")
    thread.join()
    assert other.execute("INCR", "n") == 1
    assert other.owned is not None
    other.close()


def test_a_crowd_of_which_some_are_killed(store: Path) -> None:
    assert kills(store, 6, 3, Random(3))["acknowledged"] > 0


def test_several_shells_count_to_the_same_number(store: Path) -> None:
    assert shells(store, 4, 8) == 32


def test_an_owner_ends_though_a_script_of_another_does_not(store: Path) -> None:
    with owned(store) as owner, attached(store) as guest, attached(store) as witness:
        witness.execute("CONFIG", "SET", "busy-reply-threshold", 20)
        with ThreadPoolExecutor(1) as pool:
            script = pool.submit(guest.execute, "EVAL", "while true do end", 0)
            until(lambda: busy(witness), "busy")
            assert owner.end()[0] == 0
            with pytest.raises(ReplyError, match="Script killed: the store is being closed"):
                script.result()


def busy(client: Attached) -> bool:
    try:
        return client.execute("PING") != b"PONG"
    except ReplyError as error:
        return error.code == "BUSY"


@pytest.mark.parametrize("real", ["short", "long"])
@pytest.mark.parametrize("owner", ["short", "long"])
def test_a_store_with_a_long_path_and_a_short_one(tmp_path: Path, real: str, owner: str) -> None:
    names = {"short": tmp_path / "s", "long": tmp_path.joinpath(*["a-directory-with-quite-a-long-name"] * 5)}
    other = names["long" if real == "short" else "short"]
    names[real].mkdir(parents=True)
    other.parent.mkdir(parents=True, exist_ok=True)
    other.symlink_to(names[real])
    guest = names["long" if owner == "short" else "short"]
    with open_store(names[owner]) as first, open_store(guest, wait=0) as second:
        first.execute("SET", "a", 1)
        assert isinstance(second, Attached)
        assert second.execute("GET", "a") == b"1"


def test_who_deletes_the_lock_of_an_owner_does_not_make_two(store: Path) -> None:
    with owned(store) as owner:
        owner.ask("SET a 1")
        (store / LOCK_FILE).unlink()
        with attached(store) as guest:
            assert guest.execute("INCR", "a") == 2
        (store / SOCKET).unlink()
        with pytest.raises(StoreLocked, match=f"in use by process {owner.process.pid}$"):
            open_store(store, wait=0)
        assert owner.end()[0] == 0
    with open_store(store) as later:
        assert later.execute("GET", "a") == b"2"


def test_a_user_stays_who_he_is(store: Path) -> None:
    """With the next owner, and as the owner: else whoever is restricted would be so no more."""
    owner = redtool.open(store)
    owner.execute("ACL", "SETUSER", "ada", "on", ">pw", "~own:*", "+@all")
    other, third = attached(store), attached(store)
    for client in (other, third):
        assert client.execute("AUTH", "ada", "pw") == b"OK"
    owner.close()
    for client in (other, third):  # the first becomes the owner, the second attaches to it
        assert client.execute("ACL", "WHOAMI") == b"ada"
        with pytest.raises(ReplyError, match="NOPERM"):
            client.execute("SET", "foreign", "1")
        assert client.execute("SET", "own:1", "1") == b"OK"
    assert other.owned is not None
    assert third.owned is None
    third.close()
    other.close()
