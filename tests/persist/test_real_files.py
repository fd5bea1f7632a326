"""The files are Redis's: real servers load what is written here, and what they write is loaded here."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redtool.config import Config
from redtool.engine.hashes import Hash
from redtool.persist.aof import Journal
from redtool.persist.rdb import load_file
from redtool.persist.snapshot import write_dump
from tests.persist.datasets import (
    LATER,
    Collected,
    as_plain,
    databases,
    plain,
    read_server,
    sample,
    serving,
)
from tests.servers import Client, RealServer

LIBRARY = "#!lua name={}\nredis.register_function('{}', function() return 1 end)"
SERVER_OPTIONS = {"valkey": ("--rdbcompression", "yes"), "redis7": ("--rdbcompression", "no")}


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory whose path is short enough for a socket in it."""
    path = Path(tempfile.mkdtemp(prefix="rt-"))
    yield path
    shutil.rmtree(path)


def populate(client: Client, name: str) -> None:
    """A key for every encoding that the server can write."""
    call = client.call
    for number in (0, 5, -128, 300, -70_000, 2**31, 2**62):
        call("SET", f"int:{number}", number)
    call("SET", "long", "ab" * 5000)
    call("SET", "random", bytes(range(256)) * 3)
    call("SET", b"k\0\r\n", "", "PXAT", LATER)
    call("RPUSH", "list", "a", 1, -500, 2**40, "x" * 70)
    call("RPUSH", "long list", *(f"element {n}" for n in range(3000)))
    call("RPUSH", "plain node", "small", "y" * 20_000, "z")
    call("SADD", "intset", 1, -2, 3)
    call("SADD", "wide intset", 1, 2**40)
    call("SADD", "set", "a", "b", 12)
    call("SADD", "table", *(f"m{n}" for n in range(700)))
    call("ZADD", "zset", 1, "a", -1.5, "b", "inf", "c", "-inf", "d", 3, "e")
    call("ZADD", "skiplist", *(word for n in range(400) for word in (n / 7, f"m{n}")))
    call("HSET", "hash", "f", "v", "n", 100, "", "")
    call("HSET", "wide hash", *(word for n in range(700) for word in (f"f{n}", n)))
    call("SELECT", 9)
    call("SET", "elsewhere", 1, "PXAT", LATER)
    call("SELECT", 0)
    populate_streams(client)
    for library in ("one", "two"):
        assert call("FUNCTION", "LOAD", LIBRARY.format(library, library)) == library.encode()
    if name == "valkey":
        call("HSET", "timed", "a", 1, "b", 2, "c", 3)
        assert call("HPEXPIREAT", "timed", LATER, "FIELDS", 2, "a", "b") == [1, 1]


def populate_streams(client: Client) -> None:
    call = client.call
    for n in range(300):
        call("XADD", "stream", f"{5 + n}-{n % 4}", *(("f", n, "g", "x" * 40) if n % 5 else ("h", n)))
    for id in ("7-2", "100-3", "304-3"):
        call("XDEL", "stream", id)
    call("XGROUP", "CREATE", "stream", "group", "0")
    call("XGROUP", "CREATE", "stream", "unread", "50-0")
    call("XREADGROUP", "GROUP", "group", "alice", "COUNT", 20, "STREAMS", "stream", ">")
    call("XREADGROUP", "GROUP", "group", "bob", "COUNT", 3, "STREAMS", "stream", ">")
    call("XACK", "stream", "group", "5-0")
    call("XDEL", "stream", "9-0")
    call("XADD", "emptied", "1-1", "f", "v")
    call("XDEL", "emptied", "1-1")


def test_what_a_server_saves_is_loaded(real: RealServer) -> None:
    real.flush()
    with real.client() as client:
        populate(client, real.name)
        expected = {db: read_server(client, db) for db in (0, 9)}
        client.call("CONFIG", "SET", "rdbcompression", SERVER_OPTIONS[real.name][1])
        assert client.call("SAVE") == b"OK"
    sink = Collected()
    load_file(str(real.directory / "dump.rdb"), sink)
    found = sink.plain()
    assert found.keys() == expected.keys()
    for db, rows in expected.items():
        assert found[db].keys() == rows.keys()
        for key, value in rows.items():
            assert found[db][key] == value, key
    assert sorted(sink.functions) == [LIBRARY.format(name, name).encode() for name in ("one", "two")]
    assert sink.facts[b"redis-bits" if real.name == "redis7" else b"valkey-ver"]


def test_what_is_saved_here_a_server_loads(home: Path, real: RealServer) -> None:
    content = sample()
    write_dump(str(home / "dump.rdb"), databases(content), functions=[LIBRARY.format("one", "one").encode()])
    with serving(real.name, home) as server, server.client() as client:
        compare(client, content)
        assert [row[1] for row in client.call("FUNCTION", "LIST")] == [b"one"]


def test_field_deadlines_reach_valkey(home: Path) -> None:
    timed = Hash({b"a": b"1", b"b": b"2"})
    timed.deadlines = {b"a": LATER}
    write_dump(str(home / "dump.rdb"), databases({0: {b"timed": (timed, None)}}), fields_version=80)
    with serving("valkey", home) as server, server.client() as client:
        assert read_server(client, 0)[b"timed"] == (plain(timed), None)


