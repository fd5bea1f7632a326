"""Looking over files of a closed store, and cutting damage off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from redtool import errors
from redtool.config import Config
from redtool.persist.aof import Journal
from redtool.persist.check import aof_files, fix_aof
from redtool.persist.snapshot import write_dump
from tests.persist.datasets import LATER, Collected, databases, sample, saved


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A base with two keys, an increment with a SELECT, a SET and a transaction."""
    journal = Journal.start(str(tmp_path), Config(), databases({0: {b"a": (b"1", None), b"b": (b"2", LATER)}}))
    for argv in ((b"SET", b"c", b"3"), (b"MULTI",), (b"DEL", b"a"), (b"EXEC",)):
        journal.append(argv, 0)
    journal.close()
    return tmp_path


def increment(store: Path) -> Path:
    return store / "appendonlydir" / "appendonly.aof.1.incr.aof"


def test_files_of_a_whole_journal(store: Path) -> None:
    base, last = aof_files(str(store), Config())
    assert (base.kind, base.contents.databases, base.problem) == ("b", {0: {"string": 2, "expires": 1}}, "")
    assert (last.kind, last.commands, last.problem) == ("i", 5, "")
    assert (last.size, last.whole) == (increment(store).stat().st_size,) * 2
    assert fix_aof(str(store), Config()) is None


@pytest.mark.parametrize(("tail", "problem"), [
    (b"*2\r\n$3\r\nDEL\r\n", "ends inside a command or transaction"),
    (b"*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n", "ends inside a command or transaction"),
    (b"rubbish\r\n", "a command does not start with * and a count"),
])  # fmt: skip
def test_damage_in_the_last_file_is_cut_and_kept(store: Path, tail: bytes, problem: str) -> None:
    path = increment(store)
    before = path.read_bytes()
    path.write_bytes(before + tail)
    report = aof_files(str(store), Config())[-1]
    assert (report.problem, report.whole, report.size) == (problem, len(before), len(before + tail))
    fixed = fix_aof(str(store), Config())
    assert fixed is not None
    assert path.read_bytes() == before
    assert Path(fixed[1]).read_bytes() == tail
    assert fix_aof(str(store), Config()) is None
    Journal.open(str(store), Config(), Collected(), pytest.fail).close()


def test_damage_elsewhere_is_not_cut(store: Path) -> None:
    base = store / "appendonlydir" / "appendonly.aof.1.base.rdb"
    data = base.read_bytes()
    base.write_bytes(data[:-9])
    with pytest.raises(errors.CorruptFile, match="only the last increment can be cut"):
        fix_aof(str(store), Config())
    assert base.read_bytes() == data[:-9]
    base.unlink()
    assert [report.problem for report in aof_files(str(store), Config())] == ["missing", ""]
    with pytest.raises(errors.CorruptFile):
        fix_aof(str(store), Config())


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreError, match="no journal in"):
        aof_files(str(tmp_path), Config())


def test_a_failed_snapshot_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dump.rdb"
    write_dump(str(path), databases({0: {b"a": (b"1", None)}}))
    before = path.read_bytes()

    def refuse(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        write_dump(str(path), databases(sample()))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["dump.rdb"]
    assert before[:9] == saved({})[:9]
