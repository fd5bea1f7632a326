"""``redtool backup``: copies of stores, dumps of stores and servers; nothing is written over, nothing half done."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from redtool.persist.files import copy
from redtool.persistence import take_lock
from tests.cli.program import Program
from tests.persist.datasets import serving
from tests.servers import RealServer, named_servers, running

SCRIPT = b"""SET a 1
HSET h f v
SELECT 3
RPUSH l x y
FUNCTION LOAD "#!lua name=mylib\\nredis.register_function('one', function() return 1 end)"
CONFIG SET hash-max-listpack-entries 77
SAVE
"""


@pytest.fixture
def store(filled: Path) -> Path:
    """A store with a journal, a dump and a configuration."""
    return filled


def contents(p: Program, *where: str) -> list[bytes]:
    """What is in a store, as far as these tests put something there."""
    asked = (["GET", "a"], ["HGETALL", "h"], ["-n", "3", "LRANGE", "l", "0", "-1"], ["FUNCTION", "LIST"])
    done = [p.call(*where, *words) for words in asked]
    assert [each.err for each in done] == [""] * len(done)
    return [each.out for each in done]


def tree(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("options", [[], ["--link"]])
def test_copy(p: Program, store: Path, tmp_path: Path, options: list[str]) -> None:
    before = tree(store)
    target = tmp_path / "copies"
    done = p.call("backup", str(target), *options, "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["files"] == 4
    assert found["linked"] == (2 if options else 0)  # base and dump
    copied = tree(target)
    assert copied == {name: data for name, data in before.items() if name != "lock"}
    assert found["size"] == sum(len(data) for name, data in copied.items() if not name.endswith(".manifest"))
    assert (target.stat().st_mode & 0o777, os.listdir(tmp_path).count("copies")) == (0o700, 1)
    assert contents(p, "--store", str(target)) == contents(p)
    assert p.call("--store", str(target), "CONFIG", "GET", "hash-max-listpack-entries").lines[1] == b"77"


def test_a_copy_goes_its_own_way(p: Program, store: Path, tmp_path: Path) -> None:
    target = str(tmp_path / "copy")
    assert p.call("backup", target, "--link").code == 0
    p.call("--store", target, "SET", "a", "changed")
    p.call("--store", target, "BGREWRITEAOF")
    p.call("DEL", "h")
    assert p.call("GET", "a").out == b"1\n"
    assert p.call("--store", target, "EXISTS", "h").out == b"1\n"


def test_a_server_opens_the_copy(p: Program, store: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    assert p.call("backup", str(target)).code == 0
    with serving("valkey", target, "--appendonly", "yes") as server:
        assert server.call("HGET", "h", "f") == b"v"


def test_nothing_is_written_over(p: Program, store: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("precious")
    file = tmp_path / "file.rdb"
    file.write_text("precious")
    for words in (["backup", str(full)], ["backup", str(file)], ["backup", "--rdb", str(file)]):
        done = p.call(*words)
        assert (done.code, done.out) == (2, b"")
        assert "is there already; a backup never writes over anything" in done.err
    assert tree(full) == {"mine": b"precious"}
    assert file.read_text() == "precious"
    (full / "mine").unlink()
    assert p.call("backup", str(full)).code == 0  # an empty directory may be taken


def test_unfinished_end_is_left_out(p: Program, store: Path, tmp_path: Path) -> None:
    increment = store / "appendonlydir" / "appendonly.aof.1.incr.aof"
    whole = increment.read_bytes()
    increment.write_bytes(whole + b"*3\r\n$3\r\nSET\r\n$1\r\n")
    done = p.call("backup", str(tmp_path / "copy"))
    assert done.code == 0
    assert "The last 17 bytes of the journal are an unfinished command" in " ".join(done.err.split())
    assert (tmp_path / "copy" / "appendonlydir" / increment.name).read_bytes() == whole
    assert increment.read_bytes() != whole


@pytest.mark.parametrize("part", ["appendonlydir/appendonly.aof.1.incr.aof", "appendonlydir/appendonly.aof.1.base.rdb",
                                  "dump.rdb"])  # fmt: skip
def test_damage_is_not_copied(p: Program, store: Path, tmp_path: Path, part: str) -> None:
    path = store / part
    data = path.read_bytes()
    path.write_bytes(data[:30] + b"\xff\xff\xff" + data[33:])
    done = p.call("backup", str(tmp_path / "copy"))
    assert (done.code, done.out) == (3, b"")
    assert done.err.startswith(f"redtool: no backup was made: {path}: ")
    assert not [name for name in os.listdir(tmp_path) if name.startswith("copy")]


def test_failure_midway_leaves_nothing(p: Program, store: Path, tmp_path: Path,
                                       monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    def full(source: str, target: str, start: int = 0) -> int:
        if source.endswith("dump.rdb"):
            raise OSError(28, "No space left on device", target)
        return copy(source, target, start)

    monkeypatch.setattr("redtool.persist.backup.copy", full)
    done = p.call("backup", str(tmp_path / "copy"))
    assert (done.code, "no space left on device" in done.err) == (1, True)
    assert not [name for name in os.listdir(tmp_path) if name.startswith("copy")]


def test_a_store_in_use_is_waited_for(p: Program, store: Path, tmp_path: Path) -> None:
    """By somebody who serves nobody, as a command that is about to end."""
    lock = take_lock(str(store), 0)
    done = p.call("backup", str(tmp_path / "copy"), "--wait", "0")
    assert (done.code, f"is in use by process {os.getpid()}" in done.err) == (3, True)
    os.close(lock)
    assert p.call("backup", str(tmp_path / "copy")).code == 0


def test_without_a_journal_the_dump_is_copied(p: Program, tmp_path: Path) -> None:
    p.run(input=b"CONFIG SET appendonly no\nSET a 1\n")
    target = tmp_path / "copy"
    for left in (p.store / "appendonlydir").iterdir():
        left.unlink()
    assert p.call("backup", str(target)).code == 0
    assert tree(target).keys() == {"dump.rdb", "redtool.conf"}
    assert p.call("--store", str(target), "GET", "a").out == b"1\n"


def test_single_file_journal_of_an_older_server(p: Program, store: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    copy(str(store / "appendonlydir" / "appendonly.aof.1.incr.aof"), str(old / "appendonly.aof"))
    target = tmp_path / "copy"
    assert p.call("backup", str(target), "--store", str(old)).code == 0
    assert tree(target).keys() == {"appendonly.aof"}
    assert p.call("--store", str(target), "GET", "a").out == b"1\n"


# -- one dump


def test_dump_of_a_store(p: Program, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.rdb"
    found = json.loads(p.call("backup", "--rdb", str(path), "--json").out)
    assert found == {"backup": str(path), "format": "REDIS0010", "keys": 3, "size": path.stat().st_size}
    assert contents(p, "--store", str(path)) == contents(p)
    again = tmp_path / "again.rdb"  # a dump of a dump
    assert p.call("backup", "--rdb", str(again), "--store", str(path)).code == 0
    assert contents(p, "--store", str(again)) == contents(p)


def test_writing_a_dump_tells_how_far_it_is(p: Program, store: Path, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    told: list[tuple[str, int]] = []
    monkeypatch.setattr("redtool.cli.output.is_watched", lambda: True)
    monkeypatch.setattr("redtool.cli.output.Bar.advance", lambda bar, done: told.append((bar.what, done)))
    path = tmp_path / "one.rdb"
    assert p.call("backup", "--rdb", str(path)).code == 0
    assert told[-1] == ("writing the dump", path.stat().st_size)


@pytest.mark.parametrize("diskless", ["yes", "no"])
@pytest.mark.parametrize("name", named_servers())
def test_dump_of_a_server(p: Program, name: str, diskless: str, tmp_path: Path) -> None:
    path = tmp_path / "server.rdb"
    with running(name, "--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0") as server:
        with server.client() as client:
            for n in range(2000):
                client.call("SET", f"key:{n}", f"{n} " * (n % 50))
            client.call("SELECT", 2)
            client.call("ZADD", "board", 1.5, "ann")
        for options in ([], ["-2"]):
            done = p.call("-s", server.socket, *options, "backup", "--rdb", str(path), "--json")
            assert (done.code, done.err) == (0, "")
            assert json.loads(done.out)["keys"] == 2001
            assert p.call("--store", str(path), "-n", "2", "ZSCORE", "board", "ann").out == b"1.5\n"
            assert p.call("--store", str(path), "GET", "key:7").out == b"7 " * 7 + b"\n"
            path.unlink()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", named_servers())
def test_dump_of_a_server_key_by_key(p: Program, name: str, tmp_path: Path) -> None:
    path = tmp_path / "server.rdb"
    with running(name) as server, server.client() as client:
        for n in range(1200):
            client.call("SET", f"key:{n}", n, *(("PX", 10**9) if n % 3 == 0 else ()))
        client.call("SELECT", 2)
        client.call("XADD", "events", "1-1", "f", "v")
        client.call("HSET", b"\xff\x00", *range(600))
        with_functions = not isinstance(client.call("FUNCTION", "LIST"), Exception)
        if with_functions:
            client.call("FUNCTION", "LOAD", "#!lua name=mylib\nredis.register_function('one', function() return 1 end)")
        done = p.call("-s", server.socket, "backup", "--rdb", str(path), "--scan", "--json")
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out)["keys"] == 1202
    assert p.call("--store", str(path), "GET", "key:7").out == b"7\n"
    assert 0 < int(p.call("--store", str(path), "PTTL", "key:3").out) <= 10**9
    assert p.call("--store", str(path), "PTTL", "key:4").out == b"-1\n"
    assert p.call("--store", str(path), "-n", "2", "XRANGE", "events", "-", "+").out == b"1-1\nf\nv\n"
    assert p.call("--store", str(path), "-n", "2", "DBSIZE").out == b"2\n"
    assert (b"mylib" in p.call("--store", str(path), "FUNCTION", "LIST").out) == with_functions


def test_what_a_user_may_not_read_is_no_backup(p: Program, server: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "server.rdb"
    server.call("SET", "secret", "x")
    server.call("ACL", "SETUSER", "half", "on", ">secret", "~open:*", "+@all")
    try:
        done = p.call("-s", server.socket, "--user", "half", "-a", "secret", "backup", "--rdb", str(path), "--scan")
    finally:
        server.call("ACL", "DELUSER", "half")
    assert (done.code, done.out) == (1, b"")
    assert "NOPERM" in done.err
    assert os.listdir(tmp_path) == []


def test_a_server_that_refuses(p: Program, server: RealServer, tmp_path: Path) -> None:
    path = tmp_path / "server.rdb"
    server.call("ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+replconf")
    try:
        done = p.call("-s", server.socket, "--user", "reader", "-a", "secret", "backup", "--rdb", str(path))
    finally:
        server.call("ACL", "DELUSER", "reader")
    assert (done.code, done.out) == (3, b"")
    assert "the server does not send its dump: NOPERM" in done.err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("words", "err"), [
    ("backup", "where to? redtool backup DIR, or redtool backup --rdb FILE"),
    ("backup d --rdb f", "where to? redtool backup DIR, or redtool backup --rdb FILE"),
    ("backup --rdb f --link", "--link is for a directory; a dump is written anew"),
    ("backup --rdb f --scan", "--scan is for the dump of a server: redtool -u URL backup --rdb FILE --scan"),
    ("-s /nowhere backup d --scan", "--scan is for the dump of a server: redtool -u URL backup --rdb FILE --scan"),
    ("-s /nowhere backup d", "a server's files are on its machine; redtool backup --rdb FILE saves a dump"),
    ("backup --rdb -", "--rdb takes the name of a file; a dump is not written to a pipe"),
    ("--mem backup d", "a store in memory has no files; redtool backup --rdb FILE saves a dump"),
    ("--store x.rdb backup d", "a dump is one file; redtool backup --rdb FILE saves a dump"),
])  # fmt: skip
def test_misuse(p: Program, words: str, err: str) -> None:
    done = p.call(*words.split())
    assert (done.code, done.out, done.err) == (2, b"", f"redtool: {err}\n")


@pytest.mark.parametrize("options", [["copy"], ["--rdb", "one.rdb"]])
def test_no_directory_for_it(p: Program, store: Path, tmp_path: Path, options: list[str]) -> None:
    target = str(tmp_path / "none" / options[-1])
    done = p.call("backup", *options[:-1], target)
    assert (done.code, done.err) == (1, f"redtool: no backup was made: {target}: no such file or directory\n")


def test_dump_that_has_no_place_in_the_format_for_old_replicas(p: Program, tmp_path: Path) -> None:
    path = tmp_path / "server.rdb"
    with running("valkey", "--repl-diskless-sync-delay", "0") as server, server.client() as client:
        client.call("HSET", "h", "f", "v")
        client.call("HEXPIRE", "h", 1000, "FIELDS", 1, "f")
        done = p.call("-s", server.socket, "backup", "--rdb", str(path), "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["format"] == "VALKEY080"
    assert 0 < int(p.call("--store", str(path), "HTTL", "h", "FIELDS", "1", "f").out) <= 1000


def test_no_store_is_made_for_a_backup(p: Program, tmp_path: Path) -> None:
    done = p.call("backup", str(tmp_path / "copy"))
    assert (done.code, done.err) == (2, f"redtool: there is no store {p.store}\n")
    assert not p.store.exists()
