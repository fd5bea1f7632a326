"""A redis.conf as a server reads it: includes, what is refused and where, and writing it anew beside real servers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from redtool import errors
from redtool.conffile import Directive, Reader, Taken, read_lines
from redtool.config import Config
from redtool.server.setup import Setup
from tests.servers import real_servers, running


def taken(path: Path) -> Taken:
    """What a file says, read as a server's."""
    found = Taken(strict=True)
    for each in Reader("").directives(str(path), read_lines(str(path))):
        found.take(each)
    return found


def refused(tmp_path: Path, text: str) -> str:
    """Why a file is refused, its directory left out."""
    path = tmp_path / "redis.conf"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(errors.StoreError) as caught:
        taken(path)
    return str(caught.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(("text", "why"), [
    ("\n# c\nmaxmemroy 1gb", "redis.conf:3: there is no directive maxmemroy; did you mean maxmemory?"),
    ("zzzzzz", "redis.conf:1: there is no directive zzzzzz"),
    ("hz 10\nmaxmemory lots", "redis.conf:2: maxmemory: argument must be a memory value"),
    ("port 1 2", "redis.conf:1: port: wrong number of arguments"),
    ('requirepass "a', 'redis.conf:1: a " quote is not closed'),
    ("include", "redis.conf:1: include takes the name of one file"),
    ("include {}/gone.conf", "redis.conf:1: cannot read gone.conf: no such file or directory"),
    ("hz 1\ninclude {}/redis.conf", "redis.conf:2: redis.conf includes itself"),
    ("include {}/*.conf", "redis.conf:1: redis.conf includes itself"),
    ("rename-command NOSUCH x", "redis.conf:1: rename-command: there is no command NOSUCH"),
    ("rename-command get SET", "redis.conf:1: rename-command: there is a command SET already"),
    ("rename-command get", "redis.conf:1: rename-command: wrong number of arguments"),
    ("loadmodule /lib/x.so", "redis.conf:1: redtool loads no modules: leave out loadmodule"),
    ("replicaof 10.0.0.1 6379", "redis.conf:1: replicaof: redtool cannot follow another server"),
    ("cluster-enabled yes", "redis.conf:1: cluster-enabled: redtool cannot be a node of a cluster"),
])  # fmt: skip
def test_a_wrong_file_says_where_and_what(tmp_path: Path, text: str, why: str) -> None:
    assert refused(tmp_path, text.format(tmp_path)) == why


def test_included_files_are_read_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "main.conf").write_text(f"hz 1\nsave 60 1\ninclude {tmp_path}/d/*.conf\nmaxclients 7\n"
                                        f"include {tmp_path}/none-*.conf\n", encoding="utf-8")  # fmt: skip
    (tmp_path / "d" / "1.conf").write_text("hz 2\nmaxclients 5\ninclude '" + str(tmp_path / "deep") + "'\n")
    (tmp_path / "d" / "2.conf").write_text("hz 3\nsave 30 2\nuser ada on nopass\n")
    (tmp_path / "deep").write_text("timeout 9\nrename-command FLUSHALL ''\n")
    found = taken(tmp_path / "main.conf")
    assert (found.values["hz"], found.values["maxclients"], found.values["timeout"]) == (3, 7, 9)
    assert found.values["save"] == ((60, 1), (30, 2))
    assert found.users == [b"user ada on nopass"]
    assert found.renames == {"FLUSHALL": ""}
    (tmp_path / "deep").write_text("hz x\n")
    with pytest.raises(errors.StoreError, match=f"^{re.escape(str(tmp_path))}/deep:1: hz: argument"):
        taken(tmp_path / "main.conf")


