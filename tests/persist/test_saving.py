"""Saves and rewrites in the background: when they begin, what stands in their way, what INFO tells of them."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import redtool
from redtool import child, errors, slices
from redtool.backends.embedded import Embedded, open_store
from redtool.engine.frozen import own
from redtool.persist import payload
from redtool.persistence import Persistence
from redtool.saving import REWRITE, SAVE
from tests import embedded
from tests.persist import frozen
from tests.persist.datasets import Collected
from tests.servers import running

MISCONF = (
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that "
    "may modify the data set are disabled, because this instance is configured to report errors during writes if RDB "
    "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
    "error."
)
STARTED, SCHEDULED = b"Background saving started", b"Background saving scheduled"


class Files:
    """A store whose clock is the test's, with one client."""

    def __init__(self, home: Path, fork: bool) -> None:
        self.home = home
        self.files = Persistence.open(str(home), fork=fork)
        self.store = self.files.store
        self.client = embedded.Client(self.store)
        self.store.time_ns = self.client.time_ns
        self.call = self.client.call

    def later(self, seconds: float) -> None:
        """Let time pass, and see what is due."""
        self.client.advance(int(seconds * 1000))
        self.store.tick()

    def info(self, section: str = "persistence") -> dict[str, str]:
        text = self.call("INFO", section).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Nothing can take the place of dump.rdb meanwhile."""
        dump = self.home / "dump.rdb"
        if dump.exists():
            dump.unlink()
        dump.mkdir()
        yield
        dump.rmdir()


@pytest.fixture(params=[True, False], ids=["child", "slices"])
def f(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Files]:
    opened = Files(tmp_path / "store", request.param)
    yield opened
    opened.files.close()


def keys(path: Path) -> list[bytes]:
    from redtool.persist import rdb

    found = Collected()
    rdb.load(path.read_bytes(), found)
    return sorted(key for data, _ in found.databases.values() for key in data)


# -- snapshots in slices


@pytest.mark.parametrize("task", [SAVE, REWRITE])
@pytest.mark.parametrize("cold", [False, True], ids=["in memory", "cold"])
def test_a_snapshot_in_slices_is_the_data_of_its_moment(task: str, cold: bool) -> None:
    assert sum(frozen.check(number, 5, task, cold) for number in range(4)) > 20


def test_a_snapshot_in_slices_goes_on_though_nobody_calls(tmp_path: Path) -> None:
    with redtool.open(tmp_path) as store:
        store.pipeline([(b"SET", b"%d" % n, b"x") for n in range(5000)])
        assert store.execute("BGSAVE") == STARTED
        for thread in threading.enumerate():
            if thread.name == "redtool-slices":
                thread.join(30)
        assert (tmp_path / "dump.rdb").exists()


def test_many_threads_write_while_a_snapshot_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "PARTS", 1)
    monkeypatch.setattr(slices, "SLICE", 0.0)
    with redtool.open(tmp_path) as store:
        store.pipeline([(b"RPUSH", b"k%d" % n, b"x") for n in range(300)])

        def write(number: int) -> None:
            for n in range(300):
                store.execute("RPUSH", f"k{n}", number)
                store.execute("SET", f"new{number}:{n}", 1)

        writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in writers[:2]:
            thread.start()
        store.execute("BGREWRITEAOF")
        for thread in writers[2:]:
            thread.start()
        for thread in writers:
            thread.join()
        settle(store)
        assert store.persistence is not None
        assert store.persistence.last_rewrite_ok
        before = {key: store.execute("LRANGE", key, 0, -1) for key in (f"k{n}" for n in range(300))}
        assert {len(items) for items in before.values()} == {5}
    with redtool.open(tmp_path) as store:
        assert {key: store.execute("LRANGE", key, 0, -1) for key in before} == before
        assert store.execute("DBSIZE") == 300 + 4 * 300


def settle(store: Embedded) -> None:
    while store.persistence is not None and store.persistence.job is not None:
        store.tick()


def test_closing_ends_a_snapshot_in_slices_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Embedded, "_help", lambda self: None)
    with redtool.open(tmp_path) as store:
        store.pipeline([(b"SET", b"%d" % n, b"x") for n in range(5000)])
        store.execute("BGSAVE")
        store.execute("SET", "later", "x")
        assert not (tmp_path / "dump.rdb").exists()
    assert len(keys(tmp_path / "dump.rdb")) == 5000


# -- save points


def test_save_points(f: Files) -> None:
    f.call("CONFIG", "SET", "save", "60 2 10 5")
    f.call("SET", "a", 1)
    f.later(61)
    assert (f.files.task, f.info()["rdb_changes_since_last_save"]) == ("", "1")
    f.call("SET", "b", 1)
    f.later(0.1)
    assert f.info()["rdb_bgsave_in_progress"] in "01"
    f.call("SET", "during", 1)
    f.files.poll(block=True)
    assert keys(f.home / "dump.rdb") == [b"a", b"b"]
    assert f.info()["rdb_changes_since_last_save"] == "1"
    f.call("MSET", *"pqrstuvw")
    f.later(9)
    assert f.files.task == ""
    f.later(3)
    assert f.files.task == SAVE
    f.files.poll(block=True)
    assert f.info()["rdb_changes_since_last_save"] == "0"
    f.later(1000)
    assert f.files.task == ""


def test_a_failed_save_stops_writes_and_is_tried_again(f: Files) -> None:
    f.call("CONFIG", "SET", "save", "60 1")
    f.call("SET", "a", 1)
    with f.broken():
        f.later(61)
        f.files.poll(block=True)
        assert f.info()["rdb_last_bgsave_status"] == "err"
        assert f.info()["rdb_changes_since_last_save"] == "1"
        for words in ("SET a 2", "PING", "PING x", "FLUSHALL", "EVAL return(redis.call('SET','a','2')) 0"):
            assert str(f.call(*words.split())).startswith(MISCONF), words
        assert f.call("EVAL", "#!lua\nreturn 1", 0).message == MISCONF
        assert f.call("EVAL", "#!lua flags=no-writes\nreturn 1", 0) == 1
        assert f.call("GET", "a") == b"1"
        f.later(5)
        assert f.files.saves == 1
    f.later(1)
    f.files.poll(block=True)
    assert (f.files.saves, f.info()["rdb_last_bgsave_status"]) == (2, "ok")
    assert f.call("SET", "a", 2) == b"OK"
    assert f.call("PING") == b"PONG"


def test_an_exec_of_writes_is_refused_when_a_save_failed_after_they_were_queued(f: Files) -> None:
    f.call("CONFIG", "SET", "save", "60 1")
    with f.broken():
        f.call("MULTI")
        f.call("SET", "a", 1)
        other = embedded.Client(f.store)
        other.call("BGSAVE")
        f.files.poll(block=True)
        assert f.call("EXEC").message == f"EXECABORT Transaction discarded because of: {MISCONF}"
        f.call("MULTI")
        f.call("GET", "a")
        assert f.call("EXEC") == [None]


@pytest.mark.parametrize("words", [("save", ""), ("stop-writes-on-bgsave-error", "no")])
def test_writes_are_taken_again_when_the_configuration_says_so(f: Files, words: tuple[str, str]) -> None:
    f.call("CONFIG", "SET", "save", "60 1")
    with f.broken():
        f.call("BGSAVE")
        f.files.poll(block=True)
        assert f.call("SET", "a", 1).message == MISCONF
        before = f.call("CONFIG", "GET", words[0])[1]
        f.call("CONFIG", "SET", *words)
        assert f.call("SET", "a", 1) == b"OK"
        f.call("CONFIG", "SET", words[0], before)
        assert f.call("SET", "a", 1).message == MISCONF
        assert f.call("SAVE").code == "ERR"
    assert f.call("SAVE") == b"OK"
    assert f.call("SET", "a", 1) == b"OK"


def test_without_save_points_a_failed_save_stops_nothing(f: Files) -> None:
    with f.broken():
        f.call("BGSAVE")
        f.files.poll(block=True)
        assert f.info()["rdb_last_bgsave_status"] == "err"
        assert f.call("SET", "a", 1) == b"OK"


@pytest.mark.parametrize("server", ["redis7", "valkey"])
def test_the_same_is_refused_as_by_servers(server: str, tmp_path: Path) -> None:
    f = Files(tmp_path / "store", True)
    with running(server, "--save", "3600 1", "--dir", str(tmp_path)) as real:
        lines = [("SET", "a", 1), ("SAVE",), ("BGSAVE",), None, ("SET", "a", 2), ("PING",), ("GET", "a"), ("MULTI",),
                 ("SET", "a", 3), ("EXEC",), ("PUBLISH", "c", "m"), ("FLUSHALL",), ("CONFIG", "SET", "save", ""),
                 ("SET", "a", 4), ("CONFIG", "SET", "save", "3600 1"), ("SET", "a", 5), ("MULTI",), ("BGSAVE",),
                 ("BGREWRITEAOF",), ("BGSAVE",), ("EXEC",), ("BGSAVE", "x")]  # fmt: skip
        f.call("CONFIG", "SET", "save", "3600 1")
        real.call("PING")  # it listens before it has loaded what is there: nothing
        (tmp_path / "dump.rdb").mkdir()
        with f.broken(), real.client() as client:
            for line in lines:
                if line is None:
                    f.files.poll(block=True)
                    while b"rdb_bgsave_in_progress:1" in client.call("INFO", "persistence"):
                        continue
                    continue
                ours, theirs = f.call(*line), client.call(*line)
                assert texts(ours) == texts(theirs), line
        (tmp_path / "dump.rdb").rmdir()
    f.files.save_scheduled = f.files.rewrite_scheduled = False
    f.files.close()


def texts(reply: Any) -> Any:
    """A reply with the name of the product left out, and the text of our own for a failed SAVE."""
    if isinstance(reply, list):
        return [texts(item) for item in reply]
    if isinstance(reply, Exception):
        return str(reply).replace("Valkey", "Redis").partition("cannot write")[0].strip()
    return reply


# -- one job at a time


def test_what_cannot_start_is_scheduled(f: Files) -> None:
    f.call("SET", "a", 1)
    assert f.call("BGREWRITEAOF") == b"Background append only file rewriting started"
    assert f.files.task == REWRITE
    refused = "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to "
    with held(f):
        assert f.call("BGREWRITEAOF").message == "ERR Background append only file rewriting already in progress"
        assert f.call("BGSAVE").message.startswith(refused)
        assert f.call("BGSAVE", "SCHEDULE") == SCHEDULED
    f.files.poll(block=True)
    f.later(0.1)
    assert f.files.task == SAVE
    with held(f):
        assert f.call("BGSAVE", "SCHEDULE").message == "ERR Background save already in progress"
        assert f.call("SAVE").message == "ERR Background save already in progress"
        assert f.call("BGREWRITEAOF") == b"Background append only file rewriting scheduled"
        assert f.info()["aof_rewrite_scheduled"] == "1"
    f.files.poll(block=True)
    f.later(0.1)
    assert f.files.task == REWRITE
    assert f.info()["aof_rewrite_scheduled"] == "0"
    f.files.wait()
    assert (f.files.saves, f.files.rewrites, f.files.last_rewrite_ok) == (1, 2, True)


@contextmanager
def held(f: Files) -> Iterator[None]:
    """The job makes no progress meanwhile, and its end is not noticed."""
    assert f.files.job is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f.files, "poll", lambda block=False: None)
        yield


def test_closing_does_what_was_scheduled(f: Files, tmp_path: Path) -> None:
    for _ in range(50):
        f.call("SET", "a", "x" * 100)
    f.call("BGSAVE")
    with held(f):
        f.call("BGREWRITEAOF")
    f.files.close()
    assert sum(path.stat().st_size for path in (f.home / "appendonlydir").iterdir()) < 1000


def test_in_a_transaction_both_are_scheduled_and_see_all_of_it(f: Files) -> None:
    f.call("MULTI")
    for line in (("INCR", "a"), ("BGREWRITEAOF",), ("BGSAVE",), ("INCR", "a")):
        f.call(*line)
    assert f.call("EXEC") == [1, b"Background append only file rewriting scheduled", SCHEDULED, 2]
    f.files.wait()
    f.store.flush()
    without = shutil.ignore_patterns("redtool.sock")
    with redtool.open(shutil.copytree(f.home, f.home.parent / "copy", ignore=without)) as copy:
        assert copy.execute("GET", "a") == b"2"
    assert keys(f.home / "dump.rdb") == [b"a"]


def test_a_save_can_be_cancelled(f: Files) -> None:
    nothing = "ERR Background saving is currently not in progress or scheduled"
    assert f.call("BGSAVE", "CANCEL").message == nothing
    f.call("SET", "a", 1)
    f.call("BGSAVE")
    with held(f):
        assert f.call("BGSAVE", "CANCEL") == b"Background saving cancelled"
    assert f.info()["rdb_last_bgsave_status"] == "ok"
    f.files.save_scheduled = True
    assert f.call("BGSAVE", "CANCEL") == b"Scheduled background saving cancelled"
    f.later(1)
    assert f.files.task == ""
    assert not [name for name in os.listdir(f.home) if name.startswith("temp")]


def test_flushall_ends_a_save_and_with_save_points_saves_that_nothing_is_left(f: Files) -> None:
    f.call("SET", "a", 1)
    f.call("BGSAVE")
    with held(f):
        f.call("FLUSHALL")
    assert f.files.task == ""
    assert not (f.home / "dump.rdb").exists()
    f.call("CONFIG", "SET", "save", "3600 1")
    f.call("SET", "a", 1)
    f.call("FLUSHALL")
    assert keys(f.home / "dump.rdb") == []
    assert f.info()["rdb_changes_since_last_save"] == "0"


def test_a_replayed_flushall_saves_nothing(tmp_path: Path) -> None:
    with redtool.open(tmp_path) as store:
        store.execute("FLUSHALL")
        store.execute("CONFIG", "SET", "save", "3600 1")
    with redtool.open(tmp_path) as store:
        assert store.store.config["save"]
        assert not (tmp_path / "dump.rdb").exists()


def test_shutdown_saves_with_save_points_and_fails_when_that_fails(f: Files) -> None:
    stopped: list[bool] = []
    f.store.on_shutdown = stopped.append
    f.call("CONFIG", "SET", "save", "3600 1")
    f.call("SET", "a", 1)
    with f.broken():
        assert f.call("SHUTDOWN").message == "ERR Errors trying to SHUTDOWN. Check logs."
        assert not stopped
    embedded.Client(f.store).wire("SHUTDOWN", "NOSAVE")
    assert stopped == [True]
    assert not (f.home / "dump.rdb").exists()
    embedded.Client(f.store).wire("SHUTDOWN")
    assert stopped == [True, False]
    assert keys(f.home / "dump.rdb") == [b"a"]


def test_rewrites_that_fail_one_after_the_other_wait_longer_each_time(f: Files, monkeypatch: Any) -> None:
    f.call("CONFIG", "SET", "auto-aof-rewrite-min-size", 1)
    f.call("CONFIG", "SET", "auto-aof-rewrite-percentage", 1)

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def write() -> int:
        with monkeypatch.context() as broken:
            broken.setattr("redtool.persist.save.write_all", full)
            f.call("SET", "a", "x" * 500)
            f.store.flush()
            for _ in range(4):
                f.later(0.2)
                f.files.poll(block=True)
        return int(f.info()["aof_rewrites"])

    assert write() == 3
    f.client.advance(55_000)
    assert write() == 3
    f.client.advance(5_000)
    assert write() == 4
    assert f.info()["aof_rewrites_consecutive_failures"] == "4"
    f.client.advance(61_000)
    assert write() == 4
    assert f.call("BGREWRITEAOF") == b"Background append only file rewriting started"
    f.files.poll(block=True)
    assert f.info()["aof_rewrites_consecutive_failures"] == "0"


# -- children


def test_a_child_that_is_killed_is_a_failed_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    f = Files(tmp_path, True)
    f.call("SET", "a", 1)
    for number, status in ((signal.SIGKILL, "err"), (signal.SIGUSR1, "err")):
        f.call("BGSAVE")
        assert isinstance(f.files.job, child.Child)
        os.kill(f.files.job.pid, signal.SIGSTOP)  # it may be done already: then it is as if it had not ended well
        os.kill(f.files.job.pid, number)
        os.kill(f.files.job.pid, signal.SIGCONT)
        f.files.job.poll = lambda block=False: False  # type: ignore[method-assign]
        (tmp_path / f"temp-{f.files.job.pid}.rdb").write_bytes(b"half")
        os.waitpid(f.files.job.pid, 0)
        f.files.poll()
        assert f.info()["rdb_last_bgsave_status"] == status
        assert not list(tmp_path.glob("temp-*"))
    f.files.close()


def test_how_a_child_ended(tmp_path: Path) -> None:
    f = Files(tmp_path, True)
    for number, cancelled in ((signal.SIGKILL, False), (signal.SIGUSR1, True)):
        one = child.Child(f.store, lambda databases: signal.pause())  # type: ignore[arg-type, return-value]
        assert one.poll() is None
        os.kill(one.pid, number)
        assert one.poll(block=True) is False
        assert one.cancelled == cancelled
    one = child.Child(f.store, lambda databases: 1 / 0)  # type: ignore[arg-type, return-value]
    assert one.poll(block=True) is False
    f.files.close()


def test_what_is_left_by_processes_that_are_gone_is_removed(tmp_path: Path) -> None:
    f = Files(tmp_path, True)
    gone = os.fork() or os._exit(0)
    os.waitpid(gone, 0)
    left = [tmp_path / f"temp-{gone}.rdb", tmp_path / "appendonlydir" / f"temp-rewriteaof-bg-{gone}.aof"]
    kept = [tmp_path / f"temp-{os.getppid()}.rdb", tmp_path / "temp-1x.rdb"]
    for path in (*left, *kept):
        path.write_bytes(b"half")
    f.call("BGSAVE")
    f.files.poll(block=True)
    f.call("BGREWRITEAOF")
    f.files.poll(block=True)
    assert [path.exists() for path in (*left, *kept)] == [False, False, True, True]
    f.files.close()


def test_a_child_tells_how_far_it_is_and_how_much_was_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "EVERY", 0.0)
    f = Files(tmp_path, True)
    for n in range(5000):
        f.call("SET", n, "x")
    for command, last in (("BGSAVE", "rdb_last_cow_size"), ("BGREWRITEAOF", "aof_last_cow_size")):
        f.call(command)
        job = f.files.job
        assert isinstance(job, child.Child)
        seen = set()
        while job.poll() is None:
            seen.add(job.keys)
        assert (job.keys, job.total, job.done) == (5000, 5000, True)
        assert seen <= {0, 1024, 2048, 3072, 4096, 5000}
        f.files._end(True)
        assert int(f.info()[last]) >= 4096
        assert f.info()["current_cow_size"] == f.info()["current_save_keys_total"] == "0"
    assert f.info("stats")["total_forks"] == "2"
    assert int(f.info("stats")["latest_fork_usec"]) > 0
    f.call("CONFIG", "RESETSTAT")
    assert (f.info("stats")["total_forks"], f.info("stats")["latest_fork_usec"]) == ("0", "0")
    f.files.close()


def test_info_tells_how_far_slices_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 0.0)
    monkeypatch.setattr(slices, "PARTS", 1)
    f = Files(tmp_path, False)
    for n in range(10):
        f.call("SET", n, "x")
    f.call("BGSAVE")
    seen = [f.info() for _ in range(5)]
    assert [facts["current_save_keys_processed"] for facts in seen] == ["0", "0", "1", "2", "3"]  # the preface first
    assert {facts["current_save_keys_total"] for facts in seen} == {"10"}
    assert seen[-1]["current_fork_perc"] == "30.00"
    f.files.close()


def test_a_system_that_forks_no_more_fails_a_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    f = Files(tmp_path, True)
    f.call("SET", "a", 1)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fork", refused)
        assert f.call("BGSAVE").message == "ERR cannot save in the background: Resource temporarily unavailable"
        text = "ERR cannot rewrite the journal in the background: Resource temporarily unavailable"
        assert f.call("BGREWRITEAOF").message == text
    assert (f.info()["rdb_last_bgsave_status"], f.info()["aof_last_bgrewrite_status"]) == ("err", "err")
    assert f.call("BGREWRITEAOF") == b"Background append only file rewriting started"
    f.files.close()
    with redtool.open(tmp_path) as store:
        assert store.execute("GET", "a") == b"1"


def test_a_save_goes_on_when_its_owner_closes_the_store(tmp_path: Path) -> None:
    with open_store(tmp_path, fork=True) as store:
        store.execute("SET", "a", 1)
        store.execute("BGSAVE")
        assert store.persistence is not None
        job = store.persistence.job
        assert isinstance(job, child.Child)
        pipe = os.readlink(f"/proc/self/fd/{job._pipe}")
    assert pipe not in [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    os.waitpid(job.pid, 0)
    assert keys(tmp_path / "dump.rdb") == [b"a"]


def test_errors_are_found_by_name() -> None:
    assert errors.SaveFailed().message == MISCONF


def test_a_vector_set_is_put_aside_whole_with_its_links() -> None:
    c = embedded.Client()
    for n in range(60):
        c.call("VADD", "v", "VALUES", 3, n, 1, -n, f"e{n}", "SETATTR", f'{{"n":{n}}}')
    value = c.store.databases[0].data[b"v"]
    assert own(value).graph is None
    value.with_graph()
    before, twin = payload.pack(value), own(value)
    c.call("VSETATTR", "v", "e1", "")
    c.call("VREM", "v", "e2")
    c.call("VADD", "v", "VALUES", 3, 1, 1, 1, "new")
    assert payload.pack(twin) == before != payload.pack(value)
