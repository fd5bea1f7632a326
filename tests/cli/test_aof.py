"""``redtool aof check`` and ``log``: stores' and servers' journals, whole, torn and damaged; and following one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.persist.datasets import serving
from tests.servers import named_servers

SCRIPT = b"""SET a 1
HSET "two words" f "x\\ny"
SELECT 3
MULTI
SET q caf\xc3\xa9
INCR n
EXEC
SELECT 0
DEL a
"""
LINES = ["SET a 1", 'HSET "two words" f "x\\ny"', "MULTI", 'SET q "caf\\xc3\\xa9"', "INCR n", "EXEC", "DEL a"]


@pytest.fixture
def increment(filled: Path) -> Path:
    """The increment of a store with two databases and a transaction."""
    return filled / "appendonlydir" / "appendonly.aof.1.incr.aof"


def words(*argv: bytes) -> bytes:
    return b"*%d\r\n" % len(argv) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in argv)


def log(p: Program, *options: str) -> list[list[str]]:
    done = p.call("aof", "log", *options)
    assert (done.code, done.err) == (0, "")
    return [line.decode().split("\t") for line in done.lines]


# -- check


def test_check(p: Program, increment: Path) -> None:
    size = increment.stat().st_size
    done = p.call("aof", "check")
    assert (done.code, done.err) == (0, "")
    base, last = (line.decode().split("\t") for line in done.lines)
    assert base[0::6] == ["base", "appendonly.aof.1.base.rdb"]
    assert last == ["increment", str(size), "", "10", str(size), "whole", "appendonly.aof.1.incr.aof"]
    found = json.loads(p.call("aof", "check", "--json").out)
    assert found["whole"] is True
    assert found["manifest"] == str(increment.parent / "appendonly.aof.manifest")
    assert found["files"][1] == {"file": increment.name, "kind": "increment", "size": size, "keys": None,
                                 "commands": 10, "whole_to": size, "problem": None}  # fmt: skip


@pytest.mark.parametrize(("tail", "problem"), [
    (b"*2\r\n$3\r\nDEL\r\n", "ends inside a command or transaction"),
    (words(b"MULTI") + words(b"DEL", b"q"), "ends inside a command or transaction"),
    (b"rubbish\r\n", "a command does not start with * and a count"),
])  # fmt: skip
def test_check_of_a_bad_end(p: Program, increment: Path, tail: bytes, problem: str) -> None:
    whole = increment.read_bytes()
    increment.write_bytes(whole + tail)
    done = p.call("aof", "check")
    assert done.code == 1
    assert done.err.startswith(f"redtool: {increment}: {problem}, at byte {len(whole)}\n")
    assert f"redtool aof fix {p.store} cuts the last {len(tail)} bytes off" in " ".join(done.err.split())
    found = json.loads(p.call("aof", "check", "--json").out)
    assert (found["whole"], found["files"][1]["problem"], found["files"][1]["whole_to"]) == (
        False, problem, len(whole))  # fmt: skip
    assert increment.read_bytes() == whole + tail
    assert p.call("aof", "fix").code == 0
    assert p.call("aof", "check").code == 0


def test_check_of_what_cannot_be_cut(p: Program, increment: Path) -> None:
    base = increment.parent / "appendonly.aof.1.base.rdb"
    base.write_bytes(base.read_bytes()[:-9])
    done = p.call("aof", "check")
    assert (done.code, "this takes a backup" in done.err) == (1, True)
    base.unlink()
    done = p.call("aof", "check")
    assert (done.code, f"{base}: missing" in done.err) == (1, True)


def test_what_a_path_names(p: Program, increment: Path, tmp_path: Path) -> None:
    counts = {}
    for path in (p.store, increment.parent, increment.parent / "appendonly.aof.manifest", increment):
        done = p.call("aof", "check", str(path), "--store", str(tmp_path / "none"))
        assert (done.code, done.err) == (0, "")
        counts[path] = len(done.lines)
    assert list(counts.values()) == [2, 2, 2, 1]
    assert not (tmp_path / "none").exists()
    old = tmp_path / "old"  # of Redis 6
    old.mkdir()
    shutil.copy(increment, old / "appendonly.aof")
    assert len(p.call("aof", "check", str(old)).lines) == 1
    assert p.call("aof", "check", str(tmp_path / "none")).code == 3
    empty = tmp_path / "empty"
    empty.mkdir()
    assert p.call("aof", "check", str(empty)).err == f"redtool: no journal in {empty}\n"
    shutil.copy(increment.parent / "appendonly.aof.manifest", empty / "a.manifest")
    shutil.copy(increment.parent / "appendonly.aof.manifest", empty / "b.manifest")
    assert "has several manifests; name one" in p.call("aof", "check", str(empty)).err
    assert p.call("-s", "/tmp/none", "aof", "check").code == 2


@pytest.mark.parametrize("name", named_servers())
def test_files_of_servers(p: Program, name: str, tmp_path: Path) -> None:
    options = ("--appendonly", "yes", "--aof-timestamp-enabled", "yes") if name != "redis6" else ("--appendonly", "yes")
    directory = tmp_path / "server"
    directory.mkdir()
    with serving(name, directory, *options) as server:
        server.call("SET", "k", "v")
    assert p.call("aof", "check", str(directory)).code == 0
    assert [line[4] for line in log(p, str(directory))][-1] == "SET k v"


@pytest.mark.parametrize("columns", [80, 140])
def test_check_on_a_terminal(p: Program, increment: Path, columns: int) -> None:
    text = p.terminal("aof", "check", columns=columns).out.decode()
    assert "10 commands        its end  appendonly.aof.1.incr.aof" in text
    assert max(map(len, text.splitlines())) <= columns


# -- log


def test_log(p: Program, increment: Path) -> None:
    found = log(p)
    assert [line[4] for line in found] == LINES
    assert [line[3] for line in found] == ["0", "0", "3", "3", "3", "3", "0"]
    assert {line[0] for line in found} == {increment.name}
    data = increment.read_bytes()
    assert data[int(found[-1][1]) :] == words(b"DEL", b"a")


@pytest.mark.parametrize(("options", "lines"), [
    ("--db 3", LINES[2:6]), ("-n 0", [*LINES[:2], LINES[6]]), ("--grep ^(set|DEL) --db 0", [LINES[0], LINES[6]]),
    ("--grep two.words", [LINES[1]]), ("--last 2", LINES[-2:]), ("--last 1 --grep set", [LINES[3]]),
    ("--db 5", []),
])  # fmt: skip
def test_log_of_some(p: Program, increment: Path, options: str, lines: list[str]) -> None:
    assert [line[4] for line in log(p, *options.split())] == lines


def test_log_in_other_formats(p: Program, increment: Path) -> None:
    found = json.loads(p.call("aof", "log", "--json", "--grep", "caf").out)
    assert found | {"offset": 0} == {"file": increment.name, "offset": 0, "time": None, "db": 3,
                                     "command": ["SET", "q", "café"]}  # fmt: skip
    assert p.call("aof", "log", "--csv", "--last", "1").out.endswith(b',NULL,0,"DEL a"\n')
    text = p.terminal("aof", "log").out.decode()
    assert text.startswith(f"# {increment}\n") or f"# {increment}\n" in text
    assert "  db3  SET q café\n" in text


def test_log_as_a_script_makes_the_same_data(p: Program, increment: Path, tmp_path: Path) -> None:
    script = p.call("aof", "log", "--script").out
    assert script.splitlines()[2:4] == [b"SELECT 3", b"MULTI"]
    other = str(tmp_path / "other")
    assert p.run("--store", other, "run", "-", input=script).code == 0
    for store in (str(p.store), other):
        assert p.call("--store", store, "-n", "3", "GET", "q").out.decode() == "café\n"
        assert p.call("--store", store, "-n", "3", "GET", "n").out == b"1\n"
        assert p.call("--store", store, "KEYS", "*").out == b"two words\n"


def test_log_of_a_damaged_journal_shows_what_is_before(p: Program, increment: Path) -> None:
    whole = increment.read_bytes()
    increment.write_bytes(whole + b"rubbish\r\n")
    done = p.call("aof", "log", "--last", "1")
    assert (done.code, done.out.endswith(b"\tDEL a\n")) == (1, True)
    assert f"does not start with * and a count at byte {len(whole)}" in done.err
    increment.write_bytes(whole + b"*1\r\n$4\r\nPI")
    done = p.call("aof", "log")
    assert (done.code, len(done.lines)) == (0, 7)
    assert "10 bytes at the end are no whole command" in " ".join(done.err.split())


def test_passwords_are_not_shown(p: Program, increment: Path) -> None:
    tail = words(b"CONFIG", b"SET", b"requirepass", b"hunter2") + words(b"ACL", b"SETUSER", b"u", b">hunter2")
    increment.write_bytes(increment.read_bytes() + tail)
    for options in ([], ["--json"], ["--csv"], ["--human"], ["--script"], ["--grep", "hunter2"]):
        done = p.call("aof", "log", *options)
        assert b"hunter2" not in done.out
    assert "2 commands with passwords in them are left out" in p.call("aof", "log", "--script").err


def test_log_with_times(p: Program, increment: Path) -> None:
    increment.write_bytes(increment.read_bytes() + b"#TS:1700000000\r\n" + words(b"SET", b"x", b"1")
                          + b"#TS:1700003600\r\n" + words(b"SET", b"y", b"2"))  # fmt: skip
    assert [line[2] for line in log(p)][-3:] == ["", "1700000000", "1700003600"]
    assert [line[4] for line in log(p, "--since", "1700000001")] == ["SET y 2"]
    assert [line[4] for line in log(p, "--since", "2023-11-01")] == ["SET x 1", "SET y 2"]
    assert log(p, "--since", "1h") == []
    assert "# 2023-11-1" in p.terminal("aof", "log").out.decode()


def test_log_without_times_says_so(p: Program, increment: Path) -> None:
    done = p.call("aof", "log", "--since", "10m")
    assert (done.code, done.out) == (0, b"")
    assert "The journal has no times" in done.err


@pytest.mark.parametrize(("options", "err"), [
    (["--since", "soon"], "--since takes a date, unix seconds, or an age"),
    (["--grep", "("], "--grep takes a regular expression"),
])
def test_misuse(p: Program, increment: Path, options: list[str], err: str) -> None:
    done = p.call("aof", "log", *options)
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith(f"redtool: {err}")


def test_log_of_long_commands_on_a_terminal(p: Program) -> None:
    p.run("RPUSH", "l", *(f"element-{n}" for n in range(300)))
    p.run("SET", "s", "x" * 5000)
    push, put = p.terminal("aof", "log").out.decode().splitlines()[-2:]
    assert push.startswith("       23  db0  RPUSH l element-0 ") and push.endswith(" more words")
    assert put.endswith('"… 5,000 bytes')
    assert len(push) <= 80


def test_follow(p: Program) -> None:
    """What others write is shown as it comes, over a rewrite too."""
    p.run("SET", "a", "1")
    child = p.start("aof", "log", "--follow", "--script")
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == b"SET a 1\n"
        p.run("SET", "b", "2")
        assert child.stdout.readline() == b"SET b 2\n"
        p.run("BGREWRITEAOF")
        p.run("SET", "c", "3")
        assert child.stdout.readline() == b"SET c 3\n"
    finally:
        child.send_signal(2)
        child.communicate(timeout=30)
    assert child.returncode == 130


def test_follow_ends_quietly_when_nobody_reads(p: Program) -> None:
    p.run("SET", "a", "1")
    with p.start("aof", "log", "--follow") as child:
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        p.run("SET", "b", "2")
        assert child.wait(timeout=30) == 0
        assert child.stderr.read() == b""
