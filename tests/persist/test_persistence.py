"""The files of an open store: who owns it, SAVE, BGSAVE, BGREWRITEAOF, and the journal switched on and off."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import redtool
from redtool import errors
from redtool.backends.embedded import open_store
from redtool.resp import pack


def fill(store: redtool.backends.embedded.Embedded, count: int = 100) -> None:
    for i in range(count):
        store.execute("SET", f"k{i}", i)


def settle(store: redtool.backends.embedded.Embedded) -> None:
    """Wait for the end of a save or a rewrite."""
    while store.persistence is not None and store.persistence.job is not None:
        store.tick()


def test_a_second_owner_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    held = pytest.raises(errors.StoreLocked, match=f"in use by process {os.getpid()}$")
    with open_store(tmp_path, share=False), held:
        open_store(tmp_path, wait=0.05)


def test_a_waiting_owner_gets_the_store(tmp_path: Path) -> None:
    with redtool.open(tmp_path) as store:
        store.execute("SET", "k", "v")
        code = "import sys, redtool; sys.stdout.buffer.write(redtool.open(sys.argv[1]).execute('GET', 'k'))"
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    out, _ = process.communicate(timeout=30)
    assert out == b"v"


def test_files_are_private(tmp_path: Path) -> None:
    home = tmp_path / "store"
    with redtool.open(home) as store:
        store.execute("SET", "k", "v")
        store.execute("SAVE")
    assert home.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in home.rglob("*") if p.is_file()} == {0o600}


@pytest.mark.parametrize("fork", [False, True])
def test_bgsave_is_the_data_of_the_moment(tmp_path: Path, fork: bool) -> None:
    with open_store(tmp_path, fork=fork) as store:
        fill(store)
        assert store.execute("BGSAVE") == b"Background saving started"
        store.execute("SET", "later", "x")
        assert store.persistence is not None
        settle(store)
        assert store.persistence.last_save_ok
    with redtool.open(tmp_path / "dump.rdb") as dump:
        assert dump.execute("DBSIZE") == 100
        with pytest.raises(errors.ReadOnly):
            dump.execute("SET", "k", "v")


@pytest.mark.parametrize("fork", [False, True])
def test_rewrite_keeps_what_came_during_it(tmp_path: Path, fork: bool) -> None:
    with open_store(tmp_path, fork=fork) as store:
        for _ in range(50):
            fill(store)
        before = journal_size(tmp_path)
        store.execute("BGREWRITEAOF")
        store.execute("SET", "later", "x")
    assert journal_size(tmp_path) < before / 5
    with redtool.open(tmp_path) as store:
        assert store.execute("DBSIZE") == 101
        assert store.execute("GET", "later") == b"x"


def journal_size(home: Path) -> int:
    return sum(p.stat().st_size for p in (home / "appendonlydir").iterdir())


def test_without_a_journal_the_snapshot_is_what_is_kept(tmp_path: Path) -> None:
    with redtool.open(tmp_path) as store:
        store.execute("SET", "kept", "1")
        store.execute("CONFIG", "SET", "appendonly", "no")
        store.execute("SET", "lost", "1")
        shutil.copytree(tmp_path, tmp_path / "killed", ignore=shutil.ignore_patterns("redtool.sock"))
    with redtool.open(tmp_path / "killed") as store:
        assert store.execute("KEYS", "*") == [b"kept"]
    with redtool.open(tmp_path) as store:
        assert sorted(store.execute("KEYS", "*")) == [b"kept", b"lost"]  # closing it saved what a crash would lose
        store.execute("DEL", "lost")
    saved = (tmp_path / "dump.rdb").stat()
    with redtool.open(tmp_path) as store:
        assert store.execute("KEYS", "*") == [b"kept"]
    assert (tmp_path / "dump.rdb").stat().st_mtime_ns == saved.st_mtime_ns  # nothing had changed
    with redtool.open(tmp_path) as store:
        store.execute("SET", "again", "1")
        store.execute("CONFIG", "SET", "appendonly", "yes")
        store.execute("SET", "more", "1")
    with redtool.open(tmp_path) as store:
        assert sorted(store.execute("KEYS", "*")) == [b"again", b"kept", b"more"]


def test_without_a_journal_closing_tells_that_it_cannot_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = redtool.open(tmp_path)
    store.execute("CONFIG", "SET", "appendonly", "no")
    store.execute("SET", "k", "1")

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", full)
        with pytest.raises(errors.StoreError, match=r"cannot write .*dump\.rdb"):
            store.close()
    redtool.open(tmp_path).close()  # it is nobody's now


LUA = b"#!lua name=%s\nreturn"


@pytest.mark.parametrize(
    ("commands", "kept"),
    [
        ([(b"FUNCTION", b"LOAD", LUA % b"a"), (b"function", b"load", b"REPLACE", LUA % b"b")], [b"a", b"b"]),
        ([(b"FUNCTION", b"LOAD", LUA % b"a"), (b"FUNCTION", b"LOAD", b"REPLACE", LUA % b"a")], [b"a"]),
        ([(b"FUNCTION", b"LOAD", LUA % b"a"), (b"FUNCTION", b"DELETE", b"a")], []),
        ([(b"FUNCTION", b"LOAD", LUA % b"a"), (b"FUNCTION", b"FLUSH")], []),
    ],
)
def test_libraries_in_the_journal_of_a_server_are_kept(
    tmp_path: Path, commands: list[tuple[bytes, ...]], kept: list[bytes]
) -> None:
    with redtool.open(tmp_path) as store:
        store.execute("SET", "k", "v")
    with (tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof").open("ab") as file:
        for argv in commands:
            file.write(pack(argv))
    for _ in range(2):
        with redtool.open(tmp_path) as store:
            assert store.store.functions == [LUA % name for name in kept]
            assert store.execute("GET", "k") == b"v"
            store.execute("BGREWRITEAOF")


def test_closing_ends_what_waits_and_what_comes_after(tmp_path: Path) -> None:
    store = redtool.open(tmp_path)
    caught: list[Exception] = []

    def wait() -> None:
        try:
            store.execute("BLPOP", "nothing", 0)
        except errors.StoreError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while not store.store.databases[0].blocked:
        store.tick()
    store.close()
    thread.join(30)
    assert [str(error) for error in caught] == ["the store is closed"]
    with pytest.raises(errors.StoreError, match="the store is closed"):
        store.pipeline([(b"SET", b"k", b"v")])


def test_a_path_that_is_empty_is_a_mistake() -> None:
    with pytest.raises(errors.UsageError, match="the path of the store is empty"):
        redtool.open("")


def test_writes_are_taken_again_once_the_disk_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with redtool.open(tmp_path) as store:
        store.execute("SET", "before", "1")

        def full(fd: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as broken:
            broken.setattr(os, "write", full)
            with pytest.raises(errors.StoreError, match="disk full"):
                store.execute("SET", "during", "1")
            with pytest.raises(errors.NoWrites, match=r"^MISCONF .* AOF file: No space left on device$"):
                store.execute("SET", "refused", "1")
            assert store.execute("GET", "before") == b"1"
        store.tick()
        store.execute("SET", "after", "1")
    with redtool.open(tmp_path) as store:
        assert sorted(store.execute("KEYS", "*")) == [b"after", b"before", b"during"]


def test_a_journal_switched_within_a_batch_gets_what_comes_after(tmp_path: Path) -> None:
    with redtool.open(tmp_path) as store:
        switch = [[b"CONFIG", b"SET", b"appendonly", word] for word in (b"no", b"yes")]
        assert store.pipeline([[b"SET", b"before", b"1"], *switch, [b"SET", b"after", b"1"]]) == [b"OK"] * 4
    with redtool.open(tmp_path) as store:
        assert sorted(store.execute("KEYS", "*")) == [b"after", b"before"]


def test_a_pause_in_a_journal_does_not_outlast_loading(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.execute("SET", "k", "v")
    [journal] = (tmp_path / "appendonlydir").glob("*.incr.aof")
    with journal.open("ab") as file:
        file.write(pack((b"CLIENT", b"PAUSE", b"100000000")) + pack((b"SET", b"k", b"w")))
    with open_store(tmp_path) as store:
        assert store.execute("GET", "k") == b"w"
