"""redtool serve: its words, its ends, a redis.conf, the background, and a program that the server lives for."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from redtool import errors
from redtool.cli.directives import arrange
from redtool.cli.program import url_of
from redtool.server.addresses import port_holder
from redtool.server.log import Log
from redtool.server.service import Service
from redtool.server.setup import Setup
from tests.cli.program import COMMAND, Program
from tests.servers import Client

LIMIT = 60.0  # seconds until something is given up that should long be there


def until(ready: Any) -> Any:
    """Wait for a thing to be true; gives it."""
    end = monotonic() + LIMIT
    while not (found := ready()):
        assert monotonic() < end, "it never came"
        sleep(0.01)
    return found


@pytest.fixture
def here() -> Iterator[Path]:
    """A directory whose name leaves room for a socket's."""
    path = Path(tempfile.mkdtemp(prefix="rt-"))
    yield path
    shutil.rmtree(path)


@contextmanager
def serving(p: Program, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server in the foreground, and the line that says that it is ready."""
    process = p.start("serve", *words)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().decode()
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Exit code and what was said on stderr."""
    _, err = process.communicate(timeout=LIMIT)
    return process.returncode, err.decode()


# -- the words


OWN = {"--port": True, "--bind": True, "--detach": False, "--set": True, "--requirepass": True}


@pytest.mark.parametrize(("typed", "read"), [
    ("", [""]),
    ("FILE", ["FILE"]),
    ("FILE --port 7000", ["--port=7000", "FILE"]),
    ("--port 7000 FILE", ["--port=7000", "FILE"]),
    ("--bind 127.0.0.1 -::1 --port=7", ["--bind=127.0.0.1 -::1", "--port=7", ""]),
    ("--save 60 1 300 10 --detach", ["--set=save 60 1 300 10", "--detach", ""]),
    ("--save 60 1 --store DIR FILE", ["--set=save 60 1", "--store", "DIR", "FILE"]),
    ("--maxmemory 1gb -- CMD --port 5", ["--set=maxmemory 1gb", "", "--", "CMD", "--port", "5"]),
    ("--MAXMEMORY 1gb", ["--set=maxmemory 1gb", ""]),
    ("FILE -- CMD", ["FILE", "--", "CMD"]),
    ("--user ada on nopass", ["--set=user ada on nopass", ""]),
    ("--rename-command FLUSHALL x -", ["--set=rename-command FLUSHALL x -", ""]),
    ("- --hz 5", ["--set=hz 5", "-"]),
    ("-p 7000 --mem", ["-p", "7000", "--mem", ""]),
    ("--set 'hz 5'", ["--set", "'hz", "5'"]),
])  # fmt: skip
def test_words_as_redis_server_takes_them(typed: str, read: list[str]) -> None:
    assert arrange(typed.split(), OWN) == read


def test_words_are_quoted_where_they_must_be() -> None:
    assert arrange(["--requirepass", "a b"], OWN) == ['--requirepass="a b"', ""]
    assert arrange(["--save", "60 1"], OWN) == ["--set=save 60 1", ""]
    assert arrange(["--save", ""], OWN) == ['--set=save ""', ""]


@pytest.mark.parametrize(("words", "why"), [
    (["--prot", "7"], "unknown option --prot; did you mean --port?"),
    (["--port"], "--port needs a value"),
    (["--port", "x"], "--port: argument couldn't be parsed into an integer"),
    (["--maxmemory", "x"], "--maxmemory: argument must be a memory value"),
    (["--set", "hz"], "--set takes a directive and its value"),
    (["a.conf", "b.conf"], "what is b.conf? One FILE; a program follows --"),
    (["-h", "localhost"], "-h names a server; addresses to listen on: --bind"),
    (["-u", "redis://x"], "the store is served, and no server: leave out -u"),
    (["--tls"], "for TLS: --tls-port"),
    (["--mem", "--store", "x"], "--store and --mem exclude each other"),
    (["--mem", "--dir", "/"], "--mem and --dir exclude each other"),
    (["/"], "/ is a directory; to serve a store: redtool serve --store /"),
    (["--detach", "--", "true"], "--detach and a program exclude each other"),
    (["--loadmodule", "x.so"], "redtool loads no modules"),
])  # fmt: skip
def test_a_wrong_command_line(p: Program, words: list[str], why: str) -> None:
    done = p.call("serve", *words)
    assert done.code == 2
    assert why in done.err


@pytest.mark.parametrize(("words", "why"), [
    (["gone.conf"], "cannot read gone.conf: no such file or directory"),
    (["--dir", "gone"], "dir gone: there is no such directory"),
    (["--bind", "", "--mem"], "nowhere to listen"),
    (["--mem", "--logfile", "/no/such/log"], "cannot write the log /no/such/log: no such file or directory"),
    (["--bind", "192.0.2.1", "--port", "0", "--mem"], "cannot listen on 192.0.2.1:0"),
])  # fmt: skip
def test_what_cannot_be_served(p: Program, words: list[str], why: str) -> None:
    done = p.call("serve", *words)
    assert done.code == 3
    assert why in done.err


@pytest.mark.parametrize(("parts", "url"), [
    (("127.0.0.1", 7, "", ""), "redis://127.0.0.1:7"),
    (("::1", 7, "", "a b/@"), "redis://:a%20b%2F%40@[::1]:7"),
    (("", 0, "/tmp/x y", ""), "unix:///tmp/x%20y"),
])  # fmt: skip
def test_the_url_to_give_to_programs(parts: tuple[str, int, str, str], url: str) -> None:
    assert url_of(*parts) == url


# -- what it is started with


def configured(file: str, words: list[bytes], directory: Path) -> dict[str, Any]:
    setup = Setup(file, words, str(directory))
    return {name: setup.first[name] for name in ("port", "bind", "appendonly", "save", "maxmemory")}


def test_usual_values_are_those_of_the_file_that_was_named(here: Path) -> None:
    """A redis.conf means what it means to redis-server; a store is a store, on this machine alone."""
    (here / "redis.conf").write_text("maxmemory 1mb\n", encoding="utf-8")
    (here / "redtool.conf").write_text("maxmemory 2mb\nport 7\n", encoding="utf-8")
    points = ((3600, 1), (300, 100), (60, 10000))
    usual = {"port": 6379, "bind": "* -::*", "appendonly": False, "save": points, "maxmemory": 1 << 20}
    assert configured(str(here / "redis.conf"), [], here) == usual
    told = configured(str(here / "redis.conf"), [b"port 8", b"save 1 2", b"appendonly yes"], here)
    assert told == usual | {"port": 8, "save": ((1, 2),), "appendonly": True}
    own = {"port": 7, "bind": "127.0.0.1 -::1", "appendonly": True, "save": (), "maxmemory": 2 << 20}
    assert configured("", [], here) == own
    assert configured("", [b"maxmemory 3mb"], here) == own | {"maxmemory": 3 << 20}


def test_dir_of_the_file_is_the_store_unless_it_is_told(here: Path) -> None:
    (here / "a").mkdir()
    (here / "redis.conf").write_text(f"dir {here}/a\n", encoding="utf-8")
    path = str(here / "redis.conf")
    assert Setup(path, [], "/usual").directory == str(here / "a")
    assert Setup(path, [f"dir {here}".encode()], "/usual").directory == str(here)
    assert Setup(path, [], str(here / "b"), forced=True).directory == str(here / "b")
    assert Setup("", [], "/usual").directory == "/usual"
    assert Setup("", [], "").directory == ""


def test_a_journal_is_not_passed_over(here: Path) -> None:
    """A store whose data are in a journal does not seem empty because a file says nothing of it, or no."""
    (here / "appendonlydir").mkdir()
    (here / "appendonlydir" / "appendonly.aof.manifest").touch()
    (here / "redis.conf").write_text("hz 10\n", encoding="utf-8")
    path = str(here / "redis.conf")
    assert Setup(path, [], str(here)).first["appendonly"] is True
    assert Setup(path, [], str(here)).notes[0].startswith(f"{here} has a journal")
    with pytest.raises(errors.StoreError, match=r"in its journal, which is newer than dump\.rdb, and appendonly is no"):
        Setup(path, [b"appendonly no"], str(here))
    with pytest.raises(errors.StoreError, match="appendonly is no"):
        Setup("", [b"appendonly no"], str(here))
    (here / "dump.rdb").touch()
    os.utime(here / "appendonlydir" / "appendonly.aof.manifest", (1, 1))
    os.utime(here / "appendonlydir", (1, 1))
    assert Setup(path, [b"appendonly no"], str(here)).first["appendonly"] is False


# -- at work, in this process


@contextmanager
def running(setup: Setup, free_port: bool = False) -> Iterator[Service]:
    """A server in a thread, without signals."""
    service = Service(setup, Log("warning", os.devnull))
    service.open(free_port)
    thread = threading.Thread(target=service.listener.run, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.listener.stop()
        thread.join(LIMIT)
        service.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), LIMIT) as sock:
            sock.sendall(b"PING\r\n")
            return sock.recv(100) == b"+PONG\r\n"
    except OSError:
        return False


