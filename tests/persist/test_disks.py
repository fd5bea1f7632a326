"""Disks that are full or do not sync: writes stop with MISCONF, nothing acknowledged is lost, and it goes on."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

import redtool
from redtool import errors
from redtool.backends.embedded import Embedded
from redtool.persist import aof

FULL = "MISCONF Errors writing to the AOF file: No space left on device"
UNSYNCED = "MISCONF Errors writing to the AOF file: Input/output error"


class Disk:
    """What the system's calls give: ``room`` bytes can still be written, and ``syncs`` or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room, self.syncs = 1 << 40, True
        self._write, self._sync = os.write, os.fdatasync
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "fdatasync", self.sync)
        monkeypatch.setattr(os, "fsync", self.sync)

    def write(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = self._write(fd, data[: self.room])
        self.room -= done
        return done

    def sync(self, fd: int) -> None:
        if not self.syncs:
            raise OSError(errno.EIO, "Input/output error")
        self._sync(fd)

    def mend(self) -> None:
        self.room, self.syncs = 1 << 40, True


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def after_a_crash(home: Path) -> set[bytes]:
    """The keys of a store that were there if its owner were killed now."""
    copy = home.parent / "crashed"
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("redtool.sock"))
    try:
        with redtool.open(copy) as store:
            return set(store.execute("KEYS", "*"))
    finally:
        shutil.rmtree(copy)


def attempt(store: Embedded, key: bytes) -> bool:
    """Whether a write is acknowledged."""
    try:
        return bool(store.execute(b"SET", key, b"x" * 20) == b"OK")
    except (errors.StoreError, errors.NoWrites):
        return False


@pytest.mark.parametrize("mode", ["always", "everysec", "no"])
def test_what_was_acknowledged_is_there_whatever_the_disk_does(mode: str, tmp_path: Path, disk: Disk) -> None:
    rng, acknowledged, refused = Random(3), set(), 0
    home = tmp_path / "store"
    with redtool.open(home) as store:
        store.execute("CONFIG", "SET", "appendfsync", mode)
        for n in range(400):
            chance = rng.random()
            if chance < 0.03:
                disk.room = rng.randrange(200)
            elif chance < 0.05:
                disk.syncs = False
            elif chance < 0.1:
                disk.mend()
                store.tick()
                assert not store.store.guard
            if attempt(store, b"%d" % n):
                acknowledged.add(b"%d" % n)
            else:
                refused += 1
                assert store.store.guard
                assert store.execute("EXISTS", "0") == 1
            if chance > 0.99 or n == 399:
                before = disk.room, disk.syncs
                disk.mend()
                assert acknowledged <= after_a_crash(home)
                disk.room, disk.syncs = before
        disk.mend()
    assert refused > 20
    assert len(acknowledged) > 100
    with redtool.open(home) as store:
        assert acknowledged <= set(store.execute("KEYS", "*"))


@pytest.mark.parametrize("text", [FULL, UNSYNCED])
def test_writes_stop_with_the_text_of_servers(text: str, tmp_path: Path, disk: Disk) -> None:
    with redtool.open(tmp_path) as store:
        store.execute("CONFIG", "SET", "appendfsync", "always")
        assert attempt(store, b"a")
        if text == FULL:
            disk.room = 0
        else:
            disk.syncs = False
        assert not attempt(store, b"b")
        for words in (("SET", "c", "1"), ("PING",), ("EVAL", "#!lua\nreturn 1", 0)):
            with pytest.raises(errors.NoWrites) as caught:
                store.execute(*words)
            assert caught.value.message == text
        store.tick()  # it still does not work
        assert store.execute("GET", "a") == b"x" * 20
        assert b"aof_last_write_status:err" in store.execute("INFO", "persistence")
        disk.mend()
        store.tick()
        assert store.execute("PING") == b"PONG"
        assert b"aof_last_write_status:ok" in store.execute("INFO", "persistence")


def test_a_program_that_only_writes_notices_that_there_is_room_again(tmp_path: Path, disk: Disk) -> None:
    with redtool.open(tmp_path) as store:
        now = store.store.clock.ns
        store.store.time_ns = lambda: now
        disk.room = 0
        assert not attempt(store, b"a")
        disk.mend()
        assert not attempt(store, b"b")
        now += 200_000_000
        assert attempt(store, b"c")


