"""EXPIRE and its kin as tables on both backends; what happens when time passes on the embedded store."""

from __future__ import annotations

from typing import Any

import pytest

from redtool import loading
from tests.commands.conftest import Runner

NOT_INT = "-ERR value is not an integer or out of range"
NX_WITH = "-ERR NX and XX, GT or LT options at the same time are not compatible"
GT_WITH = "-ERR GT and LT options at the same time are not compatible"


def invalid(name: str) -> str:
    return f"-ERR invalid expire time in '{name}' command"


TABLES: dict[str, list[tuple[str, Any]]] = {
    "ttl": [
        ("TTL nope", -2),
        ("PTTL nope", -2),
        ("EXPIRETIME nope", -2),
        ("PEXPIRETIME nope", -2),
        ("SET k v", b"OK"),
        ("TTL k", -1),
        ("PTTL k", -1),
        ("EXPIRETIME k", -1),
        ("PEXPIRETIME k", -1),
        ("EXPIRE k 100", 1),
        ("TTL k", 100),
        ("PEXPIRE k 100400", 1),
        ("TTL k", 100),
    ],
    "absolute times": [
        ("SET k v", b"OK"),
        ("EXPIREAT k 4000000000", 1),
        ("EXPIRETIME k", 4000000000),
        ("PEXPIRETIME k", 4000000000000),
        ("PEXPIREAT k 4000000000499", 1),
        ("EXPIRETIME k", 4000000000),
        ("PEXPIREAT k 4000000000500", 1),
        ("EXPIRETIME k", 4000000001),
        ("PEXPIREAT k 9223372036854775807", 1),
        ("PEXPIRETIME k", 9223372036854775807),
        ("EXPIRETIME k", 9223372036854776),
    ],
    "a time that has passed deletes": [
        ("MSET a 1 b 2 c 3 d 4", b"OK"),
        ("EXPIRE a -1", 1),
        ("EXPIRE b 0", 1),
        ("EXPIREAT c 1000", 1),
        ("PEXPIREAT d -9223372036854775808", 1),
        ("EXISTS a b c d", 0),
        ("EXPIRE a 10", 0),
    ],
    "overflow": [
        ("SET k v", b"OK"),
        ("EXPIRE k 9223372036854775807", invalid("expire")),
        ("EXPIRE k 9223372036854775", invalid("expire")),
        ("EXPIRE k -9223372036854776", invalid("expire")),
        ("EXPIREAT k 9223372036854776", invalid("expireat")),
        ("PEXPIRE k 9223372036854775807", invalid("pexpire")),
        ("EXPIRE nope 9223372036854775807", invalid("expire")),
        ("EXPIRE k 9223372036854775808", NOT_INT),
        ("EXPIRE k 1.5", NOT_INT),
        ("EXPIRE nope x", NOT_INT),
        ("TTL k", -1),
    ],
    "conditions": [
        ("SET k v", b"OK"),
        ("EXPIRE k 100 XX", 0),
        ("EXPIRE k 100 GT", 0),
        ("EXPIRE k 100 XX GT", 0),
        ("EXPIRE k 100 XX LT", 0),
        ("EXPIRE k 100 NX", 1),
        ("EXPIRE k 200 nx", 0),
        ("EXPIRE k 200 LT", 0),
        ("EXPIRE k 50 GT", 0),
        ("EXPIRE k 200 gt XX", 1),
        ("EXPIRE k 100 LT LT XX", 1),
        ("TTL k", 100),
        ("EXPIRE k -1 GT", 0),
        ("PERSIST k", 1),
        ("EXPIRE k 100 LT", 1),
        ("EXPIRE k -1 LT", 1),
        ("EXISTS k", 0),
    ],
    "conditions that exclude each other": [
        ("SET k v", b"OK"),
        ("EXPIRE k 1 NX XX", NX_WITH),
        ("EXPIRE k 1 LT NX", NX_WITH),
        ("PEXPIRE k 1 GT NX", NX_WITH),
        ("EXPIREAT k 1 GT LT", GT_WITH),
        ("PEXPIREAT k 1 LT GT XX", GT_WITH),
        ("EXPIRE k 1 KEEP", "-ERR Unsupported option KEEP"),
        ("EXPIRE k 1 NX XX KEEP", "-ERR Unsupported option KEEP"),
        ("EXPIRE k x KEEP", "-ERR Unsupported option KEEP"),
        ("EXPIRE k x NX XX", NX_WITH),
        ("EXPIRE nope 1 GT LT", GT_WITH),
        ("EXPIRE k", "-ERR wrong number of arguments for 'expire' command"),
        ("TTL k", -1),
    ],
    "equal deadlines are neither greater nor less": [
        ("SET k v", b"OK"),
        ("PEXPIREAT k 4000000000000", 1),
        ("PEXPIREAT k 4000000000000 GT", 0),
        ("PEXPIREAT k 4000000000000 LT", 0),
    ],
    "persist": [
        ("PERSIST nope", 0),
        ("SET k v EX 10", b"OK"),
        ("PERSIST k", 1),
        ("PERSIST k", 0),
        ("TTL k", -1),
    ],
    "what keeps a deadline and what drops it": [
        ("SET k 1 EX 100", b"OK"),
        ("INCR k", 2),
        ("APPEND k 0", 2),
        ("SETRANGE k 0 3", 2),
        ("TTL k", 100),
        ("GETSET k 1", b"30"),
        ("TTL k", -1),
        ("SET k 1 EX 100", b"OK"),
        ("SET k 2", b"OK"),
        ("TTL k", -1),
        ("RPUSH l a", 1),
        ("EXPIRE l 100", 1),
        ("RPUSH l b", 2),
        ("TTL l", 100),
        ("SORT l ALPHA STORE l", 2),
        ("TTL l", -1),
    ],
}


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