def test_port_and_bind_are_changed_while_it_runs(here: Path) -> None:
    """As of a server: the new place is taken, the old one left; where that cannot be all stays as it was."""
    with running(Setup("", [f"unixsocket {here}/s".encode()], ""), free_port=True) as service:
        first, second = service.addresses[0][1], free_port()
        with Client(f"{here}/s") as client, socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            assert answers(first)
            assert client.call("CONFIG", "SET", "port", second) == b"OK"
            assert (answers(first), answers(second)) == (False, True)
            refused = client.call("CONFIG", "SET", "port", taken.getsockname()[1])
            assert str(refused) == ("ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on "
                                    "this port. Check server logs.")
            assert client.call("CONFIG", "GET", "port") == [b"port", str(second).encode()]
            assert answers(second)
            refused = client.call("CONFIG", "SET", "bind", "192.0.2.1")
            assert str(refused).endswith("Failed to bind to specified addresses.")
            assert answers(second)
            assert client.call("CONFIG", "SET", "bind", "127.0.0.2") == b"OK"
            assert (answers(second), answers(second, "127.0.0.2")) == (False, True)
            assert client.call("CONFIG", "SET", "port", "0") == b"OK"
            assert not answers(second, "127.0.0.2")
            assert client.call("PING") == b"PONG"