LINES = [
    "", "# a", "   ", "hz 10", "HZ 10", "hz ten", "hz 1 2", "hz", "port 70000", "port 0", "bind 127.0.0.1 ::1", "bind",
    "save 1", "save 1 2", "save ''", "save 1 2 3", "save a b", "save 0 1", "appendonly maybe", "maxmemory 1gb",
    "maxmemory 1 gb", "maxmemory -1", "maxmemory-policy volatile-ttl", "maxmemory-policy any", "dbfilename a/b",
    "databases 0", "databases 16", "timeout -1", "unixsocketperm 777", "unixsocketperm 999", "requirepass",
    "requirepass ''", 'requirepass "a b"', "requirepass a b", 'requirepass "a', "requirepass 'a\\'b'",
    "client-output-buffer-limit normal 1 2 3", "client-output-buffer-limit normal 1 2", "loglevel loud",
    "client-output-buffer-limit nobody 1 2 3", "client-output-buffer-limit normal 0 0 0 pubsub 1 1 1",
    "notify-keyspace-events KEA", "notify-keyspace-events q", "slave-read-only no", "replica-read-only no",
    "hash-max-ziplist-entries 5", "oom-score-adj-values 0 200 800", "oom-score-adj-values 0 200", "nosuch 1",
    "rename-command GET", "rename-command NOSUCH x", "rename-command GET ''", "rename-command GET fetch",
    "rename-command GET SET", "rename-command GET a b", "user ada on nopass", "list-max-ziplist-entries 5",
    "lua-time-limit 100", "latency-tracking-info-percentiles 50 99", "latency-tracking-info-percentiles 101",
    "syslog-facility local7", "syslog-facility local9", "tls-port 0", "enable-debug-command local",
    "shutdown-timeout 3", "replicaof no one", "replicaof a",
    "shutdown-on-sigterm save now", "shutdown-on-sigterm never", "daemonize no", "aclfile ''", "socket-mark-id 5",
]  # fmt: skip


@pytest.mark.parametrize("name", real_servers())
def test_lines_are_taken_as_by_a_server(tmp_path: Path, name: str) -> None:
    """A last line that is always wrong shows whether the one before was taken, without a server that runs."""
    different = []
    for line in LINES:
        path = tmp_path / "redis.conf"
        path.write_text(f"{line}\nno-such-directive-ever\n", encoding="utf-8")
        done = subprocess.run([real_servers()[name], str(path)], capture_output=True, timeout=60, check=False)
        number = re.search(rb"at line (\d+)", done.stdout + done.stderr)
        assert number, (line, done)
        try:
            taken(path)
        except errors.StoreError as error:
            mine = str(error).split(":")[1]
        if mine != number[1].decode():
            different.append((line, mine, number[1]))
    assert different == [], different


REWRITTEN = b"""# The whole of it
  # indented
port 0
include {dir}/part.conf

save 900 1
save 300 10

# memory
maxmemory 100mb
maxmemory-policy allkeys-lru
rename-command FLUSHALL ""
user ada on nopass ~a* +@all
hash-max-ziplist-entries 64
# the end
"""
PART = b"# of a part\nhz 20\ntimeout 11\n"
CHANGES = [("maxmemory", "200mb"), ("save", "60 5"), ("slowlog-max-len", "7"), ("timeout", "12"),
           ("maxmemory-policy", "noeviction"), ("hash-max-ziplist-entries", "65")]  # fmt: skip


def ours_rewritten(path: Path, changes: list[tuple[str, str]]) -> bytes:
    """The file after CONFIG SET and CONFIG REWRITE of a server of ours."""
    setup = Setup(str(path), [], str(path.parent))
    config = Config()
    setup.configure(config, str(path.parent))
    config.assign([(name.encode(), text.encode()) for name, text in changes])
    config.rewrite(str(path))
    return path.read_bytes()


def files(folder: Path) -> Path:
    folder.mkdir()
    (folder / "part.conf").write_bytes(PART)
    path = folder / "redis.conf"
    path.write_bytes(REWRITTEN.replace(b"{dir}", str(folder).encode()))
    return path