def compare(client: Client, content: dict[int, dict[bytes, Any]]) -> None:
    for db, rows in as_plain(content).items():
        found = read_server(client, db)
        assert found.keys() == rows.keys()
        for key, value in rows.items():
            assert found[key] == value, key


def test_a_server_goes_on_with_our_journal_and_we_with_its(home: Path, real: RealServer) -> None:
    content = sample()
    journal = Journal.start(str(home), Config(), databases(content))
    journal.append((b"SET", b"later", b"one\r\ntwo"), 0)
    journal.append((b"MULTI",), 0)
    journal.append((b"RPUSH", b"list", b"more"), 0)
    journal.append((b"SADD", b"other set", b"m"), 5)
    journal.append((b"EXEC",), 5)
    journal.close()
    content[0][b"later"] = b"one\r\ntwo", None
    content[0][b"list"][0].append(b"more")
    with serving(real.name, home, "--appendonly", "yes") as server, server.client() as client:
        compare(client, content)
        assert client.call("SELECT", 5) == b"OK"
        assert client.call("SMEMBERS", "other set") == [b"m"]
        client.call("SET", "theirs", "value")
    sink = Collected()
    journal = Journal.open(str(home), Config(), sink)
    words = [argv for argv in sink.commands if argv[0].upper() != b"SELECT"]
    assert words == [
        [b"SET", b"later", b"one\r\ntwo"],
        [b"RPUSH", b"list", b"more"],
        [b"SADD", b"other set", b"m"],
        [b"SET", b"theirs", b"value"],
    ]
    journal.append((b"SET", b"ours", b"again"), 0)
    journal.close()
    with serving(real.name, home, "--appendonly", "yes") as server, server.client() as client:
        client.call("SELECT", 5)
        assert client.call("GET", "theirs") == b"value"
        client.call("SELECT", 0)
        assert client.call("GET", "ours") == b"again"


def test_the_files_of_a_server_after_its_rewrite(home: Path, real: RealServer) -> None:
    options = ("--appendonly", "yes", "--aof-timestamp-enabled", "yes")
    with serving(real.name, home, *options) as server, server.client() as client:
        populate(client, real.name)
        client.call("BGREWRITEAOF")
        while b"aof_rewrite_in_progress:1" in client.call("INFO", "persistence"):
            client.call("PING")
        expected = read_server(client, 0)
        client.call("SET", "after", "rewrite")
    sink = Collected()
    Journal.open(str(home), Config(), sink).close()
    assert sink.plain()[0] == expected
    assert [b"SET", b"after", b"rewrite"] in sink.commands
    assert (
        (home / "appendonlydir" / "appendonly.aof.manifest")
        .read_bytes()
        .startswith(b"file appendonly.aof.2.base.rdb seq 2")
    )


def test_our_rewrite_of_a_servers_journal(home: Path, real: RealServer) -> None:
    with serving(real.name, home, "--appendonly", "yes") as server, server.client() as client:
        client.call("SET", "a", 1)
    journal = Journal.open(str(home), Config(), Collected())
    journal.rewrite(databases({0: {b"a": (b"1", None), b"b": (b"2", LATER)}}))
    journal.append((b"SET", b"c", b"3"), 0)
    journal.close()
    with serving(real.name, home, "--appendonly", "yes") as server, server.client() as client:
        assert read_server(client, 0) == {b"a": (b"1", None), b"b": (b"2", LATER), b"c": (b"3", None)}
        assert b"aof_base_size:0" not in client.call("INFO", "persistence")
    assert sorted(path.name for path in (home / "appendonlydir").iterdir()) == [
        "appendonly.aof.2.base.rdb",
        "appendonly.aof.2.incr.aof",
        "appendonly.aof.manifest",
    ]


def test_an_odd_file_name_is_quoted_as_the_server_quotes_it(home: Path, real: RealServer) -> None:
    config = Config({"appendfilename": "my log.aof", "appenddirname": "odd dir"})
    options = ("--appendonly", "yes", "--appendfilename", "my log.aof", "--appenddirname", "odd dir")
    with serving(real.name, home, *options) as server:
        server.call("SET", "a", 1)
    theirs = (home / "odd dir" / "my log.aof.manifest").read_bytes()
    sink = Collected()
    journal = Journal.open(str(home), config, sink)
    assert sink.commands[-1] == [b"SET", b"a", b"1"]
    for ours, line in zip(journal.manifest.format().splitlines(), theirs.splitlines(), strict=True):
        assert line.startswith(ours)
    journal.rewrite(databases({0: {b"a": (b"2", None)}}))
    journal.close()
    with serving(real.name, home, *options) as server:
        assert server.call("GET", "a") == b"2"


def test_single_file_aof_is_taken_over_as_a_server_does(home: Path, real: RealServer) -> None:
    (home / "appendonly.aof").write_bytes(b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n")
    sink = Collected()
    journal = Journal.open(str(home), Config(), sink)
    journal.append((b"SET", b"b", b"2"), 0)
    journal.close()
    assert sink.commands[-1] == [b"SET", b"a", b"1"]
    assert not (home / "appendonly.aof").exists()
    with serving(real.name, home, "--appendonly", "yes") as server, server.client() as client:
        assert read_server(client, 0) == {b"a": (b"1", None), b"b": (b"2", None)}
