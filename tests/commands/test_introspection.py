"""COMMAND, OBJECT and MEMORY: the whole command table against what a real server says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from redtool.backends.docs import lines
from redtool.commands import table
from redtool.grammar import Syntax
from tests import embedded
from tests.commands.conftest import Runner
from tests.servers import Client, RealServer

NOT_INT = "-ERR value is not an integer or out of range"
SYNTAX = "-ERR syntax error"
LFU_OFF = (
    "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
    "between policies at runtime LRU and LFU data will take some time to adjust."
)
LFU_ON = LFU_OFF.replace("not selected, access frequency", "selected, idle time")

TABLES: dict[str, list[tuple[str, Any]]] = {
    "keys of a line": [
        ("COMMAND GETKEYS SET a b", [b"a"]),
        ("command getkeys mset a 1 b 2", [b"a", b"b"]),
        ("COMMAND GETKEYS ZUNIONSTORE d 2 a b", [b"d", b"a", b"b"]),
        ("COMMAND GETKEYS BLPOP a b 0", [b"a", b"b"]),
        ("COMMAND GETKEYS OBJECT ENCODING a", [b"a"]),
        ("COMMAND GETKEYS LMPOP 2 a b LEFT", [b"a", b"b"]),
        ("COMMAND GETKEYS SORT a BY w LIMIT 0 1 STORE b", [b"a", b"b"]),
        ("COMMAND GETKEYS RPOP a 1 2", [b"a"]),
        ("COMMAND GETKEYS EVAL x 2 a", []),
        ("COMMAND GETKEYS FCALL_RO f -1 a", []),
        ("COMMAND GETKEYS SINTERCARD 1.5 a b", [b"a"]),
        ("COMMAND GETKEYS ZUNIONSTORE d 1x a b", [b"a", b"d"]),
        ("COMMAND GETKEYSANDFLAGS ZUNIONSTORE d 1x a b", [[b"a", []], [b"d", []]]),
        ("COMMAND GETKEYS ZUNIONSTORE d 3x a b", "-ERR Invalid arguments specified for command"),
        ("COMMAND GETKEYS PFMERGE a", "-ERR Invalid arguments specified for command"),
        ("COMMAND GETKEYS SET a", "-ERR Invalid number of arguments specified for command"),
        ("COMMAND GETKEYS FOO a", "-ERR Invalid command specified"),
        ("COMMAND GETKEYS PING", "-ERR The command has no key arguments"),
        ("COMMAND GETKEYS CONFIG GET x", "-ERR The command has no key arguments"),
        ("COMMAND GETKEYS OBJECT FOO x", "-ERR Invalid command specified"),
        ("COMMAND GETKEYS OBJECT", "-ERR The command has no key arguments"),
        ("COMMAND GETKEYS ZUNION x a", "-ERR Invalid arguments specified for command"),
        ("COMMAND GETKEYS ZUNION 5 a", "-ERR Invalid arguments specified for command"),
        ("COMMAND GETKEYS", "-ERR wrong number of arguments for 'command|getkeys' command"),
    ],
    "keys and flags of a line": [
        ("COMMAND GETKEYSANDFLAGS SET a b", [[b"a", [b"OW", b"update"]]]),
        ("COMMAND GETKEYSANDFLAGS SET a b NX GET", [[b"a", [b"RW", b"access", b"update"]]]),
        ("COMMAND GETKEYSANDFLAGS LMOVE a b LEFT RIGHT", 
         [[b"a", [b"RW", b"access", b"delete"]], [b"b", [b"RW", b"insert"]]]),
        ("COMMAND GETKEYSANDFLAGS SORT a STORE b", [[b"a", [b"RO", b"access"]], [b"b", [b"OW", b"update"]]]),
        ("COMMAND GETKEYSANDFLAGS DEL a b", [[b"a", [b"RM", b"delete"]], [b"b", [b"RM", b"delete"]]]),
    ],
    "lists of commands": [
        ("COMMAND LIST FILTERBY PATTERN zdiffst*", [b"zdiffstore"]),
        ("command list filterby pattern CONFIG|[GS]ET", [b"config|get", b"config|set"]),
        ("COMMAND LIST FILTERBY ACLCAT transaction", [b"discard", b"exec", b"multi", b"unwatch", b"watch"]),
        ("COMMAND LIST FILTERBY ACLCAT @hash", []),
        ("COMMAND LIST FILTERBY ACLCAT foo", []),
        ("COMMAND LIST FILTERBY MODULE foo", []),
        ("COMMAND LIST FILTERBY x foo", SYNTAX),
        ("COMMAND LIST FILTERBY PATTERN", SYNTAX),
        ("COMMAND LIST x", SYNTAX),
        ("COMMAND COUNT x", "-ERR wrong number of arguments for 'command|count' command"),
        ("COMMAND FOO", "-ERR unknown subcommand 'FOO'. Try COMMAND HELP."),
        ("COMMAND INFO foo config|foo", [None, None]),
        ("COMMAND DOCS foo", []),
    ],
    "encodings": [
        ("SET i 12", b"OK"), ("OBJECT ENCODING i", b"int"),
        ("SET e hello", b"OK"), ("OBJECT ENCODING e", b"embstr"),
        (f"SET r {'x' * 200}", b"OK"), ("OBJECT ENCODING r", b"raw"),
        ("RPUSH l a", 1), ("OBJECT ENCODING l", b"listpack"),
        ("HSET h f v", 1), ("OBJECT ENCODING h", b"listpack"),
        ("SADD s 1 2", 2), ("OBJECT ENCODING s", b"intset"),
        ("SADD t a 2", 2), ("OBJECT ENCODING t", b"listpack"),
        ("ZADD z 1 a", 1), ("object encoding z", b"listpack"),
        ("OBJECT ENCODING nope", None),
        ("OBJECT REFCOUNT e", 1), ("OBJECT REFCOUNT nope", None),
        ("OBJECT IDLETIME e", 0), ("OBJECT IDLETIME nope", None),
        ("OBJECT FREQ nope", None), ("OBJECT FREQ e", LFU_OFF),
        ("CONFIG SET maxmemory-policy allkeys-lfu", b"OK"),
        ("OBJECT IDLETIME e", LFU_ON),
        ("CONFIG SET maxmemory-policy noeviction", b"OK"),
        ("OBJECT", "-ERR wrong number of arguments for 'object' command"),
        ("OBJECT FOO a", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."),
        ("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"),
    ],
    "memory usage": [
        ("MEMORY USAGE nope", None),
        ("RPUSH l a b c", 3),
        ("MEMORY USAGE l SAMPLES -1", SYNTAX),
        ("MEMORY USAGE l SAMPLES x", NOT_INT),
        ("MEMORY USAGE l FOO 1", SYNTAX),
        ("MEMORY USAGE l SAMPLES", SYNTAX),
        ("MEMORY USAGE l SAMPLES 1 SAMPLES -1", SYNTAX),
        ("MEMORY PURGE", b"OK"),
        ("MEMORY", "-ERR wrong number of arguments for 'memory' command"),
        ("MEMORY FOO", "-ERR unknown subcommand 'FOO'. Try MEMORY HELP."),
    ],
}  # fmt: skip


def in_order(reply: Any) -> Any:
    """A reply in which what a server gives in any order is sorted."""
    if isinstance(reply, list):
        if reply and all(isinstance(item, bytes) for item in reply):
            return sorted(reply)
        return [in_order(item) for item in reply]
    return reply


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    for line, expected in TABLES[name]:
        reply = r(line)
        reply = reply if line.lower().startswith("command getkeys ") else in_order(reply)
        assert reply == expected, f"{line}\n  gave     {reply!r}\n  expected {expected!r}"


def test_idle_time_counts_from_when_it_is_asked_for(clocked: Runner) -> None:
    clocked.table([("SET a 1", b"OK"), ("SET b 1", b"OK"), ("OBJECT IDLETIME a", 0)])
    clocked.advance(2000)
    clocked.table([("GET b", b"1"), ("OBJECT IDLETIME a", 2), ("OBJECT IDLETIME b", 0), ("OBJECT IDLETIME a", 2)])
    clocked.table([("GET a", b"1"), ("OBJECT IDLETIME a", 0)])


def test_object_freq_needs_the_policy(r: Runner) -> None:
    r("SET a 1")
    r("CONFIG SET maxmemory-policy volatile-lfu")
    assert isinstance(r("OBJECT FREQ a"), int)
    r("CONFIG SET maxmemory-policy noeviction")


# -- the command table


def info(client: Client | embedded.Client, *names: str) -> Iterator[list[Any]]:
    """COMMAND INFO of some commands, and of their subcommands."""
    for row in client.call("COMMAND", "INFO", *names):
        if row is not None:
            yield row
            yield from row[9]


def facts(row: list[Any]) -> dict[str, Any]:
    """A row of COMMAND INFO in a form that can be compared; tips and notes are the server's own."""
    specs = [{key: value for key, value in pairs(spec).items() if key != "notes"} for spec in row[8]]
    return {
        "name": row[0], "arity": row[1], "flags": sorted(row[2]), "keys": row[3:6], "acl": sorted(row[6]),
        "specs": [(sorted(spec["flags"]), spec["begin_search"], spec["find_keys"]) for spec in specs],
        "subs": sorted(sub[0] for sub in row[9]),
    }  # fmt: skip


