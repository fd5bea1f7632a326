"""A long journal is brought into shape when its store is closed: by a child that outlives the process, or at once."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from redtool import compaction, errors, persistence, saving
from redtool.backends.embedded import Embedded, open_store
from redtool.persist import files, indexing, manifest, neighbours
from redtool.persist.index import open_index
from redtool.persist.indexing import write_index

WRITES = 400
FORKED: list[int] = []
FORKED_AND_GONE = 1 << 30  # no process can have this number


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal is long after few commands, and a base large after few bytes."""
    monkeypatch.setattr(compaction, "COMMANDS", 100)
    monkeypatch.setattr(compaction, "INDEX_FROM", 1000)
    monkeypatch.setattr(persistence, "SMALL", 1000)
    monkeypatch.setattr(compaction, "PAUSE", 0.0)
    fork = os.fork

    def noted() -> int:
        pid = fork()
        FORKED.append(pid)
        return pid

    monkeypatch.setattr(os, "fork", noted)
    FORKED.clear()


def parts(store: Path) -> list[str]:
    found = manifest.read(str(store / "appendonlydir" / "appendonly.aof.manifest"))
    assert found is not None
    return [part.name for part in found.parts]


def write(store: Embedded, start: int = 0) -> None:
    store.pipeline([(b"SET", b"key:%d" % n, b"value %d" % n) for n in range(start, start + WRITES)])


def contents(path: Path) -> Any:
    with open_store(path, fork=True) as store:
        return store.execute("DEBUG", "DIGEST")


def children() -> None:
    """Wait until every child that the test has made has ended."""
    while FORKED:
        try:
            os.waitpid(FORKED.pop(), 0)
        except ChildProcessError:  # a save's, that was waited for
            continue


@pytest.mark.parametrize("fork", [True, False])
def test_closing_shortens_a_long_journal(tmp_path: Path, fork: bool) -> None:
    store = open_store(tmp_path / "s", fork=fork)
    write(store)
    digest = store.execute("DEBUG", "DIGEST")
    store.close()
    children()
    assert parts(tmp_path / "s") == ["appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof"]
    folder = tmp_path / "s" / "appendonlydir"
    assert sorted(os.listdir(folder)) == ["appendonly.aof.2.base.rdb", "appendonly.aof.2.base.rdb.idx",
                                          "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"]  # fmt: skip
    store = open_store(tmp_path / "s")
    assert len(store.store.databases[0].data) == 0, "opened through the index"
    assert store.execute("DEBUG", "DIGEST") == digest
    store.close()