def test_the_server_tells_the_truth_about_itself(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(here / "none"))
    path = here / "redis.conf"
    path.write_text(f"port {free_port()}\nbind 127.0.0.1\nunixsocket {here}/s\nsupervised auto\ndir {here}\n")
    with running(Setup(str(path), [], str(here))) as service, Client(f"{here}/s") as client:
        facts = client.call("INFO", "server").decode()
        for fact in (f"config_file:{path}", "process_supervised:systemd", f"tcp_port:{service.addresses[0][1]}",
                     f"process_id:{os.getpid()}", "io_threads_active:0"):  # fmt: skip
            assert f"\r\n{fact}\r\n" in facts
        assert client.call("CONFIG", "GET", "dir") == [b"dir", str(here).encode()]
        assert client.call("CONFIG", "GET", "unixsocket") == [b"unixsocket", f"{here}/s".encode()]


def test_what_config_set_changes_is_kept_where_it_belongs(here: Path) -> None:
    """In a store's own file at once, without what the command line said; in a redis.conf by CONFIG REWRITE alone."""
    store = here / "store"
    words = [f"unixsocket {here}/s".encode(), b"port 0", b"maxmemory 5mb"]
    with running(Setup("", words, str(store))), Client(f"{here}/s") as client:
        assert client.call("CONFIG", "SET", "hz", "7") == b"OK"
    assert (store / "redtool.conf").read_text(encoding="utf-8").splitlines()[1:] == ["hz 7"]
    path = here / "redis.conf"
    path.write_text(f"# mine\nport 0\nunixsocket {here}/s\ndir {store}\nappendonly yes\n", encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    with running(Setup(str(path), [], str(store))), Client(f"{here}/s") as client:
        assert client.call("CONFIG", "SET", "timeout", "9") == b"OK"
        assert path.read_text(encoding="utf-8") == before
        assert client.call("CONFIG", "REWRITE") == b"OK"
    assert path.read_text(encoding="utf-8") == before + "# Generated by CONFIG REWRITE\ntimeout 9\n"


def test_scripts_write_into_the_log_from_its_level_on(here: Path) -> None:
    service = Service(Setup("", [f"unixsocket {here}/s".encode(), b"port 0"], ""), Log("notice", str(here / "log")))
    service.open()
    thread = threading.Thread(target=service.listener.run, daemon=True)
    thread.start()
    with Client(f"{here}/s") as client:
        script = "redis.log(redis.LOG_NOTICE, 'so', 1.5); redis.log(redis.LOG_VERBOSE, ARGV[1])"
        client.call("EVAL", script, 0, "unheard")
        assert client.call("CONFIG", "SET", "loglevel", "verbose") == b"OK"
        client.call("EVAL", script, 0, "heard")
    service.listener.stop()
    thread.join(LIMIT)
    service.close()
    lines = (here / "log").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 5)[5] for line in lines] == ["so 1.5", "so 1.5", "heard"]