def pairs(flat: list[Any]) -> dict[str, Any]:
    return {flat[at].decode(): flat[at + 1] for at in range(0, len(flat), 2)}


# Flags in which Redis 7.4, which ours are, and Valkey 9 differ: (Redis's, Valkey's).
FLAGS = {
    b"multi": (set(), {b"no_multi"}),
    b"exec": ({b"skip_slowlog"}, {b"skip_commandlog"}),
    **dict.fromkeys([b"scan", b"randomkey"], ({b"touches_arbitrary_keys"}, set())),
    **dict.fromkeys([b"hexpire", b"hpexpire", b"hexpireat", b"hpexpireat"], ({b"denyoom"}, set())),
    **dict.fromkeys([b"script|exists", b"script|flush", b"script|show"], (set(), {b"stale"})),
    **dict.fromkeys([b"cluster|info", b"cluster|myid", b"cluster|myshardid", b"cluster|nodes"], (set(), {b"loading"})),
}
# Valkey's CLUSTER REPLICATE NO ONE; and what only a cluster needs: specifications of what is sent where a key would be.
APART = {(b"cluster|replicate", "arity"), (b"script|debug", "arity")}
SHARDED = (b"clusterscan", b"ssubscribe", b"sunsubscribe", b"spublish")
APART |= {(name, what) for name in SHARDED for what in ("keys", "specs")}


