"""The journal: files of a new store, appending, failing disks, rewriting, and a crash between any two steps."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from redtool import errors
from redtool.config import Config
from redtool.persist import aof
from redtool.persist.aof import Journal, encode
from redtool.persist.snapshot import write_dump
from tests.persist.datasets import LATER, Collected, Content, databases, saved

Command = list[bytes]
STEPS = ("open", "write", "pwrite", "rename", "fsync", "fdatasync", "unlink", "ftruncate", "close", "makedirs")


def opened(directory: Path, warn: Callable[[str], None] = pytest.fail, **config: Any) -> tuple[Journal, Collected]:
    sink = Collected()
    return Journal.open(str(directory), Config(config), sink, warn), sink


def content(directory: Path) -> tuple[Any, list[Command]]:
    """Snapshot and commands in a directory, without the SELECTs between files."""
    journal, sink = opened(directory)
    journal.close()
    return sink.plain(), [argv for argv in sink.commands if argv[0] != b"SELECT"]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "appendonlydir").iterdir())


def manifest(directory: Path) -> str:
    return (directory / "appendonlydir" / "appendonly.aof.manifest").read_text()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """A directory with a few commands in the journal."""
    journal, _ = opened(tmp_path)
    journal.append((b"SET", b"a", b"1"), 0)
    journal.close()
    yield tmp_path


def test_files_of_a_new_store(tmp_path: Path) -> None:
    journal, sink = opened(tmp_path)
    assert (sink.plain(), sink.commands) == ({}, [])
    assert manifest(tmp_path) == (
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    )
    folder = tmp_path / "appendonlydir"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert journal.size == journal.base_size == (folder / "appendonly.aof.1.base.rdb").stat().st_size
    journal.close()


def test_names_from_the_configuration(tmp_path: Path) -> None:
    journal, _ = opened(tmp_path, appenddirname="log", appendfilename="odd name")
    journal.append((b"PING",), 0)
    journal.close()
    assert sorted(path.name for path in (tmp_path / "log").iterdir()) == [
        "odd name.1.base.rdb",
        "odd name.1.incr.aof",
        "odd name.manifest",
    ]
    _, sink = opened(tmp_path, appenddirname="log", appendfilename="odd name")
    assert sink.commands[-1] == [b"PING"]


def test_what_is_appended(tmp_path: Path) -> None:
    journal, _ = opened(tmp_path)
    rows: list[tuple[tuple[bytes, ...], int]] = [
        ((b"SET", b"a", b"1"), 0),
        ((b"DEL", b"a"), 0),
        ((b"hset", b"h", b"f", b"v" * 5000), 3),
        ((b"FLUSHALL",), 3),
        ((b"SET", b"", b"\r\n"), 0),
    ]
    for argv, db in rows:
        journal.append(argv, db)
    assert not (tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof").stat().st_size
    journal.flush()
    data = (tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof").read_bytes()
    assert data.startswith(
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*2\r\n$6\r\nSELECT"
    )
    assert journal.length == len(data) and not journal.pending
    journal.flush()
    assert journal.length == len(data)
    journal.close()
    _, sink = opened(tmp_path)
    select = [b"SELECT", b"0"]
    assert sink.commands[1:] == [
        select,
        [b"SET", b"a", b"1"],
        [b"DEL", b"a"],
        [b"SELECT", b"3"],
        [b"hset", b"h", b"f", b"v" * 5000],
        [b"FLUSHALL"],
        select,
        [b"SET", b"", b"\r\n"],
    ]


def test_encoding_of_many_commands() -> None:
    rows = [(b"SET", b"k%d" % n, b"v" * (n % 50)) for n in range(3000)]
    expected = b"".join(b"*3\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in row) for row in rows)
    assert encode(rows) == expected
    assert encode([]) == b""


# -- policies and failures


class Kernel:
    """Counts, and makes fail, what the journal asks of the system."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str) -> None:
        self.calls, self.fail, self.real = 0, 0, getattr(os, name)
        patch.setattr(os, name, self)

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        if self.fail:
            raise OSError(self.fail, os.strerror(self.fail))
        return self.real(*args)


