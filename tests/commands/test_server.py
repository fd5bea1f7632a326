"""Server commands: the same tables on the embedded store and on a real server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from redtool.errors import ReplyError
from redtool.resp import Status
from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects
from tests.servers import RealServer, running

NOT_INT = "-ERR value is not an integer or out of range"
SYNTAX = "-ERR syntax error"
OUT = "-ERR DB index is out of range"
SHOWN = "ERR CONFIG SET failed (possibly related to argument "

TABLES: dict[str, list[tuple[str, Any]]] = {
    "config": [
        ("CONFIG GET maxmemory", [b"maxmemory", b"0"]),
        ("config get MAXMEMORY", [b"MAXMEMORY", b"0"]),
        ("CONFIG SET maxmemory 1gb", b"OK"),
        ("CONFIG GET maxmemory maxmem?ry", [b"maxmemory", b"1073741824"]),
        ("CONFIG SET maxmemory 0 hz 20", b"OK"),
        ("CONFIG GET hz", [b"hz", b"20"]),
        ("CONFIG SET hz 10", b"OK"),
        ("CONFIG GET nope", []),
        ("CONFIG SET nope 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nope'"),
        ("CONFIG SET hz x", f"-{SHOWN}'hz') - argument couldn't be parsed into an integer"),
        ("CONFIG SET maxmemory 1mb hz", SYNTAX),
        ("CONFIG SET databases 3", f"-{SHOWN}'databases') - can't set immutable config"),
        ("CONFIG SET dir /tmp", f"-{SHOWN}'dir') - can't set protected config"),
        ("CONFIG SET hz", "-ERR wrong number of arguments for 'config|set' command"),
        ("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command"),
        ("CONFIG", "-ERR wrong number of arguments for 'config' command"),
        ("CONFIG FOO", "-ERR unknown subcommand 'FOO'. Try CONFIG HELP."),
        ("CONFIG REWRITE", "-ERR The server is running without a config file"),
        ("CONFIG RESETSTAT", b"OK"),
        ("CONFIG RESETSTAT x", "-ERR wrong number of arguments for 'config|resetstat' command"),
    ],
    "flushing": [
        ("MSET a 1 b 2", b"OK"),
        ("SELECT 1", b"OK"),
        ("SET c 3", b"OK"),
        ("DBSIZE", 1),
        ("FLUSHDB x", SYNTAX),
        ("FLUSHDB ASYNC SYNC", SYNTAX),
        ("DBSIZE", 1),
        ("FLUSHDB async", b"OK"),
        ("DBSIZE", 0),
        ("SELECT 0", b"OK"),
        ("DBSIZE", 2),
        ("FLUSHALL SYNC", b"OK"),
        ("DBSIZE", 0),
        ("FLUSHALL", b"OK"),
        ("DBSIZE x", "-ERR wrong number of arguments for 'dbsize' command"),
    ],
    "swapdb": [
        ("SET a 1 EX 100", b"OK"),
        ("SWAPDB 0 1", b"OK"),
        ("DBSIZE", 0),
        ("SELECT 1", b"OK"),
        ("GET a", b"1"),
        ("TTL a", 100),
        ("SWAPDB 3 3", b"OK"),
        ("SWAPDB x 1", "-ERR invalid first DB index"),
        ("SWAPDB 0 x", "-ERR invalid second DB index"),
        ("SWAPDB 0 16", OUT),
        ("SWAPDB -1 0", OUT),
    ],
    "wait and role": [
        ("WAIT 0 0", 0),
        ("WAIT 1 10", 0),
        ("WAIT -1 0", 0),
        ("WAIT x 0", NOT_INT),
        ("WAIT 0 x", "-ERR timeout is not an integer or out of range"),
        ("WAIT 0 -1", "-ERR timeout is negative"),
        ("ROLE x", "-ERR wrong number of arguments for 'role' command"),
    ],
    "words that are none": [
        ("BGSAVE foo", SYNTAX),
        ("BGSAVE SCHEDULE x", SYNTAX),
        ("SAVE x", "-ERR wrong number of arguments for 'save' command"),
        ("LASTSAVE x", "-ERR wrong number of arguments for 'lastsave' command"),
        ("TIME x", "-ERR wrong number of arguments for 'time' command"),
        ("SHUTDOWN FOO", SYNTAX),
        ("SHUTDOWN NOSAVE ABORT", SYNTAX),
        ("SHUTDOWN ABORT", "-ERR No shutdown in progress."),
        ("LOLWUT VERSION x", NOT_INT),
    ],
}

# The real server needs enable-debug-command for these.
DEBUG: list[tuple[str, Any]] = [
    ("DEBUG", "-ERR wrong number of arguments for 'debug' command"),
    ("DEBUG FOO", "-ERR unknown subcommand or wrong number of arguments for 'FOO'. Try DEBUG HELP."),
    ("DEBUG JMAP", "-ERR unknown subcommand or wrong number of arguments for 'JMAP'. Try DEBUG HELP."),
    ("DEBUG SLEEP", "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP."),
    ("DEBUG SLEEP 0", b"OK"),
    ("DEBUG SLEEP x", b"OK"),
    ("DEBUG SET-ACTIVE-EXPIRE 0", b"OK"),
    ("DEBUG SET-ACTIVE-EXPIRE 1", b"OK"),
    ("DEBUG OBJECT nope", "-ERR no such key"),
    ('DEBUG ERROR "FOO bar"', "-FOO bar"),
    ('DEBUG ERROR "FOO b\\nar"', "-FOO b ar"),
    ("DEBUG POPULATE 3", b"OK"),
    ("GET key:2", b"value:2"),
    ("SET k:0 mine", b"OK"),
    ("DEBUG POPULATE 3 k 10", b"OK"),
    ("GET k:0", b"mine"),
    ("GET k:1", b"value:1\0\0\0"),
    ("DEBUG POPULATE 1 c 3", b"OK"),
    ("GET c:0", b"val"),
    ("DEBUG POPULATE x", "-ERR value is out of range, must be positive"),
    ("DEBUG CHANGE-REPL-ID", b"OK"),
    ("DEBUG LOG hi", b"OK"),
    ("DEBUG QUICKLIST-PACKED-THRESHOLD 100b", b"OK"),
    ("DEBUG PROTOCOL foo", "-ERR Wrong protocol type name. Please use one of the following: "
     "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"),
]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


def test_debug_on_a_server_that_allows_it() -> None:
    with running("valkey", "--enable-debug-command", "yes") as server, server.client() as client:
        Runner(client, server).table(DEBUG)
    Runner(embedded.Client()).table(DEBUG)


PROTOCOL = ["string", "integer", "double", "bignum", "null", "array", "set", "map", "verbatim", "true", "false"]


@pytest.mark.parametrize("proto", [2, 3])
def test_debug_protocol_bytes(proto: int) -> None:
    ours = embedded.Client(proto=proto)
    with running("valkey", "--enable-debug-command", "yes") as server, server.client(proto) as client:
        for kind in PROTOCOL:
            assert ours.wire("DEBUG", "PROTOCOL", kind) == client.wire("DEBUG", "PROTOCOL", kind), kind


OBJECTS = [
    ("SET k abc", b"embstr serializedlength:4"),
    ("SET k 12", b"int serializedlength:2"),
    ("RPUSH k a b", b"listpack serializedlength:"),
    (f"SET k {'x' * 45}", b"raw serializedlength:"),
]


@pytest.mark.parametrize(("line", "value"), OBJECTS)
def test_debug_object(line: str, value: bytes) -> None:
    r = Runner(embedded.Client())
    r(line)
    r("DEBUG OBJECT k")
    r.advance(3000)
    text = r("DEBUG OBJECT k")
    assert text.startswith(b"Value at:0x")
    assert b" refcount:1 encoding:" + value in text
    assert text.endswith(b" lru_seconds_idle:3")


def test_debug_set_active_expire() -> None:
    r = Runner(embedded.Client())
    assert r("DEBUG SET-ACTIVE-EXPIRE 0") == b"OK"
    r("SET k v PX 10")
    r.advance(1000)
    assert r("DBSIZE") == 1
    assert r("DEBUG SET-ACTIVE-EXPIRE 1") == b"OK"
    r.advance(1000)
    assert r("DBSIZE") == 0


@pytest.mark.parametrize(("pattern", "answer"), [("*", 1), ("a" * 20, 1), ("b*", 0), ("a*a", 1), ("?" * 19, 0)])
def test_debug_stringmatch_len(pattern: str, answer: int) -> None:
    assert Runner(embedded.Client())(f"DEBUG STRINGMATCH-LEN 20 {pattern}") == answer


def test_time_is_the_commands_time() -> None:
    client = embedded.Client()
    seconds, micro = client.call("TIME")
    assert int(seconds) * 10**6 + int(micro) == client.ns // 1000
    client.advance(1500)
    assert int(client.call("TIME")[0]) * 10**6 + int(client.call("TIME")[1]) == client.ns // 1000


def test_watched_keys_that_go_with_a_flush_or_a_swap(r: Runner) -> None:
    """EXEC fails when a watched key was there and went; one that was not there is not touched."""
    for line in ("FLUSHDB", "FLUSHALL", "SWAPDB 0 1"):
        for exists in (True, False):
            r("FLUSHALL")
            if exists:
                r("SET k v")
            r("WATCH k")
            assert r.other()(line) == b"OK"
            r("MULTI")
            r("PING")
            assert r("EXEC") == (None if exists else [b"PONG"]), (line, exists)


JOURNALLED = [
    ("FLUSHDB", [b"FLUSHDB"]),
    ("FLUSHALL ASYNC", [b"FLUSHALL ASYNC"]),
    ("SWAPDB 0 1", [b"SWAPDB 0 1"]),
    ("CONFIG SET hz 20", []),
    ("DEBUG POPULATE 1 p", [b"SET p:0 value:0"]),
    ("DEBUG POPULATE 1 k", []),
    ("SELECT 3", []),
    ("PING", []),
]


@pytest.mark.parametrize(("line", "journalled"), JOURNALLED)
def test_journal(line: str, journalled: list[bytes]) -> None:
    client = embedded.Client()
    client.call("SET", "k:0", "v")
    assert effects(client, line) == journalled


def test_role(r: Runner) -> None:
    kind, _, replicas = r("ROLE")
    assert (kind, replicas) == (b"master", [])


def test_a_transaction_may_not_save(redis7: RealServer) -> None:
    """Redis's words; Valkey names the command."""
    table = [
        ("MULTI", b"OK"),
        ("SAVE", "-ERR Command not allowed inside a transaction"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
    ]
    Runner(embedded.Client()).table(table)
    with redis7.client() as client:
        Runner(client, redis7).table(table)


def test_a_flush_of_nothing_is_no_change() -> None:
    assert effects(embedded.Client(), "FLUSHALL") == []


# -- saving


class Files:
    """Stands in for the files of a store."""

    lastsave = 1234

    stops_writes = slicing = False

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def cron(self) -> None:
        """Nothing is due."""

    def save(self) -> Status:
        self.calls.append("save")
        return Status(b"OK")

    def bgsave(self, schedule: bool) -> Status:
        self.calls.append(("bgsave", schedule))
        return Status(b"Background saving started")

    def cancel(self) -> Status:
        self.calls.append("cancel")
        return Status(b"Background saving cancelled")

    def bgrewriteaof(self) -> Status:
        self.calls.append("rewrite")
        return Status(b"Background append only file rewriting started")


def test_saving_is_left_to_the_files() -> None:
    client, files = embedded.Client(), Files()
    client.store.persistence = files  # type: ignore[assignment]
    r = Runner(client)
    r.table(
        [
            ("SAVE", b"OK"),
            ("BGSAVE", b"Background saving started"),
            ("bgsave schedule", b"Background saving started"),
            ("bgsave cancel", b"Background saving cancelled"),
            ("BGREWRITEAOF", b"Background append only file rewriting started"),
            ("LASTSAVE", 1234),
        ]
    )
    assert files.calls == ["save", ("bgsave", False), ("bgsave", True), "cancel", "rewrite"]


def test_a_store_in_memory_has_nothing_to_save_to() -> None:
    r = Runner(embedded.Client())
    text = "-ERR there are no files to write: this store is in memory, or a dump opened for reading"
    r.table([("SAVE", text), ("BGSAVE", text), ("BGREWRITEAOF", text)])
    assert abs(r("LASTSAVE") - r.client.ns // 10**9) < 2  # type: ignore[union-attr]
    text = "-ERR an embedded store has no server to shut down; it is synced and closed when redtool ends"
    r.table([("SHUTDOWN", text), ("shutdown nosave now force", text)])


# -- the configuration of a store on disk


def test_config_set_writes_the_stores_file(tmp_path: Path) -> None:
    client = embedded.Client()
    path = tmp_path / "redtool.conf"
    client.store.config_path = str(path)
    assert client.call("CONFIG", "SET", "maxmemory", "64mb") == b"OK"
    assert path.read_text().splitlines()[-1] == "maxmemory 67108864"
    path.unlink()
    assert client.call("CONFIG", "REWRITE") == b"OK"
    assert path.read_text().splitlines()[-1] == "maxmemory 67108864"
    client.store.config_path = str(tmp_path / "gone" / "redtool.conf")
    for argv in (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "REWRITE")):
        error = client.call(*argv)
        assert isinstance(error, ReplyError)
        assert error.message == "ERR Rewriting config file: No such file or directory"
    assert client.call("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"67108864"]


def test_config_get_is_a_map_in_resp3(valkey: RealServer) -> None:
    with valkey.client(3) as server:
        assert embedded.Client(proto=3).wire("CONFIG", "GET", "hz") == server.wire("CONFIG", "GET", "hz")


def test_lolwut_ends_with_a_version(r: Runner) -> None:
    assert re.search(rb"(Redis|Valkey) ver\. [0-9.]+$", r("LOLWUT").splitlines()[-1])
    assert r("LOLWUT VERSION 5").strip()


@pytest.mark.parametrize("container", ["CONFIG", "DEBUG"])
def test_help(container: str) -> None:
    lines = Runner(embedded.Client())(f"{container} HELP")
    assert lines[0] == container.encode() + b" <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    assert lines[-2] == b"HELP"
    assert all(line.startswith(b"    ") and len(line) > 8 for line in lines[2::2])