def test_every_command_is_described_as_a_server_describes_it(valkey: RealServer) -> None:
    """Name, arity, flags, key positions, ACL categories and key specifications."""
    ours = embedded.Client()
    with valkey.client() as client:
        theirs = {row[0]: facts(row) for row in info(client, *[name.decode() for name in table.TABLE])}
    wrong = []
    for row in info(ours, *[name.decode() for name in table.TABLE]):
        mine, other = facts(row), theirs.get(row[0])
        if other is None:
            continue
        only_ours, only_theirs = FLAGS.get(row[0], (set(), set()))
        mine["flags"] = sorted(set(mine["flags"]) - only_ours | only_theirs)
        mine["subs"] = other["subs"] = []
        differing = [key for key in mine if mine[key] != other[key] and (row[0], key) not in APART]
        wrong += [(row[0], key, mine[key], other[key]) for key in differing]
    assert wrong == []


def test_docs_give_the_syntax_back() -> None:
    """A client that rebuilds the syntax from COMMAND DOCS gets our own lines."""
    client = embedded.Client()
    rebuilt = {line.split(" ")[0]: line for line, _ in lines(client.call("COMMAND", "DOCS"))}
    assert set(rebuilt) == {name.decode() for name in table.TABLE}
    known = [sub for top in table.TABLE.values() for sub in (top, *(top.subs or {}).values())]
    by_name = {}
    for line, _ in lines(client.call("COMMAND", "DOCS")):
        by_name[Syntax(line).name] = line
    wrong = [
        (c.line, by_name.get(c.syntax.name)) for c in known if Syntax(by_name[c.syntax.name]).tree != c.syntax.tree
    ]
    assert wrong == []


def shape(value: Any) -> Any:
    """The structure of a documentation: field names and the kinds of values, arguments and all."""
    if isinstance(value, dict):
        skip = {b"history", b"since", b"display_text", b"doc_flags", b"deprecated_since", b"replaced_by", b"name"}
        return {key: shape(item) for key, item in sorted(value.items()) if key not in skip}
    return type(value).__name__


@pytest.mark.parametrize("name", ["get", "config|rewrite", "object|freq", "ping", "dbsize", "mget"])
def test_docs_have_a_servers_shape(valkey: RealServer, name: str) -> None:
    with valkey.client(3) as client:
        other = shape(client.call("COMMAND", "DOCS", name))
    assert shape(embedded.Client(proto=3).call("COMMAND", "DOCS", name)) == other


