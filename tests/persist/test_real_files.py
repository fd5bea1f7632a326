"""The files are Redis's: who goes on with whose journal, names of files, what is taken over. See ``matrix``, too."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redtool.config import Config
from redtool.persist.aof import Journal, encode
from tests.persist.datasets import (
    LATER,
    Collected,
    as_plain,
    databases,
    read_server,
    sample,
    saved,
    serving,
)
from tests.servers import Client, RealServer


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory whose path is short enough for a socket in it."""
    path = Path(tempfile.mkdtemp(prefix="rt-"))
    yield path
    shutil.rmtree(path)


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


HEADS = [b"", b"#TS:1700000000\r\n", saved({0: {b"old": (b"0", None)}}, version=9)]  # what an old file may begin with


@pytest.mark.parametrize("head", HEADS, ids=["commands", "a time", "a snapshot"])
def test_single_file_aof_is_taken_over_as_a_server_does(home: Path, real: RealServer, head: bytes) -> None:
    (home / "appendonly.aof").write_bytes(head + encode([(b"SELECT", b"0"), (b"SET", b"a", b"1")]))
    sink = Collected()
    journal = Journal.open(str(home), Config(), sink)
    journal.append((b"SET", b"b", b"2"), 0)
    journal.close()
    assert sink.commands[-1] == [b"SET", b"a", b"1"]
    assert not (home / "appendonly.aof").exists()
    expected = {b"a": (b"1", None), b"b": (b"2", None), **({b"old": (b"0", None)} if b"REDIS" in head else {})}
    with serving(real.name, home, "--appendonly", "yes") as server, server.client() as client:
        assert read_server(client, 0) == expected