def test_a_journal_that_cannot_be_written_can_be_switched_off(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redtool.open(tmp_path) as store:
        write = disk.write

        def half(fd: int, data: bytes) -> int:
            if os.readlink(f"/proc/self/fd/{fd}").endswith(".incr.aof"):
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(fd, data)

        monkeypatch.setattr(os, "write", half)
        assert not attempt(store, b"a")
        store.execute("CONFIG", "SET", "appendonly", "no")
        assert attempt(store, b"b")
    with redtool.open(tmp_path) as store:
        assert set(store.execute("KEYS", "*")) == {b"a", b"b"}


def test_a_sync_in_the_background_that_fails_stops_writes(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aof, "SYNC_SECONDS", 0.0)
    with redtool.open(tmp_path) as store:
        assert store.store.journal is not None
        store.store.journal.start_syncing()
        disk.syncs = False
        while attempt(store, b"a"):
            continue
        with pytest.raises(errors.NoWrites, match=UNSYNCED):
            store.execute("SET", "b", "1")
        disk.mend()
        while store.store.guard:
            store.tick()
        assert attempt(store, b"c")
        assert store.store.journal.doubtful
        store.tick()  # what the system had taken before may be lost to it: all is written anew
        while store.persistence is not None and store.persistence.job is not None:
            store.tick()
        assert not store.store.journal.doubtful
        assert b"aof_rewrites:1" in store.execute("INFO", "persistence")


def test_a_rewrite_and_a_save_that_find_the_disk_full_leave_all_as_it_was(tmp_path: Path, disk: Disk) -> None:
    home = tmp_path / "store"
    with redtool.open(home) as store:
        acknowledged = {b"%d" % n for n in range(100) if attempt(store, b"%d" % n)}
        for command in ("BGREWRITEAOF", "BGSAVE"):
            for room in (0, 10, 200, 1500):
                disk.room = room
                with suppress(errors.ReplyError):
                    store.execute(command)
                while store.persistence is not None and store.persistence.job is not None:
                    store.tick()
                disk.mend()
                store.tick()
                assert after_a_crash(home) == acknowledged
        facts = store.execute("INFO", "persistence")
        assert b"rdb_last_bgsave_status:err" in facts
        assert b"aof_last_bgrewrite_status:err" in facts
        assert attempt(store, b"more")
        assert not [name for _, _, names in os.walk(home) for name in names if name.startswith("temp")]
    with redtool.open(home) as store:
        assert set(store.execute("KEYS", "*")) == {*acknowledged, b"more"}


WRITER = """
import os, resource, sys
import redtool
from redtool import errors
home, number = sys.argv[1], 0
store = redtool.open(home)
store.execute("CONFIG", "SET", "appendfsync", "always")
def write():
    global number
    while True:
        try:
            store.execute("SET", str(number), "x" * 100)
        except (errors.StoreError, errors.NoWrites):
            return
        os.write(1, b"%d\\n" % number)
        number += 1
        if number == 400:
            os.kill(os.getpid(), 9)
{limit}
write()
assert 10 < number < 300, number
{more}
store.tick()
number += 1
write()
"""
LIMITS = {
    "a file too large": ("resource.setrlimit(resource.RLIMIT_FSIZE, (20000, -1))",
                         "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))"),
    "a full disk": ("open(home + '/filler', 'wb').write(bytes(os.statvfs(home).f_bavail * 4096 - 30000))",
                    "os.unlink(home + '/filler')"),
}  # fmt: skip


@contextmanager
def mounted(home: Path) -> Iterator[None]:
    """A file system of its own, of 1 MB, in this directory. CalledProcessError, OSError where that is not allowed."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(home)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


def causes() -> list[str]:
    """Those of LIMITS that can be had here: a disk to fill takes the right to mount one."""
    with TemporaryDirectory() as home, suppress(OSError, subprocess.CalledProcessError), mounted(Path(home)):
        return list(LIMITS)
    return ["a file too large"]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "small"
    home.mkdir()
    with mounted(home):
        yield home


@pytest.mark.parametrize("cause", causes())
def test_a_process_that_is_killed_after_the_disk_was_full(
    cause: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    home = tmp_path / "store" if cause == "a file too large" else request.getfixturevalue("small")
    limit, more = LIMITS[cause]
    code = WRITER.replace("{limit}", limit).replace("{more}", more)
    done = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, timeout=60)
    assert done.returncode == -9, done.stderr.decode()
    acknowledged = set(done.stdout.split())
    assert len(acknowledged) == 399  # all but the one that found the disk full
    with redtool.open(home) as store:
        assert acknowledged <= set(store.execute("KEYS", "*"))
