"""Scripts: replies, errors with file and line, formats, streaming, memory, the same on a server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.fake import Peer, fake
from tests.cli.program import COMMAND, Program
from tests.servers import RealServer

MIXED = b"""# comment
SET a 1

INCR a
NOSUCH
LPUSH a x
GET a
"""
UNKNOWN = "ERR unknown command 'NOSUCH', with args beginning with: "
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture(params=["embedded", "remote"])
def where(request: pytest.FixtureRequest) -> list[str]:
    """Options of a target: the embedded store, or a real server."""
    if request.param == "embedded":
        return []
    server: RealServer = request.getfixturevalue("server")
    return ["-s", server.socket]


def test_errors_have_file_and_line_and_the_rest_runs(p: Program, where: list[str]) -> None:
    done = p.run(*where, input=MIXED)
    assert (done.code, done.out) == (1, b"OK\n2\n2\n")
    assert done.err.splitlines()[0].startswith("stdin:5: ERR unknown command 'NOSUCH'")
    assert done.err.splitlines()[1] == f"stdin:6: {WRONG_TYPE}"


@pytest.mark.parametrize("option", ["-e", "--errexit"])
def test_errexit_stops_at_the_first_error(p: Program, where: list[str], option: str) -> None:
    done = p.run(*where, option, input=MIXED + b"SET late 1\n")
    assert (done.code, done.out) == (1, b"OK\n2\n")
    assert done.err.count("\n") == 1
    assert p.run(*where, "EXISTS", "late").out == b"0\n"


def test_commands_without_a_reply_print_nothing(p: Program) -> None:
    quiet = b"CLIENT REPLY SKIP\nSET k 1\nGET k\nCLIENT REPLY OFF\nINCR k\nCLIENT REPLY ON\nGET k\n"
    for form, out in (("--raw", b"1\nOK\n2\n"), ("--json", b'"1"\n"OK"\n"2"\n')):
        done = p.run(form, input=quiet)
        assert (done.code, done.out, done.err) == (0, out, "")
    assert p.run("CLIENT", "REPLY", "SKIP").out == b""


def test_run_is_the_same_as_a_pipe(p: Program, where: list[str]) -> None:
    path = p.home / "commands.txt"
    path.write_bytes(MIXED)
    piped = p.run(*where, input=MIXED)
    for words, name in ((["run", str(path)], str(path)), (["run", "-"], "stdin")):
        p.run(*where, "FLUSHALL")
        done = p.run(*where, *words, input=MIXED if name == "stdin" else b"")
        assert (done.code, done.out) == (piped.code, piped.out)
        assert done.err == piped.err.replace("stdin:", f"{name}:")


def test_run_takes_options_behind_it(p: Program) -> None:
    path = p.home / "commands.txt"
    path.write_bytes(MIXED)
    done = p.call("run", str(path), "-e", "--json", "--store", str(p.home / "other"))
    assert (done.code, done.lines[:2]) == (1, [b'"OK"', b"2"])
    assert (p.home / "other" / "lock").exists()


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (["run", "/nowhere/file"], 2, "redtool: cannot read /nowhere/file: no such file or directory\n"),
        (["run", "/"], 2, "redtool: cannot read /: it is a directory\n"),
        (["run"], 2, "redtool: missing argument 'FILE'; see redtool run --help\n"),
        (["-r", "2", "run", "-"], 2, "redtool: -r is for one command: redtool -r … COMMAND\n"),
        (["run", "-", "--test"], 2, "redtool: --test is for one command: redtool --test … COMMAND\n"),
    ],
)
def test_what_run_refuses(p: Program, words: list[str], code: int, err: str) -> None:
    done = p.call(*words)
    assert (done.code, done.out, done.err) == (code, b"", err)


def test_broken_quoting_is_told_and_the_rest_runs(p: Program) -> None:
    done = p.run(input=b'SET a "x"y\nSET b 1\nSET c "open\nmore\n')
    assert (done.code, done.out) == (2, b"OK\n")
    assert done.err == ('stdin:1: there is text right after a closing ": put a space between\n'
                        'stdin:3: the " quote opened on line 3 is not closed\n')  # fmt: skip
    done = p.run("--errexit", input=b'SET a "x"y\nSET late 1\n')
    assert (done.code, done.out) == (2, b"")
    assert p.run("EXISTS", "late").out == b"0\n"


def test_json_is_a_line_a_reply(p: Program, where: list[str]) -> None:
    done = p.run(*where, "--json", input=b"SET a 1\nHSET h f v\nHGETALL h\nLPUSH a x\nGET no\nINFO server\nPING\n")
    replies = [json.loads(line) for line in done.lines]
    assert replies[:3] == ["OK", 1, {"f": "v"}]
    assert replies[3] == {"error": {"code": "WRONGTYPE", "message": WRONG_TYPE}}
    assert replies[4] is None
    assert isinstance(replies[5], dict)
    assert replies[6] == "PONG"
    assert (done.code, done.err) == (1, f"stdin:4: {WRONG_TYPE}\n")


def test_csv_and_human(p: Program) -> None:
    script = b"RPUSH l a b\nLRANGE l 0 -1\nNOSUCH\nGET no\n"
    csv = p.run("--csv", input=script)
    assert csv.out == b'2\n"a","b"\nERROR,"%s"\nNULL\n' % UNKNOWN.encode()
    p.run("DEL", "l")
    human = p.run("--human", input=script)
    text = human.out.decode().splitlines()
    assert text[0] == "(integer) 2"
    assert [line.split() for line in text[3:5]] == [["0", "a"], ["1", "b"]]
    assert text[-1] == "(nil)"
    assert human.err == f"stdin:3: {UNKNOWN}\n"


def test_a_script_on_a_terminal_shows_tables(p: Program) -> None:
    path = p.home / "commands.txt"
    path.write_bytes(b"HSET h name Ada\nHGETALL h\nHGETAL h\n")
    text = p.terminal("run", str(path)).out.decode()
    assert "field  value" in text
    assert f"{path}:3: ERR unknown command 'HGETAL'" in text
    assert "did you mean HGETALL?" in text


def test_answers_line_by_line(p: Program, where: list[str]) -> None:
    child = p.start(*where)
    assert child.stdin and child.stdout and child.stderr
    with child:
        for line, reply in ((b"SET a 1", b"OK"), (b"INCR a", b"2"), (b'SET b "two', None), (b'lines"', b"OK")):
            child.stdin.write(line + b"\n")
            child.stdin.flush()
            assert reply is None or child.stdout.readline() == reply + b"\n"
        child.stdin.write(b"NOSUCH\n")
        child.stdin.flush()
        assert child.stderr.readline().startswith(b"stdin:5: ERR unknown command")
        child.stdin.write(b"GET b")  # no line end: run at the end of the stream
        child.stdin.close()
        assert child.stdout.read() == b"two\nlines\n"
        assert child.wait() == 1


def test_transactions_and_blocking_commands(p: Program, where: list[str]) -> None:
    script = b"MULTI\nSET a 1\nINCR a\nEXEC\nRPUSH q x\nBLPOP q 0\nBLPOP q 0.01\nPING\n"
    done = p.run(*where, input=script)
    assert (done.code, done.err) == (0, "")
    assert done.out == b"OK\nQUEUED\nQUEUED\nOK\n2\n1\nq\nx\n\nPONG\n"


@pytest.mark.parametrize(
    ("script", "code", "out", "err"),
    [
        (b"SET a 1\nMULTI\nSET a 2\n", 1, b"OK\nOK\nQUEUED\n", "ends in MULTI without EXEC"),
        (b"SET a 1\nMULTI\nSET a 2\nEXEC\n", 0, b"OK\nOK\nQUEUED\nOK\n", ""),
        (b"SET a 1\nMULTI\nSET a 2\nDISCARD\n", 0, b"OK\nOK\nQUEUED\nOK\n", ""),
        (b"\xef\xbb\xbfSET a 1\n", 0, b"OK\n", ""),  # the mark of some editors
        (b"SET a 1\n\xef\xbb\xbfGET a\n", 1, b"OK\n", "unknown command"),
    ],
)
def test_how_a_script_begins_and_ends(
    p: Program, where: list[str], script: bytes, code: int, out: bytes, err: str
) -> None:
    done = p.run(*where, input=script)
    assert (done.code, done.out) == (code, out)
    assert err in done.err
    assert bool(err) == bool(done.err)


def test_replies_before_a_waiting_command_are_not_held_back(p: Program, where: list[str]) -> None:
    child = p.start(*where)
    assert child.stdin and child.stdout
    with child:
        child.stdin.write(b"SET a 1\nBLPOP queue 0\nPING\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"OK\n"
        child.terminate()


def test_a_closed_pipe_ends_quietly(p: Program) -> None:
    p.run(input=b"".join(b"SET key:%d x\n" % n for n in range(20_000)))
    for feed, words in (("yes PING", []), ("true", ["KEYS", "*"]), ("true", ["scan"]), ("true", ["--help"])):
        command = " ".join([*COMMAND, *(f"'{word}'" for word in words)])
        shell = f"{feed} | ({command}; echo $? >&2) | head -1"
        done = subprocess.run(shell, shell=True, capture_output=True, timeout=60, check=True)
        assert (done.stdout.count(b"\n"), done.stderr) == (1, b"0\n"), shell


def test_a_full_device_is_an_error(p: Program) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, "PING"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"redtool: no space left on device\n")


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_stream_cannot_hit_the_store(p: Program, closed: int) -> None:
    command = " ".join(COMMAND)
    for words in ("SET a 1", "NOSUCH", ""):
        subprocess.run(f"echo 'SET b 2' | {command} {words} {closed}>&-", shell=True, check=False, capture_output=True)
    assert p.run("GET", "a").out == b"1\n"
    assert p.run("aof", "rewrite").code == 0


def test_ctrl_c(p: Program) -> None:
    child = p.start()
    assert child.stdin and child.stdout and child.stderr
    with child:
        child.stdin.write(b"SET a 1\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"OK\n"
        child.send_signal(signal.SIGINT)
        assert child.wait() == 130
        assert child.stderr.read() == b""
    assert p.run("GET", "a").out == b"1\n"


MEASURE = """
import os, sys
from redtool.__main__ import guarded, collect_garbage
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
code = guarded(["--store", sys.argv[1], "run", sys.argv[2]])
before = resident()
code += guarded(["--store", sys.argv[1], "run", sys.argv[3]])
os.write(2, b"%d %d %d" % (code, before, resident()))
"""


def test_memory_stays_flat(p: Program, tmp_path: Path) -> None:
    """A stream twenty times as long takes no more memory; the journal is on."""
    short, long = tmp_path / "short", tmp_path / "long"
    lines = b"".join(b"SET key:%d %d\n" % (n % 500, n) for n in range(15_000))
    short.write_bytes(lines)
    long.write_bytes(lines * 20)
    command = [sys.executable, "-c", MEASURE, str(p.store), str(short), str(long)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    code, before, after = map(int, done.stderr.split())
    assert code == 0
    assert after - before < 8 << 20


def test_a_lost_server_is_told_with_the_line(p: Program) -> None:
    def talk(peer: Peer) -> None:
        while b"SET" not in peer.read():
            peer.sock.sendall(b"+OK\r\n")
        peer.sock.sendall(b"+OK\r\n")

    with fake(talk) as server:
        done = p.run("-2", "-u", server.target, input=b"SET a 1\nSET b 2\n")
    assert (done.code, done.out) == (3, b"OK\n")
    assert done.err.startswith("redtool: stdin:2: connection lost after 1 of 2 replies")