@pytest.mark.parametrize(("policy", "inline"), [("always", 3), ("everysec", 0), ("no", 0)])
def test_when_data_is_synced(policy: str, inline: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, _ = opened(tmp_path, appendfsync=policy)
    sync = Kernel(monkeypatch, "fdatasync")
    monkeypatch.setattr(aof, "monotonic", lambda: journal._synced_at)
    for n in range(3):
        journal.append((b"SET", b"k", b"%d" % n), 0)
        journal.flush()
    assert sync.calls == inline
    journal.close()
    assert sync.calls == max(inline, 1)


def test_everysec_syncs_a_second_after_the_last_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, _ = opened(tmp_path)
    sync = Kernel(monkeypatch, "fdatasync")
    clock = journal._synced_at
    monkeypatch.setattr(aof, "monotonic", lambda: clock)
    for step, due in ((0.5, 0), (0.6, 1), (0.5, 1), (0.6, 2)):
        clock += step
        journal.append((b"PING",), 0)
        journal.flush()
        assert sync.calls == due
    journal.close()


def test_the_background_syncs_for_long_lived_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    monkeypatch.setattr(aof, "SYNC_SECONDS", 0.001)
    journal, _ = opened(tmp_path)
    synced = Event()
    real = os.fdatasync

    def fdatasync(fd: int) -> None:
        real(fd)
        synced.set()

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    journal.start_syncing()
    journal.start_syncing()
    journal.append((b"SET", b"a", b"1"), 0)
    journal.flush()
    assert synced.wait(30)
    journal.close()
    assert content(tmp_path)[1] == [[b"SET", b"a", b"1"]]


def test_a_failed_sync_in_the_background_refuses_writes_until_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, _ = opened(tmp_path)
    sync = Kernel(monkeypatch, "fdatasync")
    sync.fail = errno.EIO
    journal.append((b"SET", b"a", b"1"), 0)
    journal.flush()

    class Once:
        def __init__(self) -> None:
            self.rounds = 0

        def wait(self, timeout: float) -> bool:
            self.rounds += 1
            return self.rounds > 1

    journal._keep_synced(Once())  # type: ignore[arg-type]
    with pytest.raises(errors.StoreError, match=r"cannot sync .*incr.aof: input/output error"):
        journal.flush()
    sync.fail = 0
    journal.flush()
    journal.close()


@pytest.mark.parametrize("policy", ["always", "everysec"])
@pytest.mark.parametrize(
    ("code", "text"), [(errno.ENOSPC, "disk full"), (errno.EDQUOT, "disk full"), (errno.EIO, "input/output error")]
)
def test_a_failed_write_leaves_nothing_and_is_tried_again(
    policy: str, code: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, _ = opened(tmp_path, appendfsync=policy)
    path = tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof"
    journal.append((b"SET", b"a", b"1"), 0)
    journal.flush()
    before = path.read_bytes()
    write = Kernel(monkeypatch, "write")
    real = write.real

    def short(fd: int, data: bytes) -> int:
        """Take a few bytes, then fail."""
        if write.fail:
            write.real = lambda fd, data: (_ for _ in ()).throw(OSError(code, os.strerror(code)))
            return int(real(fd, bytes(data[:5])))
        return int(real(fd, data))

    monkeypatch.setattr(os, "write", lambda fd, data: short(fd, data) if write.real is real else write.real(fd, data))
    write.fail = code
    for value in (b"2", b"3"):
        journal.append((b"SET", b"a", value), 0)
        with pytest.raises(errors.StoreError, match=f"cannot write to .*incr.aof: {text}"):
            journal.flush()
        assert path.read_bytes() == before
    write.fail, write.real = 0, real
    journal.flush()
    journal.close()
    assert content(tmp_path)[1] == [[b"SET", b"a", value] for value in (b"1", b"2", b"3")]


def test_a_failed_sync_under_always_takes_the_write_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, _ = opened(tmp_path, appendfsync="always")
    path = tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof"
    sync = Kernel(monkeypatch, "fdatasync")
    sync.fail = errno.EIO
    journal.append((b"SET", b"a", b"1"), 0)
    with pytest.raises(errors.StoreError):
        journal.flush()
    assert path.read_bytes() == b""
    sync.fail = 0
    journal.close()
    assert content(tmp_path)[1] == [[b"SET", b"a", b"1"]]


def test_everysec_without_a_thread_tries_a_failed_sync_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, _ = opened(tmp_path)
    sync = Kernel(monkeypatch, "fdatasync")
    clock = journal._synced_at
    monkeypatch.setattr(aof, "monotonic", lambda: clock + 2)
    sync.fail = errno.EIO
    journal.append((b"SET", b"a", b"1"), 0)
    for _ in range(2):
        with pytest.raises(errors.StoreError, match="cannot sync"):
            journal.flush()
    sync.fail = 0
    journal.flush()
    assert sync.calls == 3
    journal.close()
    assert content(tmp_path)[1] == [[b"SET", b"a", b"1"]]


def test_an_interrupt_inside_a_flush_writes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, _ = opened(tmp_path)
    real = os.write

    def interrupted(fd: int, data: bytes) -> int:
        real(fd, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", interrupted)
    journal.append((b"INCR", b"a"), 0)
    with pytest.raises(KeyboardInterrupt):
        journal.flush()
    monkeypatch.setattr(os, "write", real)
    journal.append((b"INCR", b"b"), 0)
    journal.close()
    assert content(tmp_path)[1] == [[b"INCR", b"a"], [b"INCR", b"b"]]


# -- what lies in the directory


def test_a_dump_without_a_journal_becomes_its_base(tmp_path: Path) -> None:
    data = {0: {b"a": (b"1", None), b"old": (b"x", 5)}}
    write_dump(str(tmp_path / "dump.rdb"), databases(data))
    journal, sink = opened(tmp_path)
    journal.append((b"DEL", b"a"), 0)
    journal.close()
    assert sink.plain() == data
    assert (tmp_path / "dump.rdb").exists()
    assert content(tmp_path) == (data, [[b"DEL", b"a"]])
    write_dump(str(tmp_path / "dump.rdb"), databases({0: {b"other": (b"", None)}}))
    assert content(tmp_path) == (data, [[b"DEL", b"a"]])


def test_a_damaged_dump_stops_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "dump.rdb").write_bytes(saved({0: {b"a": (b"1", None)}})[:-9])
    for _ in range(2):
        with pytest.raises(errors.CorruptFile):
            opened(tmp_path)
        assert names(tmp_path) == []


def test_commands_without_a_manifest_are_not_overwritten(store: Path) -> None:
    (store / "appendonlydir" / "appendonly.aof.manifest").unlink()
    with pytest.raises(errors.CorruptFile, match=r"missing, though appendonly.aof.1.incr.aof holds data"):
        opened(store)


def test_a_file_that_the_manifest_names_and_is_gone(store: Path) -> None:
    (store / "appendonlydir" / "appendonly.aof.1.base.rdb").unlink()
    with pytest.raises(errors.CorruptFile, match=r"manifest: appendonly.aof.1.base.rdb is named but missing"):
        opened(store)


def test_only_the_last_file_may_be_torn(store: Path) -> None:
    folder = store / "appendonlydir"
    with (folder / "appendonly.aof.1.incr.aof").open("ab") as file:
        file.write(b"*2\r\n$3\r\nDEL")
    with pytest.raises(errors.CorruptFile, match="ends inside a command"):
        Journal.open(str(store), Config({"aof-load-truncated": False}), Collected())
    with (folder / "appendonly.aof.manifest").open("a") as manifest:
        manifest.write("file appendonly.aof.2.incr.aof seq 2 type i\n")
    (folder / "appendonly.aof.2.incr.aof").write_bytes(b"")
    with pytest.raises(errors.CorruptFile, match="ends inside a command"):
        opened(store)


def test_a_large_torn_tail_is_kept(store: Path) -> None:
    path = store / "appendonlydir" / "appendonly.aof.1.incr.aof"
    whole = path.stat().st_size
    tail = b"*2\r\n$3\r\nSET\r\n$9000000\r\n" + bytes(1 << 20)
    with path.open("ab") as file:
        file.write(tail)
    warnings: list[str] = []
    opened(store, warnings.append)[0].close()
    assert path.stat().st_size == whole
    assert path.with_name(path.name + ".torn").read_bytes() == tail
    assert "kept in appendonly.aof.1.incr.aof.torn" in warnings[0]


def test_history_is_deleted_when_opened(store: Path) -> None:
    folder = store / "appendonlydir"
    (folder / "old.rdb").write_bytes(b"")
    with (folder / "appendonly.aof.manifest").open("a") as manifest:
        manifest.write("file old.rdb seq 1 type h\nfile gone.rdb seq 1 type h\n")
    opened(store)[0].close()
    assert "old.rdb" not in names(store)


# -- rewriting


def test_rewrite(store: Path) -> None:
    journal, _ = opened(store)
    journal.append((b"SET", b"b", b"2"), 4)
    now: Content = {0: {b"a": (b"1", None)}, 4: {b"b": (b"2", LATER)}}
    journal.rewrite(databases(now), functions=[b"#!lua name=x\n"])
    assert names(store) == ["appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"]
    assert journal.size == journal.base_size > 0
    journal.append((b"DEL", b"a"), 4)
    journal.close()
    sink = opened(store)[1]
    assert sink.facts[b"aof-base"] == b"1" and sink.functions == [b"#!lua name=x\n"]
    assert content(store) == (now, [[b"DEL", b"a"]])
    assert sink.commands[-2:] == [[b"SELECT", b"4"], [b"DEL", b"a"]]


def test_a_rewrite_whose_old_files_cannot_be_deleted_is_still_one(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    journal, _ = opened(store, warnings.append)
    unlink = Kernel(monkeypatch, "unlink")
    unlink.fail = errno.EPERM
    now: Content = {0: {b"a": (b"1", None)}}
    journal.rewrite(databases(now))
    journal.close()
    assert len(warnings) == 1 and "old files stay for now" in warnings[0]
    unlink.fail = 0
    assert content(store) == (now, [])
    assert names(store) == ["appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"]


def test_a_full_disk_ends_a_rewrite_and_nothing_else(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, _ = opened(store)
    write = Kernel(monkeypatch, "write")
    write.fail = errno.ENOSPC
    with pytest.raises(errors.StoreError):
        journal.rewrite(databases({0: {}}))
    real = write.real
    monkeypatch.setattr(os, "write", real)
    journal.begin_rewrite()
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space left"):
        journal.base(databases({0: {}})).write()
    journal.abort_rewrite()
    monkeypatch.setattr(os, "write", real)
    journal.append((b"SET", b"b", b"2"), 0)
    journal.close()
    assert content(store) == ({}, [[b"SET", b"a", b"1"], [b"SET", b"b", b"2"]])
    assert not [name for name in names(store) if name.startswith("temp")]


def test_rewrite_in_steps_takes_in_what_is_appended_meanwhile(store: Path) -> None:
    journal, _ = opened(store)
    journal.begin_rewrite()
    journal.append((b"SET", b"b", b"2"), 0)
    journal.flush()
    assert content(store) == ({}, [[b"SET", b"a", b"1"], [b"SET", b"b", b"2"]])
    child = os.fork()
    if not child:
        journal.base(databases({0: {b"a": (b"1", None)}})).write()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    journal.append((b"SET", b"c", b"3"), 0)
    journal.finish_rewrite()
    journal.append((b"SET", b"d", b"4"), 0)
    journal.close()
    assert content(store) == ({0: {b"a": (b"1", None)}}, [[b"SET", b"%c" % n, b"%c" % (n - 48)] for n in b"bcd"])


def test_an_aborted_rewrite_goes_on(store: Path) -> None:
    journal, _ = opened(store)
    for _ in range(2):
        journal.begin_rewrite()
        journal.abort_rewrite()
    journal.append((b"SET", b"b", b"2"), 0)
    journal.close()
    assert content(store) == ({}, [[b"SET", b"a", b"1"], [b"SET", b"b", b"2"]])
    assert manifest(store).count("type i") == 3
    journal, _ = opened(store)
    journal.rewrite(databases({0: {b"a": (b"1", None)}}))
    journal.close()
    assert names(store) == ["appendonly.aof.2.base.rdb", "appendonly.aof.4.incr.aof", "appendonly.aof.manifest"]


def test_starting_a_journal_supersedes_an_older_one(store: Path) -> None:
    now = {0: {b"z": (b"9", None)}}
    journal = Journal.start(str(store), Config(), databases(now))
    journal.append((b"DEL", b"z"), 0)
    journal.close()
    assert content(store) == (now, [[b"DEL", b"z"]])
    assert names(store) == ["appendonly.aof.2.base.rdb", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"]


@pytest.mark.parametrize(
    ("size", "base", "percentage", "least", "due"),
    [
        (200, 100, 100, 0, True),
        (199, 100, 100, 0, False),
        (200, 100, 100, 201, False),
        (900, 100, 0, 0, False),
        (10, 0, 100, 0, True),
    ],
)
def test_when_a_rewrite_is_due(size: int, base: int, percentage: int, least: int, due: bool, tmp_path: Path) -> None:
    config = {"auto-aof-rewrite-percentage": percentage, "auto-aof-rewrite-min-size": least}
    journal = Journal.open(str(tmp_path), Config(config), Collected())
    journal.length, journal.others, journal.base_size = size, 0, base
    assert journal.rewrite_due == due
    journal.close()


# -- a crash between any two steps


class Died(BaseException):
    """The process is gone."""


def dying(patch: pytest.MonkeyPatch, after: int) -> Callable[[], bool]:
    """Let ``after`` calls through, then end every further one. Gives whether it came to that."""
    count = 0

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kw: Any) -> Any:
            nonlocal count
            count += 1
            if count > after:
                raise Died
            return real(*args, **kw)

        return call

    for name in STEPS:
        patch.setattr(os, name, wrap(getattr(os, name)))
    return lambda: count > after


def rewriting(directory: Path) -> None:
    journal, _ = opened(directory)
    journal.append((b"SET", b"b", b"2"), 0)
    journal.flush()
    journal.rewrite(databases({0: {b"a": (b"1", None), b"b": (b"2", None)}}))
    journal.close()


def starting(directory: Path) -> None:
    Journal.start(str(directory), Config(), databases({0: {b"z": (b"9", None)}})).close()


def applied(directory: Path) -> dict[bytes, bytes]:
    """The dataset in database 0: the snapshot with the SETs on top."""
    snapshot, commands = content(directory)
    found = {key: value for key, (value, _) in snapshot.get(0, {}).items()}
    for _, key, value in commands:
        found[key] = value
    return found


@pytest.mark.parametrize(
    ("work", "before", "outcomes"),
    [
        (rewriting, "journal", [{b"a": b"1"}, {b"a": b"1", b"b": b"2"}]),
        (starting, "journal", [{b"a": b"1"}, {b"z": b"9"}]),
        (lambda directory: opened(directory)[0].close(), "nothing", [{}]),
        (lambda directory: opened(directory)[0].close(), "dump", [{b"d": b"4"}]),
        (lambda directory: opened(directory)[0].close(), "single file", [{b"e": b"5"}]),
    ],
)
def test_a_crash_at_every_step(
    work: Callable[[Path], None], before: str, outcomes: list[dict[bytes, bytes]], tmp_path: Path
) -> None:
    step = 0
    seen = []
    while True:
        directory = tmp_path / str(step)
        directory.mkdir()
        if before == "journal":
            journal, _ = opened(directory)
            journal.append((b"SET", b"a", b"1"), 0)
            journal.close()
        elif before == "dump":
            write_dump(str(directory / "dump.rdb"), databases({0: {b"d": (b"4", None)}}))
        elif before == "single file":
            (directory / "appendonly.aof").write_bytes(encode([(b"SET", b"e", b"5")]))
        with pytest.MonkeyPatch.context() as patch:
            died = dying(patch, step)
            with suppress(Died):
                work(directory)
        seen.append(applied(directory))
        assert seen[-1] in outcomes, step
        if not died():
            break
        step += 1
    assert seen[-1] == outcomes[-1]
    order = [outcomes.index(found) for found in seen]
    assert order == sorted(order), "once a step has been made durable, a later crash does not undo it"
    assert step > 8
