"""One command from the shell: replies, formats, exit codes, repeats, stdin as the last argument."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress

import pytest

from tests.cli.program import Program
from tests.servers import RealServer, running


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["PING"], b"PONG\n"),
        (["set", "greeting", "hello world", "EX", "60"], b"OK\n"),
        (["GET", "nothing"], b"\n"),
        (["--", "scan", "0"], b"0\n\n"),
        (["SCAN", "0"], b"0\n\n"),
        (["Scan", "0"], b"0\n\n"),
        (["ECHO", ""], b"\n"),
        (["ECHO", "--json"], b"--json\n"),
        (["ECHO", "-x"], b"-x\n"),
        (["--json", "ECHO", "x"], b'"x"\n'),
        (["--json", "GET", "nothing"], b"null\n"),
        (["--csv", "MGET", "a", "b"], b"NULL,NULL\n"),
        (["--human", "INCR", "n"], b"(integer) 1\n"),
        (["--no-raw", "GET", "nothing"], b"(nil)\n"),
        (["--human", "--raw", "INCR", "n"], b"1\n"),
        (["--raw", "--json", "INCR", "n"], b"1\n"),
        (["-r", "3", "INCR", "n"], b"1\n2\n3\n"),
        (["-r", "0", "INCR", "n"], b""),
        (["-r", "2", "-i", "0", "INCR", "n"], b"1\n2\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_reply(p: Program, words: list[str], out: bytes) -> None:
    done = p.call(*words)
    assert (done.code, done.out, done.err) == (0, out, "")


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        (["NOSUCH", "a"], 1, "ERR unknown command 'NOSUCH', with args beginning with: 'a' \n"),
        ([""], 1, "ERR unknown command '', with args beginning with: \n"),
        (["GET"], 1, "ERR wrong number of arguments for 'get' command\n"),
        (["INCR", "text"], 1, "ERR value is not an integer or out of range\n"),
        (["LPUSH", "text", "x"], 1, "WRONGTYPE Operation against a key holding the wrong kind of value\n"),
        (["--nosuch", "PING"], 2, "redtool: unknown option --nosuch; see redtool --help\n"),
        (["--jsom", "PING"], 2, "redtool: unknown option --jsom; did you mean --json?\n"),
        (["--json=yes", "PING"], 2, "redtool: --json takes no value\n"),
        (["--store"], 2, "redtool: --store needs a value: --store DIR\n"),
        (["--wait", "soon", "PING"], 2, "redtool: --wait takes a number of seconds\n"),
        (["--wait", "nan", "PING"], 2, "redtool: --wait takes a number of seconds\n"),
        (["--wait", "-1", "PING"], 2, "redtool: --wait takes a number of seconds\n"),
        (["--store", "", "PING"], 2, "redtool: the path of the store is empty\n"),
        (["-r", "often", "PING"], 2, "redtool: -r takes a number of times, -i a number of seconds\n"),
        (["-i", "-1", "PING"], 2, "redtool: -r takes a number of times or -1, -i a number of seconds\n"),
        (["-n", "x", "PING"], 2, "redtool: the database must be a number\n"),
        (["--"], 2, "redtool: no command given; for example: redtool PING\n"),
        (["-x"], 2, "redtool: no command given; for example: redtool PING\n"),
        (["--store", "a", "--mem", "PING"], 2, "redtool: --store and --mem exclude each other\n"),
        (["-s", "/nowhere/s", "PING"], 3, "redtool: cannot connect to /nowhere/s: no such file or directory\n"),
        (["--store", "/nowhere/x.rdb", "PING"], 3, "redtool: cannot open /nowhere/x.rdb: no such file\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_failure(p: Program, words: list[str], code: int, err: str) -> None:
    p.call("SET", "text", "abc")
    done = p.call(*words)
    assert (done.code, done.out, done.err) == (code, b"", err)


def test_error_as_json_is_a_reply(p: Program) -> None:
    done = p.call("--json", "NOSUCH")
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["error"]["code"] == "ERR"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["EXISTS", "yes"], 0), (["EXISTS", "no"], 1), (["GET", "no"], 1), (["GET", "zero"], 1), (["GET", "empty"], 1),
        (["LRANGE", "no", "0", "-1"], 1), (["GET", "yes"], 0), (["GET"], 1), (["SET", "yes", "2", "NX"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_test(p: Program, words: list[str], code: int) -> None:
    for key, value in (("yes", "1"), ("zero", "0"), ("empty", "")):
        p.call("SET", key, value)
    assert p.call("--test", *words).code == code


def test_repeat_gives_the_worst_code(p: Program) -> None:
    p.call("SET", "n", "9223372036854775806")
    done = p.call("-r", "2", "INCR", "n")
    assert (done.code, done.out) == (1, b"9223372036854775807\n")


@pytest.mark.parametrize("data", [b"", b"line\n", bytes(range(256)), b"a\0b\r\n\n"])
def test_last_argument_from_stdin(p: Program, data: bytes) -> None:
    assert p.run("-x", "SET", "k", input=data).out == b"OK\n"
    assert p.run("GET", "k").out == data + b"\n"


def test_arguments_that_are_not_utf8(p: Program) -> None:
    assert p.run("SET", b"k\xff\xfe", b"\x80").code == 0
    assert p.run("GET", b"k\xff\xfe").out == b"\x80\n"
    assert p.run("--json", "KEYS", "*").out == b'[{"base64":"a//+"}]\n'
    assert p.run("NO\udcff".encode("utf-8", "surrogateescape"), b"\xff").code == 1
    assert p.run("GET", b"k\xff\xfe", env={"LC_ALL": "C", "PYTHONUTF8": "0"}).out == b"\x80\n"


def test_a_terminal_gets_what_people_read(p: Program) -> None:
    p.call("HSET", "h", "name", "Ada", "born", "1815")
    done = p.terminal("HGETALL", "h")
    assert done.out.decode().splitlines()[0].split() == ["field", "value"]
    assert p.terminal("--raw", "HGETALL", "h").out == b"name\nAda\nborn\n1815\n"


def test_a_terminal_gets_a_suggestion(p: Program) -> None:
    done = p.terminal("ZAD", "k", "1", "a")
    assert done.code == 1
    assert done.out.decode().splitlines()[-1] == "did you mean ZADD?"
    assert b"mean" not in p.terminal("--raw", "ZAD", "k").out
    assert b"mean" not in p.terminal("GET").out


def test_ctrl_c_ends_a_waiting_command(p: Program) -> None:
    child = p.start("BLPOP", "queue", "0")
    assert child.stderr and child.stdout
    while not (p.store / "lock").exists() or not (p.store / "lock").read_bytes():
        assert child.poll() is None
    while True:  # the signal may come before Python is ready for it: send it until it is heard
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)
        with suppress(TimeoutError, Exception):
            child.wait(0.2)
            break
    with child:
        assert child.returncode == 130
        assert child.stdout.read() == b""
        assert child.stderr.read() == b""
    assert p.call("PING").code == 0


def test_ctrl_c_ends_monitor(p: Program) -> None:
    child = p.start("MONITOR")
    assert child.stdout
    assert child.stdout.readline() == b"OK\n"
    child.send_signal(signal.SIGINT)
    with child:
        assert child.stdout.read() == b""
    assert child.returncode == 130


def test_ctrl_c_ends_a_subscription(p: Program) -> None:
    child = p.start("--csv", "SUBSCRIBE", "news", "sport")
    assert child.stdout
    assert [child.stdout.readline() for _ in range(2)] == [b'"subscribe","news",1\n', b'"subscribe","sport",2\n']
    child.send_signal(signal.SIGINT)
    with child:
        assert child.stdout.read() == b""
    assert child.returncode == 130


CONFIRMED = [
    ((), b"subscribe\na\n1\nsubscribe\nb\n2\n1\nunsubscribe\na\n1\nunsubscribe\nb\n0\nmessage\na\nhi\n"),
    (("--json",), b'["subscribe","a",1]\n["subscribe","b",2]\n1\n["unsubscribe","a",1]\n["unsubscribe","b",0]\n'
                  b'["message","a","hi"]\n'),
    (("--csv",), b'"subscribe","a",1\n"subscribe","b",2\n1\n"unsubscribe","a",1\n"unsubscribe","b",0\n'
                 b'"message","a","hi"\n'),
    (("--human",), b"subscribe  a  1\nsubscribe  b  2\n(integer) 1\nunsubscribe  a  1\nunsubscribe  b  0\n"
                   b"message  a  hi\n"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "shown"), CONFIRMED, ids=["raw", "json", "csv", "human"])
def test_each_confirmation_is_printed_by_itself(p: Program, server: RealServer, options: tuple[str, ...],
                                                shown: bytes) -> None:  # fmt: skip
    for target in (("--mem",), ("-s", server.socket)):
        done = p.run(*target, *options, "-3", input=b"SUBSCRIBE a b\nPUBLISH a hi\nUNSUBSCRIBE a\nUNSUBSCRIBE b\n")
        assert (done.code, done.out, done.err) == (0, shown, "")


def test_a_script_that_subscribes_listens_until_ctrl_c(p: Program) -> None:
    child = p.start("--csv", "-3")
    assert child.stdin and child.stdout
    child.stdin.write(b"CONFIG SET notify-keyspace-events Ex\nPSUBSCRIBE __keyevent@*\nSET k v PX 1\n")
    child.stdin.close()
    lines = [child.stdout.readline() for _ in range(4)]
    assert lines[0] == lines[2] == b'"OK"\n'
    assert lines[3] == b'"pmessage","__keyevent@*","__keyevent@0__:expired","k"\n'
    child.send_signal(signal.SIGINT)
    child.stdin = None
    with child:
        assert child.stdout.read() == b""
    assert child.returncode == 130


def test_remote(p: Program, server: RealServer) -> None:
    assert p.call("-s", server.socket, "SET", "k", "v").out == b"OK\n"
    assert p.call("-u", f"unix://{server.socket}", "GET", "k").out == b"v\n"
    assert server.call("GET", "k") == b"v"
    done = p.call("-s", server.socket, "LPUSH", "k", "x")
    assert (done.code, done.err[:9]) == (1, "WRONGTYPE")
    assert p.call("-s", server.socket, "-n", "3", "SET", "k", "three").code == 0
    assert p.call("-s", server.socket, "-r", "2", "INCR", "n").out == b"1\n2\n"


def test_subscription_streams_until_the_server_goes(p: Program) -> None:
    with running("valkey") as server:
        child = p.start("-s", server.socket, "SUBSCRIBE", "news")
        assert child.stdout and child.stderr
        assert [child.stdout.readline() for _ in range(3)] == [b"subscribe\n", b"news\n", b"1\n"]
        server.call("PUBLISH", "news", "hello")
        assert [child.stdout.readline() for _ in range(3)] == [b"message\n", b"news\n", b"hello\n"]
    with child:
        assert child.wait(30) == 3
        assert b"Traceback" not in child.stderr.read()


def test_a_user_of_a_store_is_not_taken_for_another(p: Program) -> None:
    """A store lets its owner in, yet who names a user is that user, and a wrong password is told of."""
    store = ("--store", str(p.home / "users"))
    p.run(*store, "ACL", "SETUSER", "reader", "on", ">pw", "~k*", "+get")
    p.run(*store, "ACL", "SETUSER", "guest", "on", "nopass", "+acl|whoami")
    reader = p.run(*store, "--user", "reader", "-a", "pw", "SET", "k", "v")
    assert (reader.code, reader.err) == (1, "NOPERM User reader has no permissions to run the 'set' command\n")
    wrong = p.run(*store, "--user", "reader", "-a", "s3cret-word", "GET", "k")
    assert (wrong.code, "WRONGPASS" in wrong.err, "s3cret" in wrong.err) == (3, True, False)
    assert p.run(*store, "-a", "pw", "PING").code == 3
    assert p.run(*store, "--user", "guest", "ACL", "WHOAMI").out == b"guest\n"
    assert p.run(*store, "ACL", "WHOAMI", env={"REDISCLI_AUTH": "for a server"}).out == b"default\n"


def test_password_is_used_and_never_shown(p: Program) -> None:
    secret = "s3cret-word"
    with running("valkey", "--requirepass", secret) as server:
        good = p.run("-s", server.socket, "-a", secret, "PING")
        assert (good.code, good.out, good.err) == (0, b"PONG\n", "")
        assert p.run("-s", server.socket, "PING", env={"REDISCLI_AUTH": secret}).out == b"PONG\n"
        wrong = p.run("-s", server.socket, "-a", secret + "X", "PING")
        assert wrong.code == 3
        assert secret not in wrong.err
    for words in (["-u", f"redis://:{secret}@localhost:99999", "PING"], ["-a", secret, "-p", "1", "PING"],
                  ["-u", f"redis://u:{secret}@/x?nosuch=1", "PING"], [f"--pass={secret}", "--nosuch", "PING"],
                  [f"--passwort={secret}", "PING"], ["-p", "1", "--user", "u", "-a", secret, "scan"]):  # fmt: skip
        done = p.run(*words)
        assert done.code in (2, 3)
        assert secret not in done.err


def test_who_is_shut_out_is_told_where_the_users_stand(p: Program) -> None:
    assert p.call("ACL", "SETUSER", "default", "-@all").code == 0
    done = p.call("GET", "k")
    assert done.code == 1
    first, second = done.err.splitlines()
    assert first.startswith("NOPERM User default has no permissions")
    assert second.startswith("the users of this store stand in ")
    assert second.endswith("redtool.conf; --user NAME is another of them")


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        ticks = file.read().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def test_a_second_ctrl_c_ends_a_script_that_no_hook_reaches(p: Program) -> None:
    """A pattern that backtracks for ever, inside one call of Lua's own C code."""
    script = "return ('a'):rep(50):find(('a*'):rep(50) .. 'b')"
    with p.start("--mem", "EVAL", script, "0", stderr=subprocess.PIPE) as child:
        while cpu_seconds(child.pid) < 1:  # by then it is in there
            assert child.poll() is None
        while child.poll() is None:
            child.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                child.wait(0.1)
        assert child.stderr is not None
        assert (child.returncode, child.stderr.read()) == (130, b"redtool: ended in the middle of a script\n")