def test_a_key_is_gone_at_its_deadline(clocked: Runner) -> None:
    clocked.table([("SET k v PX 1000", b"OK"), ("TTL k", 1), ("PTTL k", 1000)])
    clocked.advance(999)
    clocked.table([("GET k", b"v"), ("PTTL k", 1), ("TTL k", 0)])
    clocked.advance(1)
    clocked.table([("GET k", None), ("TTL k", -2), ("EXISTS k", 0), ("TYPE k", b"none"), ("DEL k", 0)])


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("KEYS *", [b"stays"]),
        ("SCAN 0", [b"0", [b"stays"]]),
        ("RANDOMKEY", b"stays"),
        ("EXISTS a b", 0),
        ("TOUCH a stays", 1),
        ("UNLINK a b stays", 1),
        ("RENAME a c", "-ERR no such key"),
        ("RENAMENX stays a", 1),
        ("COPY a c", 0),
        ("COPY stays a", 1),
        ("MOVE a 1", 0),
        ("PERSIST a", 0),
        ("EXPIRE a 10", 0),
        ("SORT a", []),
        ("SETNX a 1", 1),
        ("INCR a", 1),
        ("RPUSH a x", 1),
    ],
)
def test_every_command_takes_an_expired_key_for_missing(clocked: Runner, line: str, reply: Any) -> None:
    clocked.table([("SET stays 1", b"OK"), ("SET a 5 PX 10", b"OK"), ("SET b 5 PX 10", b"OK")])
    clocked.advance(20)
    clocked.table([(line, reply)])


def test_move_goes_where_an_expired_key_was(clocked: Runner) -> None:
    clocked.table([("SET k old PX 10", b"OK"), ("SELECT 1", b"OK"), ("SET k new", b"OK")])
    clocked.advance(20)
    clocked.table([("MOVE k 0", 1), ("SELECT 0", b"OK"), ("GET k", b"new"), ("TTL k", -1)])


def test_expired_keys_go_without_being_asked_for(clocked: Runner) -> None:
    for i in range(3000):
        clocked(f"SET k{i} v PX {100 + i % 7}")
    clocked("SET stays v")
    clocked.advance(150)
    rounds = 0
    while clocked("DBSIZE") > 1 and rounds < 50:
        clocked("PING")
        clocked.advance(100)
        rounds += 1
    assert rounds < 50


def test_a_new_deadline_replaces_the_old_one(clocked: Runner) -> None:
    clocked.table([("SET k v PX 100", b"OK"), ("PEXPIRE k 1000", 1)])
    clocked.advance(500)
    clocked.table([("GET k", b"v"), ("PEXPIRE k 100", 1)])
    clocked.advance(100)
    clocked.table([("GET k", None)])


def test_a_scan_over_expiring_keys_gives_those_that_stay(clocked: Runner) -> None:
    for i in range(200):
        clocked(f"SET stay:{i} v")
        clocked(f"SET go:{i} v PX {1 + i}")
    seen, cursor = set(), b"0"
    while True:
        cursor, page = clocked(f"SCAN {cursor.decode()} COUNT 9")
        seen.update(page)
        clocked.advance(5)
        if cursor == b"0":
            break
    assert {b"stay:%d" % i for i in range(200)} <= seen


@pytest.mark.parametrize("line", ["SET k v PXAT 1000", "PEXPIREAT k 1000", "EXPIREAT k 1", "GETEX k PXAT 1000"])
def test_replay_keeps_a_key_whose_deadline_was_taken_back_later(clocked: Runner, line: str) -> None:
    store = clocked.client.store  # type: ignore[union-attr]
    clocked("SET k v")
    loading.begin(store)
    clocked(line)
    clocked("PERSIST k")
    loading.end(store)
    clocked.table([("GET k", b"v"), ("TTL k", -1)])
