"""Cluster, replication and module commands answer as a server does that has none of these; MIGRATE moves keys."""

from __future__ import annotations

from typing import Any

import pytest

from redtool.commands.cluster import slot_of
from tests.commands.conftest import Runner
from tests.commands.journal import effects
from tests.embedded import Client
from tests.servers import RealServer

NO_CLUSTER = "-ERR This instance has cluster support disabled"
NOT_INT = "-ERR value is not an integer or out of range"
SYNTAX = "-ERR syntax error"

TABLES: dict[str, list[tuple[str, Any]]] = {
    "no cluster": [
        ("CLUSTER INFO", NO_CLUSTER), ("CLUSTER NODES", NO_CLUSTER), ("CLUSTER MYID", NO_CLUSTER),
        ("CLUSTER SLOTS", NO_CLUSTER), ("CLUSTER SHARDS", NO_CLUSTER), ("CLUSTER COUNTKEYSINSLOT 1", NO_CLUSTER),
        ("CLUSTER ADDSLOTS 1 2", NO_CLUSTER), ("CLUSTER ADDSLOTSRANGE 0 5", NO_CLUSTER),
        ("CLUSTER SLOT-STATS SLOTSRANGE 0 1", NO_CLUSTER), ("CLUSTER SETSLOT 1 STABLE", NO_CLUSTER),
        ("CLUSTER MEET 127.0.0.1 7000", NO_CLUSTER), ("CLUSTER FORGET x", NO_CLUSTER),
        ("CLUSTER REPLICATE x", NO_CLUSTER), ("CLUSTER REPLICAS x", NO_CLUSTER), ("CLUSTER SLAVES x", NO_CLUSTER),
        ("CLUSTER FAILOVER", NO_CLUSTER), ("CLUSTER RESET HARD", NO_CLUSTER), ("CLUSTER SAVECONFIG", NO_CLUSTER),
        ("CLUSTER BUMPEPOCH", NO_CLUSTER), ("CLUSTER SET-CONFIG-EPOCH 1", NO_CLUSTER), ("CLUSTER LINKS", NO_CLUSTER),
        ("CLUSTER GETKEYSINSLOT 1 2", NO_CLUSTER), ("CLUSTER COUNT-FAILURE-REPORTS x", NO_CLUSTER),
        ("CLUSTER DELSLOTS 1", NO_CLUSTER), ("CLUSTER DELSLOTSRANGE 1 2", NO_CLUSTER),
        ("CLUSTER FLUSHSLOTS", NO_CLUSTER), ("CLUSTER MYSHARDID", NO_CLUSTER), ("CLUSTER FLUSHSLOT 1", NO_CLUSTER),
        ("CLUSTER GETSLOTMIGRATIONS", NO_CLUSTER), ("CLUSTER CANCELSLOTMIGRATIONS", NO_CLUSTER),
        ("CLUSTER MIGRATESLOTS SLOTSRANGE 0 1 NODE x", NO_CLUSTER), ("CLUSTERSCAN 0", NO_CLUSTER),
        ("ASKING", NO_CLUSTER),
        ("CLUSTER", "-ERR wrong number of arguments for 'cluster' command"),
        ("CLUSTER nope", "-ERR unknown subcommand 'nope'. Try CLUSTER HELP."),
        ("CLUSTER KEYSLOT foo", 12182), ("cluster keyslot {foo}bar", 12182), ("CLUSTER KEYSLOT {}foo", 9500),
        ("CLUSTER KEYSLOT ''", 0), ("CLUSTER KEYSLOT", "-ERR wrong number of arguments for 'cluster|keyslot' command"),
    ],
    "no replicas": [
        ("REPLICAOF NO ONE", b"OK"), ("SLAVEOF no one", b"OK"), ("REPLICAOF h x", "-ERR Invalid master port"),
        ("REPLICAOF h 99999999", "-ERR Invalid master port"),
        ("SLAVEOF a b c", "-ERR wrong number of arguments for 'slaveof' command"),
        ("REPLCONF", b"OK"), ("REPLCONF a", SYNTAX), ("REPLCONF listening-port 1234", b"OK"),
        ("REPLCONF capa eof", b"OK"), ("REPLCONF nope x", "-ERR Unrecognized REPLCONF option: nope"),
        ("FAILOVER", "-ERR FAILOVER requires connected replicas."),
        ("FAILOVER ABORT", "-ERR No failover in progress."),
        ("FAILOVER TO h 1 FORCE TIMEOUT 5", "-ERR FAILOVER requires connected replicas."),
        ("FAILOVER nope", SYNTAX), ("FAILOVER TIMEOUT x", NOT_INT), ("FAILOVER TIMEOUT 5 ABORT", SYNTAX),
        ("WAITAOF 0 0 0", [0, 0]), ("WAITAOF 0 1 1", [0, 0]),
        ("WAITAOF 1 0 1", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."),
        ("WAITAOF 2 0 0", "-ERR value is out of range, value must between 0 and 1"), ("WAITAOF x 0 0", NOT_INT),
        ("WAITAOF 0 -1 1", "-ERR value is out of range, must be positive"),
        ("WAITAOF 0 0 -1", "-ERR timeout is negative"),
        ("MODULE nope", "-ERR unknown subcommand 'nope'. Try MODULE HELP."),
    ],
    "migrate": [
        ("SET k v", b"OK"),
        ("MIGRATE 127.0.0.1 1 none 0 100", b"NOKEY"), ("MIGRATE 127.0.0.1 x none 0 100", b"NOKEY"),
        ("MIGRATE 127.0.0.1 1 k 0 100", "-IOERR error or timeout writing to target instance"),
        ("MIGRATE 127.0.0.1 1 k 0 x", NOT_INT), ("MIGRATE 127.0.0.1 1 k x 100", NOT_INT),
        ("MIGRATE 127.0.0.1 1 k 0 100 KEYS k",
         "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"),
        ("MIGRATE 127.0.0.1 1 '' 0 100 KEYS k", "-IOERR error or timeout writing to target instance"),
        ("MIGRATE 127.0.0.1 1 k 0 100 NOPE", SYNTAX), ("MIGRATE 127.0.0.1 1 k 0 100 AUTH", SYNTAX),
        ("MIGRATE 127.0.0.1 1 k 0 100 AUTH2 u", SYNTAX),
        ("GET k", b"v"),
        ("COMMAND GETKEYS MIGRATE h 1 '' 0 1 KEYS a b", [b"a", b"b"]),
        ("COMMAND GETKEYS MIGRATE h 1 k 0 1", [b"k"]),
        ("RESTORE-ASKING k 0 x", "-BUSYKEY Target key name already exists."),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


def test_refused() -> None:
    """What a real server would try, and a store of redtool cannot."""
    call = Client().call
    for line in ("REPLICAOF 127.0.0.1 6379", "SYNC", "PSYNC ? -1", "MODULE LOAD /x", "MODULE LOADEX /x", "SHUTDOWN"):
        assert str(call(*line.split())).startswith("ERR "), line
    assert call("MODULE", "LIST") == []


@pytest.mark.parametrize("key", [b"foo", b"{user}.x", b"a{b}c", b"{}x", b"{a", b"a}b{c}", b"\xff\x00"])
def test_slots_are_a_servers(valkey: RealServer, key: bytes) -> None:
    assert slot_of(key) == valkey.call("CLUSTER", "KEYSLOT", key)


def test_migrate_moves(valkey: RealServer) -> None:
    """Values and deadlines arrive at a real server; the journal says that they are gone here."""
    valkey.flush()
    here = Client()
    for line in ("SET a 1", "RPUSH l x y", "HSET h f v", "PEXPIREAT l 99999999999999"):
        here.call(*line.split())
    there = f"127.0.0.1 {valkey.port}"
    assert here.call(*f"MIGRATE {there} a 0 1000".split()) == b"OK"
    assert here.call("EXISTS", "a") == 0
    assert valkey.call("GET", "a") == b"1"
    moved = f"MIGRATE {there} '' 0 1000 KEYS l h"
    assert effects(here, moved) == [b"MULTI", b"DEL l", b"DEL h", b"EXEC"]
    assert valkey.call("LRANGE", "l", 0, -1) == [b"x", b"y"]
    assert valkey.call("PTTL", "l") > 10**12
    assert valkey.call("PTTL", "h") == -1


def test_migrate_keeps_what_the_target_refuses(valkey: RealServer) -> None:
    valkey.flush()
    valkey.call("SET", "a", "theirs")
    here = Client()
    here.call("MSET", "a", "ours", "b", "2")
    there = ("MIGRATE", "127.0.0.1", valkey.port)
    reply = here.call(*there, "", 0, 1000, "KEYS", "a", "b")
    assert str(reply) == "ERR Target instance replied with error: BUSYKEY Target key name already exists."
    assert here.call("MGET", "a", "b") == [b"ours", None]
    assert here.call(*there, "a", 0, 1000, "COPY", "REPLACE") == b"OK"
    assert (here.call("GET", "a"), valkey.call("GET", "a")) == (b"ours", b"ours")
    assert str(here.call(*there, "a", 99, 1000)).startswith("ERR Target instance replied with error: ERR DB index")
    assert str(here.call(*there, "a", 0, 1000, "AUTH", "pw")).startswith("ERR Target instance replied with error: ")
    assert here.call("GET", "a") == b"ours"