@pytest.mark.parametrize("name", real_servers())
def test_rewriting_beside_a_real_server(tmp_path: Path, name: str) -> None:
    """Both keep the comments and includes in their order, and what they write means the same."""
    ours, theirs = files(tmp_path / "ours"), files(tmp_path / "theirs")
    text = ours_rewritten(ours, CHANGES)
    assert (tmp_path / "ours" / "part.conf").read_bytes() == PART
    with running(name, "--include", str(theirs)) as probe:  # options would be written, too: only FILE is given
        binary, directory = probe.binary, probe.directory
        meant = after(binary, directory, theirs, CHANGES)
    kept = [line for line in text.splitlines() if line.strip()[:1] == b"#" or b"include" in line or b"rename" in line]
    kept_there = [line for line in theirs.read_bytes().splitlines()
                  if line.strip()[:1] == b"#" or b"include" in line or b"rename" in line]  # fmt: skip
    assert [line.strip() for line in kept] == [
        line.strip().replace(b"/theirs/", b"/ours/") for line in kept_there]
    with running(name, "--include", str(ours)) as server:
        mine = shown(server.call("CONFIG", "GET", "*"))
    names = {name for name, _ in CHANGES} | {"hz", "maxclients"}
    assert {name: mine[name] for name in names} == {name: meant[name] for name in names}


def after(binary: str, directory: Path, path: Path, changes: list[tuple[str, str]]) -> dict[str, str]:
    """CONFIG GET * of a real server started on a file, after CONFIG SET and CONFIG REWRITE."""
    from tests.servers import Client

    socket = str(directory / "r")
    path.write_bytes(path.read_bytes() + f"unixsocket {socket}\n".encode())
    process = subprocess.Popen([binary, str(path)], stdout=subprocess.DEVNULL, cwd=directory)
    try:
        while True:
            try:
                client = Client(socket)
                break
            except OSError:
                assert process.poll() is None
        with client:
            for name, text in changes:
                assert client.call("CONFIG", "SET", name, text) == b"OK"
            assert client.call("CONFIG", "REWRITE") == b"OK"
            return shown(client.call("CONFIG", "GET", "*"))
    finally:
        process.kill()
        process.wait()


def shown(flat: Any) -> dict[str, str]:
    return dict(zip(*[(word.decode() for word in flat)] * 2, strict=True))


def test_rewriting_touches_nothing_that_has_not_changed(tmp_path: Path) -> None:
    path = files(tmp_path / "d")
    before = path.read_bytes()
    assert ours_rewritten(path, []) == before


def test_what_an_included_file_says_is_said_above_it(tmp_path: Path) -> None:
    """A value of an included file that changes is appended; one of the file itself is changed in its place."""
    path = files(tmp_path / "d")
    before = path.read_bytes()
    assert ours_rewritten(path, [("timeout", "12"), ("maxmemory", "1gb")]) == before.replace(
        b"maxmemory 100mb", b"maxmemory 1073741824") + b"# Generated by CONFIG REWRITE\ntimeout 12\n"
    (tmp_path / "d" / "part.conf").write_bytes(b"save 5 5\n")
    path.write_bytes(before.replace(b"\ninclude", b"\nsave 1 1\ninclude"))
    text = ours_rewritten(path, [("save", "60 5")])
    assert b'save ""\nsave 60 5\n' in text
    again = Config()
    Setup(str(path), [], str(tmp_path / "d")).configure(again, str(tmp_path / "d"))
    assert again["save"] == ((60, 5),)


def test_users_of_an_included_file_stay_there(tmp_path: Path) -> None:
    path = files(tmp_path / "d")
    (tmp_path / "d" / "part.conf").write_bytes(b"user bob on nopass\n")
    before = path.read_bytes()
    assert ours_rewritten(path, []) == before
    config = Config()
    Setup(str(path), [], str(tmp_path / "d")).configure(config, str(tmp_path / "d"))
    config.users.pop()
    with pytest.raises(errors.ReplyError, match="users are defined in an included file"):
        config.rewrite(str(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(("words", "why"), [
    ([b"port 70000"], "--port: argument must be between 0 and 65535 inclusive"),
    ([b"nosuch 1"], "there is no directive nosuch"),
    ([b'requirepass "a'], 'a " quote is not closed'),
])  # fmt: skip
def test_a_wrong_directive_of_the_command_line(words: list[bytes], why: str) -> None:
    with pytest.raises(errors.UsageError) as caught:
        Setup("", words, "")
    assert why in str(caught.value)


def test_a_directive_tells_where_it_stands() -> None:
    found = Directive("x.conf", 3, b'SLAVEOF "no" one', True)
    assert (found.name, found.arguments, found.number, found.top) == ("replicaof", ["no", "one"], 3, True)
    assert str(found.wrong("why")) == "x.conf:3: why"
