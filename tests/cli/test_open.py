"""``redtool open``: commands, verbs, scripts and the terminal on dumps and on directories that are there."""

from __future__ import annotations

from pathlib import Path

import pexpect
import pytest

from tests.cli.program import COMMAND, CONTROL, Program
from tests.persist.datasets import serving

SCRIPT = b"SET a 1\nHSET user:1 name Ada\nZADD board 1 ann 2 bob\nSET -x odd\nSELECT 3\nSET other 2\nSAVE\n"


@pytest.fixture
def dump(filled: Path) -> str:
    return str(filled / "dump.rdb")


@pytest.mark.parametrize(("words", "out"), [
    (["GET", "a"], b"1\n"),
    (["--json", "HGETALL", "user:1"], b'{"name":"Ada"}\n'),
    (["ZRANGE", "board", "0", "-1"], b"ann\nbob\n"),
    (["GET", "-x"], b"odd\n"),
    (["-n", "3", "GET", "other"], b"2\n"),
    (["ECHO", "--json"], b"--json\n"),
    (["ECHO", "-h"], b"-h\n"),
    (["--", "scan", "0", "match", "user:*"], b"0\nuser:1\n"),
    (["scan", "user:*"], b"user:1\n"),
    (["scan", "board", "--json"], b'"board"\n'),
    (["config", "get", "appendonly"], b"appendonly\nyes\n"),
])  # fmt: skip
def test_one_command(p: Program, dump: str, words: list[str], out: bytes) -> None:
    done = p.call("open", dump, *words)
    assert (done.code, done.out, done.err) == (0, out, "")


def test_options_may_stand_before(p: Program, dump: str) -> None:
    assert p.call("--json", "-n", "3", "open", dump, "GET", "other").out == b'"2"\n'


def test_a_dump_is_not_written_to(p: Program, dump: str) -> None:
    before = Path(dump).read_bytes()
    done = p.call("open", dump, "SET", "a", "2")
    assert (done.code, done.out) == (1, b"")
    assert done.err.startswith("READONLY ")
    for words in (["DEL", "a"], ["FLUSHALL"], ["EXPIRE", "a", "1"]):
        assert p.call("open", dump, *words).code == 1
    assert p.call("open", dump, "GET", "a").out == b"1\n"
    assert Path(dump).read_bytes() == before


def test_a_dump_by_any_name(p: Program, dump: str, tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb.monday"
    path.write_bytes(Path(dump).read_bytes())
    assert p.call("open", str(path), "GET", "a").out == b"1\n"
    assert p.call("--store", str(path), "GET", "a").out == b"1\n"
    assert p.call("open", str(path), "SET", "a", "2").code == 1
    path.write_text("no dump\n")
    done = p.call("open", str(path), "GET", "a")
    assert (done.code, done.err) == (3, f"redtool: {path}: not an RDB file at byte 0\n")


def test_a_directory_is_written_to(p: Program, dump: str) -> None:
    assert p.call("open", str(p.store), "INCR", "a").out == b"2\n"
    assert p.call("GET", "a").out == b"2\n"


def test_the_directory_of_a_server(p: Program, tmp_path: Path) -> None:
    directory = tmp_path / "server"
    directory.mkdir()
    with serving("valkey", directory, "--appendonly", "yes") as server:
        server.call("SET", "k", "v")
    assert p.call("open", str(directory), "GET", "k").out == b"v\n"


def test_the_directory_of_a_server_at_work(p: Program, tmp_path: Path) -> None:
    directory = tmp_path / "server"
    directory.mkdir()
    with serving("valkey", directory, "--appendonly", "yes") as server:
        server.call("SET", "k", "v")
        before = sorted(directory.rglob("*"))
        for words in (["open", str(directory), "GET", "k"], ["aof", "fix", str(directory)]):
            done = p.call(*words)
            assert (done.code, done.out) == (3, b"")
            assert f"{directory} is in use by a server (valkey-server, process " in done.err
        assert sorted(directory.rglob("*")) == before


def test_a_damaged_dump_says_what_shows_more(p: Program, dump: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.rdb"
    path.write_bytes(Path(dump).read_bytes()[:-9])
    done = p.call("open", str(path), "DBSIZE")
    assert (done.code, done.out) == (3, b"")
    assert done.err.endswith(f"; redtool rdb check {path}\n")


def test_what_is_not_there_is_not_made(p: Program, tmp_path: Path) -> None:
    for name in ("none", "none.rdb"):
        done = p.call("open", str(tmp_path / name), "GET", "a")
        assert (done.code, done.err) == (2, f"redtool: there is no {tmp_path / name}\n")
        assert not (tmp_path / name).exists()
    empty = tmp_path / "empty"
    empty.mkdir()
    done = p.call("open", str(empty), "SET", "a", "1")
    assert (done.code, "is not a store's directory; to make it one: redtool --store" in done.err) == (2, True)
    assert list(empty.iterdir()) == []


def test_a_script(p: Program, dump: str) -> None:
    done = p.run("open", dump, "--raw", input=b"GET a\nSET a 2\nSELECT 3\nGET other\n")
    assert (done.code, done.out) == (1, b"1\nOK\n2\n")
    assert done.err.startswith("stdin:2: READONLY ")


@pytest.mark.parametrize(("words", "err"), [
    ("-s /tmp/x open {dump} GET a", "redtool open says itself what is opened: leave out -s"),
    ("open {dump} --mem GET a", "redtool open says itself what is opened: leave out --mem"),
    ("--store /tmp open {dump}", "redtool open says itself what is opened: leave out --store"),
    ("open", "missing argument 'PATH'; see redtool open --help"),
])  # fmt: skip
def test_misuse(p: Program, dump: str, words: str, err: str) -> None:
    done = p.call(*[word.format(dump=dump) for word in words.split()])
    assert (done.code, done.out, done.err) == (2, b"", f"redtool: {err}\n")


def test_the_terminal(p: Program, dump: str) -> None:
    child = pexpect.spawn(COMMAND[0], [*COMMAND[1:], "open", dump], dimensions=(40, 80), timeout=30)
    child.expect_exact("dump.rdb: 5 keys in 2 databases, for reading. HELP explains, Ctrl-D leaves.")
    child.expect_exact("dump.rdb")
    child.send("SET a 2\r")
    child.expect_exact("READONLY")
    child.send("GET a\r")
    child.expect_exact('"1"')
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "Traceback" not in CONTROL.sub("", (child.before or b"").decode())


def test_help(p: Program) -> None:
    text = p.call("open", "--help").out.decode()
    assert text.startswith("redtool open PATH [WORD…]")
    assert "redtool open dump.rdb HGETALL user:1" in text