def test_command_without_words_is_command_info_of_all() -> None:
    r = Runner(embedded.Client())
    rows = r("COMMAND")
    assert len(rows) == r("COMMAND COUNT") == len(table.TABLE) == len(r("COMMAND INFO"))
    assert [row[0] for row in rows] == [name.lower() for name in sorted(table.TABLE)]
    assert set(r("COMMAND LIST")) >= {b"get", b"config|get", b"object|encoding", b"command|docs"}


def test_command_info_on_the_wire(valkey: RealServer) -> None:
    """Sets of simple strings, maps in the specifications."""
    with valkey.client(3) as client:
        other, mine = client.wire("COMMAND", "INFO", "llen"), embedded.Client(proto=3).wire("COMMAND", "INFO", "llen")
    assert sorted(other.split(b"\r\n")) == sorted(mine.replace(b"*1\r\n%3", b"~1\r\n%3").split(b"\r\n"))


# -- MEMORY

REDIS_74 = {
    b"overhead.db.hashtable.lut",
    b"overhead.db.hashtable.rehashing",
    b"db.dict.rehashing.count",
    b"allocator.muzzy",
}


def test_memory_stats_has_a_servers_fields(r: Runner, redis7: RealServer) -> None:
    r("SET a 1")
    mine = r("MEMORY STATS")
    redis7.call("SET", "a", "1")
    other = redis7.call("MEMORY", "STATS")
    assert set(other[::2]) - set(mine[::2]) == set()
    assert set(mine[::2]) >= REDIS_74
    assert mine[mine.index(b"keys.count") + 1] == 1


def test_memory_stats_keeps_a_servers_order(redis7: RealServer) -> None:
    r = Runner(embedded.Client())
    redis7.flush()
    redis7.call("SET", "a", "1")
    r("SET a 1")
    mine = [name for name in r("MEMORY STATS")[::2] if name not in REDIS_74]
    assert mine == redis7.call("MEMORY", "STATS")[::2]


SIZES = [
    ("SET k a", f"SET k {'x' * 1000}", 990),
    ("RPUSH k a", "RPUSH k " + " ".join("x" * 100 for _ in range(50)), 5000),
    ("HSET k f v", "HSET k " + " ".join(f"f{n} v" for n in range(100)), 5000),
    ("SADD k a", "SADD k " + " ".join(f"member{n}" for n in range(100)), 4000),
    ("ZADD k 1 a", "ZADD k " + " ".join(f"{n} member{n}" for n in range(100)), 5000),
]


@pytest.mark.parametrize(("small", "big", "least"), SIZES)
def test_memory_usage_follows_the_value(small: str, big: str, least: int) -> None:
    r = Runner(embedded.Client())
    r(small)
    before = r("MEMORY USAGE k SAMPLES 0")
    r(big)
    assert r("MEMORY USAGE k SAMPLES 0") > before + least
    assert r("MEMORY USAGE k") > 0
    used = r("MEMORY USAGE k")
    r("EXPIRE k 100")
    assert r("MEMORY USAGE k") > used


def test_memory_stats_and_doctor_see_what_is_stored() -> None:
    r = Runner(embedded.Client())
    empty = pairs(r("MEMORY STATS"))
    assert (empty["keys.count"], empty["total.allocated"]) == (0, 0)
    assert b"nothing to say" in r("MEMORY DOCTOR")
    r(f"SET k {'x' * 6_000_000}")
    full = pairs(r("MEMORY STATS"))
    assert 6_000_000 < full["dataset.bytes"] < 6_001_000
    assert full["total.allocated"] == full["dataset.bytes"] + full["overhead.total"]
    r("CONFIG SET maxmemory 6500000")
    assert b"maxmemory" in r("MEMORY DOCTOR")
    r("FLUSHALL")
    after = pairs(r("MEMORY STATS"))
    assert after["total.allocated"] == 0
    assert after["peak.allocated"] == full["total.allocated"]
    assert b"resident bytes" in r("MEMORY MALLOC-STATS")


@pytest.mark.parametrize("container", ["COMMAND", "OBJECT", "MEMORY"])
def test_help(r: Runner, container: str) -> None:
    rows = r(f"{container} HELP")
    assert rows[0].startswith(container.encode() + b" <subcommand>")
    assert rows[-2] == b"HELP"