def test_a_short_journal_is_left_alone(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        store.execute("SET", "k", "v")
    children()
    assert parts(tmp_path / "s") == ["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof"]


def test_it_is_left_alone_where_the_configuration_says_so(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        store.execute("CONFIG", "SET", "auto-aof-rewrite-percentage", "0")
        write(store)
    children()
    assert parts(tmp_path / "s") == ["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof"]


class Late:
    """A child takes the store's lock only once ``go`` is called."""

    def __init__(self, gate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate, self.pid, self.take, self.patch = gate, os.getpid(), persistence.take_lock, monkeypatch
        monkeypatch.setattr(persistence, "take_lock", self.slowly)

    def slowly(self, directory: str, wait: float) -> int:
        if os.getpid() != self.pid:
            os.close(os.open(self.gate, os.O_RDONLY))
        return self.take(directory, wait)

    def go(self) -> None:
        """Let it, and see it end; nothing is due any more from then on."""
        self.patch.setattr(compaction, "COMMANDS", 1 << 30)
        os.close(os.open(self.gate, os.O_WRONLY))
        children()


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Late:
    os.mkfifo(tmp_path / "gate")
    return Late(tmp_path / "gate", monkeypatch)


def test_writes_after_the_closing_are_kept(tmp_path: Path, late: Late) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        write(store)
    with open_store(tmp_path / "s", fork=True) as store:  # the child is at work: the store is free
        store.execute("SET", "key:1", "another")
        store.execute("DEL", "key:2")
        store.execute("SELECT", 5)
        store.execute("RPUSH", "list", "1", "2")
        digest = store.execute("DEBUG", "DIGEST")
    late.go()
    assert contents(tmp_path / "s") == digest
    assert parts(tmp_path / "s") == ["appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof"]


def test_who_was_quicker_is_not_undone(tmp_path: Path, late: Late) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        write(store)
    with open_store(tmp_path / "s", fork=True) as store:
        write(store, 1000)
        store.execute("BGREWRITEAOF")
        assert store.persistence is not None
        store.persistence.wait()
        write(store, 2000)
        digest = store.execute("DEBUG", "DIGEST")
    before = parts(tmp_path / "s")
    late.go()
    assert parts(tmp_path / "s") == before
    assert contents(tmp_path / "s") == digest
    assert not [name for name in os.listdir(tmp_path / "s" / "appendonlydir") if name.startswith("temp-")]


def test_one_child_at_a_time(tmp_path: Path, late: Late) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        write(store)
    names = parts(tmp_path / "s")
    with open_store(tmp_path / "s", fork=True) as store:
        write(store, 1000)
        digest = store.execute("DEBUG", "DIGEST")
    assert parts(tmp_path / "s") == names
    late.go()
    assert contents(tmp_path / "s") == digest


def test_a_base_of_commands_becomes_a_snapshot(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    commands = b"".join(b"*3\r\n$3\r\nSET\r\n$3\r\n%03d\r\n$1\r\nv\r\n" % n for n in range(WRITES))
    (tmp_path / "s" / "appendonly.aof").write_bytes(commands)
    with open_store(tmp_path / "s", fork=True) as store:
        digest = store.execute("DEBUG", "DIGEST")
    children()
    assert parts(tmp_path / "s") == ["appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof"]
    assert contents(tmp_path / "s") == digest


def test_what_cannot_have_an_index_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(b"REDIS0010" + bytes(2000))
    compaction.index(str(path))
    assert (tmp_path / "dump.rdb.idx").read_bytes() == b""
    assert not compaction.lacks_index(str(path))
    assert open_index(str(path)) is None


def test_a_dump_that_a_store_is_opened_from_has_its_index(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        store.execute("CONFIG", "SET", "appendonly", "no")
        write(store)
        store.execute("SAVE")
    children()
    for start in (1000, 2000):
        with open_store(tmp_path / "s", fork=True) as store:
            assert len(store.store.databases[0].data) == 0
            write(store, start)
            digest = store.execute("DEBUG", "DIGEST")
        children()
    with open_store(tmp_path / "s", fork=True) as store:
        assert len(store.store.databases[0].data) == 0
        assert store.execute("DEBUG", "DIGEST") == digest
        store.execute("SET", "key:1", "x")
        store.execute("BGSAVE")
        assert store.persistence is not None
        store.persistence.wait()
    with open_store(tmp_path / "s", fork=True) as store:
        assert len(store.store.databases[0].data) == 0
        assert store.execute("GET", "key:1") == b"x"


def test_a_base_without_an_index_gets_one(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        write(store)
        store.execute("BGREWRITEAOF")
    children()
    folder = tmp_path / "s" / "appendonlydir"
    (found,) = folder.glob("*.idx")
    found.unlink()
    with open_store(tmp_path / "s", fork=True) as store:
        assert store.execute("GET", "key:7") == b"value 7"
        assert len(store.store.databases[0].data) == WRITES, "loaded"
    children()
    assert found.exists()


def test_a_store_that_is_deleted_meanwhile_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "gate")
    monkeypatch.setattr(compaction, "index", lambda path: (tmp_path / "gate").read_bytes())
    with open_store(tmp_path / "s", fork=True) as store:
        write(store)
    with (tmp_path / "gate").open("wb"):  # once the child has come to it; it goes on at the end of this
        shutil.rmtree(tmp_path / "s")
    children()
    assert not (tmp_path / "s").exists()


def test_rewrites_that_come_to_nothing_do_not_heap_up_increments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(compaction, "_rewrite", lambda files: os._exit(1))
    for n in range(8):
        with open_store(tmp_path / "s", fork=True) as store:
            write(store, n)
        children()
    assert len(parts(tmp_path / "s")) == 1 + 1 + saving.PATIENCE
    monkeypatch.undo()
    monkeypatch.setattr(compaction, "COMMANDS", 100)
    monkeypatch.setattr(persistence, "SMALL", 1000)
    os.utime(tmp_path / "s" / compaction.LOCK_FILE, (0, 0))  # long ago
    with open_store(tmp_path / "s", fork=False) as store:
        digest = store.execute("DEBUG", "DIGEST")
    assert parts(tmp_path / "s")[0] == "appendonly.aof.2.base.rdb"
    assert contents(tmp_path / "s") == digest


def test_what_killed_children_left_is_removed(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        store.execute("SET", "k", "v")
        gone = os.fork()
        if not gone:
            os._exit(0)
        os.waitpid(gone, 0)
        folder = tmp_path / "s" / "appendonlydir"
        for name in (f"temp-rewriteaof-bg-{gone}.aof", f"temp-rewriteaof-bg-{gone}.aof.idx",
                     f"temp-appendonly.aof.1.base.rdb.idx-{gone}.idx"):  # fmt: skip
            (folder / name).touch()
        write(store)
    children()
    assert not [name for name in os.listdir(folder) if name.startswith("temp-")]


def test_the_name_of_an_unfinished_index_is_one_that_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(tmp_path / "s", fork=True) as store:
        write(store)
        store.execute("SAVE")
    children()

    def killed(*names: str) -> None:
        raise SystemExit(9)

    for module in (files, indexing):
        monkeypatch.setattr(module, "remove", lambda path: None, raising=False)
    monkeypatch.setattr(os, "rename", killed)
    monkeypatch.setattr(os, "getpid", lambda: FORKED_AND_GONE)
    with pytest.raises(SystemExit):
        write_index(str(tmp_path / "s" / "dump.rdb"))
    monkeypatch.undo()
    (left,) = [name for name in os.listdir(tmp_path / "s") if str(FORKED_AND_GONE) in name]
    files.sweep(str(tmp_path / "s"))
    assert not (tmp_path / "s" / left).exists()


@pytest.mark.parametrize("busy", [False, True], ids=["at rest", "while a snapshot is written"])
def test_a_store_can_be_closed_when_no_thread_can_be_started_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    def refuse(self: Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    store = open_store(tmp_path / "s")
    write(store)
    digest = store.execute("DEBUG", "DIGEST")
    monkeypatch.setattr(Thread, "start", refuse)
    if busy:
        store.execute("BGSAVE")
    store.close()
    assert (tmp_path / "s" / "dump.rdb").exists() == busy
    assert parts(tmp_path / "s") == ["appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof"]
    assert contents(tmp_path / "s") == digest


def test_a_store_that_is_closed_keeps_no_files_open(tmp_path: Path) -> None:
    with open_store(tmp_path / "s") as store:
        write(store)
    gc.collect()
    gc.disable()
    try:
        before = os.listdir("/proc/self/fd")
        for _ in range(3):
            with open_store(tmp_path / "s") as store:
                assert store.execute("GET", "key:7") == b"value 7"
                assert store.store.databases[0].cold is not None
        assert os.listdir("/proc/self/fd") == before
    finally:
        gc.enable()


def test_a_server_that_has_begun_meanwhile_keeps_its_files(
    tmp_path: Path, late: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = tmp_path / "shown"
    monkeypatch.setattr(neighbours, "server_on", lambda directory: "redis-server" if shown.exists() else "")
    with open_store(tmp_path / "s", fork=True) as store:
        write(store)
        digest = store.execute("DEBUG", "DIGEST")
    before = parts(tmp_path / "s")
    shown.touch()
    late.go()
    shown.unlink()
    assert parts(tmp_path / "s") == before
    assert not [name for name in os.listdir(tmp_path / "s" / "appendonlydir") if name.startswith("temp-")]
    assert contents(tmp_path / "s") == digest


@pytest.mark.parametrize("fork", [True, False])
@pytest.mark.parametrize("again", [True, False], ids=["another store in its place", "deleted"])
def test_whose_directory_is_gone_leaves_what_is_in_its_place_alone(tmp_path: Path, again: bool, fork: bool) -> None:
    with open_store(tmp_path / "s", fork=fork) as store:
        write(store)
        shutil.rmtree(tmp_path / "s")
        if again:
            with open_store(tmp_path / "s") as other:
                other.execute("SET", "other", "1")
                digest = other.execute("DEBUG", "DIGEST")
        for words in (["SAVE"], ["BGSAVE"], ["BGREWRITEAOF"]):
            with pytest.raises(errors.ReplyError, match="is not the store any more that was opened"):
                store.execute(*words)
        assert store.execute("GET", "key:1") == b"value 1"
    children()
    assert (tmp_path / "s").exists() == again
    if again:
        assert contents(tmp_path / "s") == digest
        assert not (tmp_path / "s" / "dump.rdb").exists()


def test_the_process_may_go_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with open_store("s") as store:
        monkeypatch.chdir(tmp_path / "elsewhere")
        write(store)
        assert store.execute("SAVE") == b"OK"
        digest = store.execute("DEBUG", "DIGEST")
    assert os.listdir(tmp_path / "elsewhere") == []
    assert (tmp_path / "s" / "dump.rdb").exists()
    assert parts(tmp_path / "s")[0] == "appendonly.aof.2.base.rdb"
    assert contents(tmp_path / "s") == digest