@pytest.mark.parametrize(("mode", "allowed"), [("no", False), ("local", True), ("yes", True)])
def test_debug_is_for_whom_the_configuration_says(here: Path, mode: str, allowed: bool) -> None:
    """As of a server, and always for the owner of the store, who is attached."""
    words = [f"unixsocket {here}/s".encode(), b"port 0", f"enable-debug-command {mode}".encode()]
    with running(Setup("", words, str(here))), Client(f"{here}/s") as client:
        reply = client.call("DEBUG", "SLEEP", 0)
        assert reply == b"OK" if allowed else str(reply).startswith("ERR DEBUG command not allowed. If the enable-")
        done = subprocess.run([*COMMAND, "--store", str(here), "DEBUG", "SLEEP", "0"], capture_output=True, check=False)
        assert done.stdout == b"OK\n"


def test_users_and_renamed_commands_of_a_file(here: Path) -> None:
    path = here / "redis.conf"
    path.write_text(f"port 0\nunixsocket {here}/s\ndir {here}\nuser default off\nuser ada on >pw ~* +@all\n"
                    'rename-command FLUSHALL ""\nrename-command SET put\nappendonly yes\n')  # fmt: skip
    with running(Setup(str(path), [], str(here))), Client(f"{here}/s") as client:
        assert str(client.call("GET", "a")).startswith("NOAUTH")
        assert client.call("AUTH", "ada", "pw") == b"OK"
        assert client.call("put", "a", "1") == b"OK"
        assert client.call("EVAL", "return redis.call('PUT', 'b', 2)", 0) == b"OK"
        assert str(client.call("SET", "a", "2")).startswith("ERR unknown command 'SET'")
        assert str(client.call("FLUSHALL")).startswith("ERR unknown command 'FLUSHALL'")
    with running(Setup("", [f"unixsocket {here}/s".encode(), b"port 0"], str(here))), Client(f"{here}/s") as client:
        assert client.call("MGET", "a", "b") == [b"1", b"2"]  # the journal has the true names


