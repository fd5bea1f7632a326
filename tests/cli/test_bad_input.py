"""What goes wrong outside: disks, permissions, other processes, damaged files. A clear line, a code, no loss."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
from pathlib import Path

import pytest

from redtool.persistence import take_lock
from tests.cli.program import COMMAND, Program

DROP_BOUND = 24  # prctl(PR_CAPBSET_DROP, …)
OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: what lets root ignore modes
MEGABYTE = 1 << 20


def obey_modes() -> None:
    """Make the child obey file modes even when root runs the tests."""
    libc = ctypes.CDLL(None)
    for capability in OVERRIDES:
        libc.prctl(DROP_BOUND, capability, 0, 0, 0)


def full_at(size: int) -> object:
    """A function for the child: no file may grow beyond ``size`` bytes, which fails a write as a full disk does."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def one_line(err: str) -> bool:
    return err.startswith("redtool: ") and err.count("\n") == 1


def test_a_large_value_comes_back_whole(p: Program, tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(os.urandom(MEGABYTE) * 100)
    with source.open("rb") as file:
        done = subprocess.run([*COMMAND, "-x", "SET", "large"], stdin=file, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"OK\n", b"")
    with copy.open("wb") as file:
        assert subprocess.run([*COMMAND, "GET", "large"], stdout=file, check=False).returncode == 0
    assert copy.stat().st_size == 100 * MEGABYTE + 1
    with source.open("rb") as left, copy.open("rb") as right:
        while piece := left.read(MEGABYTE):
            assert right.read(MEGABYTE) == piece
    assert p.run("STRLEN", "large").out == b"104857600\n"


def test_a_value_over_the_limit_is_refused(p: Program) -> None:
    p.call("SET", "k", "old")
    assert p.call("SETRANGE", "k", str(512 * MEGABYTE), "x").code == 1
    assert p.call("GET", "k").out == b"old\n"


@pytest.mark.parametrize("words", [["SET", "a", "2"], ["GET", "a"], ["scan"], ["policy"], []], ids=" ".join)
def test_a_directory_without_permission(p: Program, words: list[str]) -> None:
    p.call("SET", "a", "1")
    shut = p.home / "shut"
    shut.mkdir()
    shut.chmod(0o555)
    done = p.run("--store", str(shut / "new"), *words, input=b"SET a 2\n", preexec_fn=obey_modes)
    assert (done.code, done.out) == (3, b"")
    assert one_line(done.err)
    assert "permission denied" in done.err


def test_a_store_that_may_not_be_written(p: Program) -> None:
    p.call("SET", "a", "1")
    paths = [p.store, *p.store.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = p.run("SET", "a", "2", preexec_fn=obey_modes)
    assert (done.code, done.out) == (3, b"")
    assert one_line(done.err)
    assert "permission denied" in done.err
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert p.call("GET", "a").out == b"1\n"


def test_saving_where_nothing_may_be_created(p: Program) -> None:
    p.call("SET", "a", "1")
    p.store.chmod(0o555)
    done = p.run("SAVE", preexec_fn=obey_modes)
    assert (done.code, done.out) == (1, b"")
    assert "permission denied" in done.err.lower()
    done = p.run("bgsave", "--wait", preexec_fn=obey_modes)
    assert (done.code, done.err) == (1, "redtool: saving failed; the files are as they were before\n")
    p.store.chmod(0o755)
    assert p.call("GET", "a").out == b"1\n"


def test_a_full_disk_one_shot(p: Program) -> None:
    p.call("SET", "keep", "me")
    done = p.run("-x", "SET", "large", input=b"x" * 100_000, preexec_fn=full_at(20_000))
    assert (done.code, done.out) == (3, b"")
    assert one_line(done.err)
    assert "appendonly.aof" in done.err
    assert p.call("EXISTS", "large").out == b"0\n"
    assert p.call("GET", "keep").out == b"me\n"
    assert p.call("SET", "after", "1").out == b"OK\n"


def test_a_full_disk_in_a_script(p: Program) -> None:
    """Every acknowledged write is there afterwards, and the line where it ended is told."""
    p.call("SET", "keep", "me")
    child = p.start(preexec_fn=full_at(20_000))
    assert child.stdin and child.stdout and child.stderr
    acknowledged = 0
    with child:
        while True:
            try:
                child.stdin.write(b"SET key:%d %s\n" % (acknowledged, b"x" * 500))
                child.stdin.flush()
            except BrokenPipeError:
                break
            if child.stdout.readline() != b"OK\n":
                break
            acknowledged += 1
        child.stdin.close()
        err = child.stderr.read().decode()
    assert child.returncode == 3
    assert one_line(err)
    assert f"stdin:{acknowledged + 1}: cannot write" in err
    assert acknowledged > 10
    assert p.call("DBSIZE").out == b"%d\n" % (acknowledged + 1)
    assert p.call("EXISTS", *[f"key:{n}" for n in range(acknowledged)]).out == b"%d\n" % acknowledged


@pytest.mark.parametrize("words", [["bgsave", "--wait"], ["aof", "rewrite", "--wait"], ["SAVE"]], ids=" ".join)
def test_a_full_disk_while_saving(p: Program, words: list[str]) -> None:
    p.run("-x", "SET", "large", input=os.urandom(50_000))
    done = p.run(*words, preexec_fn=full_at(20_000))
    assert done.code in (1, 3)
    assert done.err
    assert p.call("STRLEN", "large").out == b"50000\n"
    assert p.call(*words).code == 0
    assert p.call("STRLEN", "large").out == b"50000\n"


@pytest.mark.parametrize("line", ["GET a", "scan", "run -", "aof status", "bgsave --wait"])
def test_a_store_held_by_another_process(p: Program, line: str) -> None:
    """One that serves nobody."""
    assert p.call("SET", "a", "1").code == 0
    lock = take_lock(str(p.store), 0)
    done = p.run("--wait", "0.2", *line.split(), input=b"SET a 2\n")
    assert (done.code, done.out) == (3, b"")
    assert done.err == f"redtool: the store {p.store} is in use by process {os.getpid()}\n"
    os.close(lock)
    assert p.call("GET", "a").out == b"1\n"


def test_a_store_that_is_none(p: Program) -> None:
    path = p.home / "file"
    path.write_bytes(b"text")
    done = p.call("--store", str(path), "PING")
    assert (done.code, done.out) == (3, b"")
    assert one_line(done.err)
    assert path.read_bytes() == b"text"


def test_a_torn_tail_is_cut_and_told(p: Program) -> None:
    p.call("SET", "a", "1")
    with (p.store / "appendonlydir" / "appendonly.aof.1.incr.aof").open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$1\r\nb")
    done = p.run("KEYS", "*")
    assert (done.code, done.out) == (0, b"a\n")
    assert one_line(done.err)
    assert p.run("KEYS", "*").err == ""


@pytest.mark.parametrize("name", ["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest"])
def test_a_damaged_file_stops_with_its_name(p: Program, name: str) -> None:
    p.run(input=b"".join(b"SET key:%d value\n" % n for n in range(100)))
    path = p.store / "appendonlydir" / name
    before = path.read_bytes()
    path.write_bytes(before[: len(before) // 2] + b"\xff\x00garbage\xff" + before[len(before) // 2 :])
    done = p.run("GET", "key:1")
    assert (done.code, done.out) == (3, b"")
    assert one_line(done.err)
    assert name in done.err
    path.write_bytes(before)
    assert p.run("GET", "key:1").out == b"value\n"


def test_a_dump_is_read_only(p: Program) -> None:
    p.run(input=b"SET a 1\nSAVE\n")
    dump = str(p.store / "dump.rdb")
    assert p.call("--store", dump, "GET", "a").out == b"1\n"
    done = p.call("--store", dump, "SET", "a", "2")
    assert (done.code, done.out, done.err[:8]) == (1, b"", "READONLY")
    Path(dump).write_bytes(b"no dump")
    done = p.call("--store", dump, "GET", "a")
    assert done.code == 3
    assert one_line(done.err)