def test_a_socket_that_nobody_listens_on_is_taken_over(here: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{here}/s")
    setup = Setup("", [f"unixsocket {here}/s".encode(), b"port 0"], "")
    with running(setup):
        with pytest.raises(errors.ConnectError, match="is in use by another server"):
            Service(setup, Log()).open()
        with Client(f"{here}/s") as client:
            assert client.call("PING") == b"PONG"


def test_who_has_the_port_is_found(here: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port_holder(port).startswith(f"process {os.getpid()}")
        with pytest.raises(errors.ConnectError, match=f"port {port} is in use by process {os.getpid()} "):
            Service(Setup("", [f"port {port}".encode()], ""), Log()).open()


# -- a program of its own


def test_it_serves_until_it_is_told_to_stop(p: Program, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready is said in a line; SIGHUP is nothing; SIGTERM saves as SHUTDOWN does, and it ends well."""
    conf = here / "redis.conf"
    conf.write_text(f"port 0\nunixsocket {here}/s\npidfile {here}/pid\nlogfile {here}/log\nsave 3600 1\n")
    supervisor = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    supervisor.bind(f"{here}/n")
    supervisor.settimeout(LIMIT)
    monkeypatch.setenv("NOTIFY_SOCKET", f"{here}/n")
    with supervisor, serving(p, str(conf), "--dir", str(here), "--supervised", "auto") as (process, line):
        assert supervisor.recv(100).startswith(b"READY=1\n")
        assert line == f"Serving {here} on {here}/s; Ctrl-C stops it. REDIS_URL=unix://{here}/s\n"
        assert (here / "pid").read_text(encoding="utf-8") == f"{process.pid}\n"
        process.send_signal(signal.SIGHUP)
        with Client(f"{here}/s") as client:
            assert client.call("SET", "a", "1") == b"OK"
        (here / "dump.rdb").mkdir()  # so it cannot be saved
        process.send_signal(signal.SIGTERM)
        until(lambda: "the data could not be saved, so the server goes on" in (here / "log").read_text())
        with Client(f"{here}/s") as client:
            assert client.call("GET", "a") == b"1"
        (here / "dump.rdb").rmdir()
        process.send_signal(signal.SIGINT)
        assert ended(process) == (0, "")
        assert supervisor.recv(100) == b"STOPPING=1\n"
    assert (here / "dump.rdb").exists()
    assert not (here / "pid").exists()
    assert not (here / "s").exists()
    assert p.call("--store", str(here / "dump.rdb"), "GET", "a").out == b"1\n"


def test_a_script_is_not_saved_half_done(p: Program, here: Path) -> None:
    """SIGTERM waits for its end, as SHUTDOWN does; Ctrl-C then does not, and nothing is saved."""
    words = ("--store", str(here), "--port", "0", "--unixsocket", str(here / "s"), "--busy-reply-threshold", "10")
    with serving(p, *words) as (process, _), Client(str(here / "s")) as client, Client(str(here / "s")) as other:
        client.send("EVAL", "redis.call('SET', 'a', 1) while true do end", 0)
        until(lambda: str(other.call("PING")).startswith("BUSY"))
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert b"ending: asked to by SIGTERM" in process.stderr.readline()
        assert str(other.call("PING")).startswith("BUSY")
        process.send_signal(signal.SIGINT)
        code, err = ended(process)
        assert code == 1
        assert "asked twice: ending without saving" in err
    assert p.call("--store", str(here), "EXISTS", "a").out == b"0\n"


@pytest.mark.parametrize("begin", ["", "redis.call('SET', 'a', 1)"], ids=["reads", "writes"])
@pytest.mark.parametrize("journal", ["yes", "no"])
def test_shutdown_nosave_waits_for_no_script(p: Program, here: Path, begin: str, journal: str) -> None:
    """BUSY recommends it. Nothing is kept of what the script did, but all from before."""
    words = ("--store", str(here), "--port", "0", "--unixsocket", str(here / "s"), "--busy-reply-threshold", "10")
    with (serving(p, *words, "--appendonly", journal) as (process, _), Client(str(here / "s")) as client,
          Client(str(here / "s")) as other):  # fmt: skip
        client.send_all([("SET", "before", 1), ("SAVE",)])
        client.receive_all(2)
        client.send("EVAL", f"{begin} while true do end", 0)
        until(lambda: str(other.call("PING")).startswith("BUSY"))
        other.send("SHUTDOWN", "NOSAVE")
        assert ended(process)[0] == 0
    assert p.call("--store", str(here), "EXISTS", "before", "before", "a").out == b"2\n"


def test_who_has_the_store_is_said(p: Program, here: Path) -> None:
    with serving(p, "--store", str(here), "--port", "0", "--unixsocket", str(here / "s")) as (process, _):
        assert p.run("--store", str(here), "INCR", "n").out == b"1\n"  # which goes to the server
        with Client(str(here / "s")) as client:
            assert client.call("INCR", "n") == 2
        done = p.call("serve", "--store", str(here), "--port", "0", "--wait", "0")
        assert done.code == 3
        assert done.err == f"redtool: the store {here} is in use by process {process.pid} (redtool serve)\n"


def test_the_background(p: Program, here: Path) -> None:
    """--detach comes back when it is ready, or says why not."""
    words = ["serve", "--detach", "--store", str(here), "--port", "0", "--unixsocket", str(here / "s")]
    done = p.run(*words)
    assert (done.code, done.err) == (0, "")
    pid = int(re.search(rb"to stop it: kill (\d+)\.", done.out)[1])  # type: ignore[index]
    again = p.run(*words, "--wait", "0")
    assert (again.code, again.out) == (3, b"")
    assert again.err == f"redtool: the store {here} is in use by process {pid} (redtool serve)\n"
    with Client(str(here / "s")) as client:
        assert client.call("SET", "a", "1") == b"OK"
        client.send("SHUTDOWN")
    until(lambda: "ended" in (here / "redtool.log").read_text(encoding="utf-8"))
    assert p.call("--store", str(here), "GET", "a").out == b"1\n"


ASK = """
import os, socket, sys
with socket.create_connection((os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"]))) as s:
    s.sendall(b"SET a 1\\r\\nDBSIZE\\r\\n")
    reply = s.recv(100)
sys.exit(7 if reply == b"+OK\\r\\n:1\\r\\n" and os.environ["REDIS_URL"].endswith(os.environ["REDIS_PORT"]) else 1)
"""


def test_the_server_lives_as_long_as_a_program(p: Program) -> None:
    for _ in range(2):  # each time it is empty
        done = p.call("serve", "--", sys.executable, "-c", ASK)
        assert (done.code, done.out, done.err) == (7, b"", "")
    assert not p.store.exists()


def test_a_file_on_stdin_for_a_program(p: Program, here: Path) -> None:
    """What it says counts: its socket, its directory."""
    conf = f"port 0\nunixsocket {here}/s\ndir {here}\nrequirepass pw\nappendonly yes\n".encode()
    done = p.run("serve", "-", "--", "sh", "-c", 'echo "$REDIS_URL $REDIS_PORT"', input=conf)
    assert done.lines[0] == f"unix://:pw@{here}/s ".encode()
    assert (here / "appendonlydir").is_dir()


def test_a_program_gets_a_store_if_one_is_named(p: Program, here: Path) -> None:
    assert p.call("serve", "--store", str(here), "--", sys.executable, "-c", ASK).code == 7
    assert p.call("--store", str(here), "GET", "a").out == b"1\n"
    assert p.call("serve", "--mem", "--requirepass", "x@y", "--", "sh", "-c", 'echo "$REDIS_URL"').out.startswith(
        b"redis://:x%40y@127.0.0.1:")


@pytest.mark.parametrize(("words", "code", "err"), [
    (["sh", "-c", "exit 3"], 3, ""),
    (["sh", "-c", "kill -9 $$"], 137, ""),
    (["/nowhere/to/be/found"], 127, "redtool: cannot run /nowhere/to/be/found: no such file or directory\n"),
    (["/"], 126, "redtool: cannot run /: permission denied\n"),
])  # fmt: skip
def test_the_end_of_a_program_is_the_servers(p: Program, words: list[str], code: int, err: str) -> None:
    done = p.call("serve", "--", *words)
    assert (done.code, done.err) == (code, err)


def test_signals_are_the_programs_business(p: Program) -> None:
    """Ctrl-C, which reaches both, ends nothing here; SIGTERM is passed on."""
    script = 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'
    process = p.start("serve", "--", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (5, "")


# -- Debian's own file


@pytest.mark.needs("redis-server")
def test_the_file_that_redis_brings_along_starts_it(p: Program, here: Path) -> None:
    """As its unit does: --supervised and --daemonize after the file. A real server then has the data."""
    path = "/etc/redis/redis.conf"
    if not os.access(path, os.R_OK):  # of another system, or another user's
        path = str(here / "redis.conf")
        Path(path).write_text("port 6379\nappendonly no\n", encoding="utf-8")
    words = ("--dir", str(here), "--port", "0", "--unixsocket", str(here / "s"), "--daemonize", "no", "--pidfile", "",
             "--logfile", "", "--supervised", "auto")  # fmt: skip
    with serving(p, path, *words) as (process, line):
        assert line.startswith(f"Serving {here} on {here}/s;")
        with Client(str(here / "s")) as client:
            assert client.call("SET", "a", "1") == b"OK"
            assert client.call("CONFIG", "GET", "save") == [b"save", b"3600 1 300 100 60 10000"]
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 0
    binary = shutil.which("redis-server")
    assert binary
    real = subprocess.Popen([binary, "--dir", str(here), "--port", "0", "--unixsocket", str(here / "r")],
                            stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        until(lambda: (here / "r").exists())
        with Client(str(here / "r")) as client:
            assert until(lambda: client.call("GET", "a")) == b"1"
    finally:
        real.kill()
        real.wait()


def test_tls_alone(p: Program, certs: Path, here: Path) -> None:
    """Port 0 is no port then, as a server has it: nothing goes over the line in clear."""
    keys = ("--tls-cert-file", str(certs / "server.pem"), "--tls-key-file", str(certs / "server.key"))
    words = ("--port", "0", "--tls-port", str(free_port()), *keys, "--tls-auth-clients", "no")
    with serving(p, "--store", str(here), *words) as (_, said):
        assert re.search(r" on 127\.0\.0\.1:\d+ \(TLS\); .*REDIS_URL=rediss://", said)
        assert p.call("--store", str(here), "CONFIG", "GET", "port").out == b"port\n0\n"
