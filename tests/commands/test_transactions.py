"""MULTI, EXEC, DISCARD, WATCH: the same tables on the embedded store and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.conftest import Runner
from tests.servers import RealServer

WRONG = "-WRONGTYPE Operation against a key holding the wrong kind of value"
ABORTED = "-EXECABORT Transaction discarded because of previous errors."
QUEUED = b"QUEUED"

TABLES: dict[str, list[tuple[str, Any]]] = {
    "exec": [
        ("MULTI", b"OK"),
        ("SET a 1", QUEUED),
        ("INCR a", QUEUED),
        ("GET a", QUEUED),
        ("EXEC", [b"OK", 2, b"2"]),
        ("EXEC", "-ERR EXEC without MULTI"),
    ],
    "an empty transaction": [("MULTI", b"OK"), ("EXEC", [])],
    "an error while running is one reply of many": [
        ("SET a x", b"OK"),
        ("MULTI", b"OK"),
        ("LPUSH a 1", QUEUED),
        ("INCR a", QUEUED),
        ("SET b 1", QUEUED),
        ("EXEC", [WRONG, "-ERR value is not an integer or out of range", b"OK"]),
        ("GET b", b"1"),
    ],
    "an error while queueing spoils all of it": [
        ("MULTI", b"OK"),
        ("SET a 1", QUEUED),
        ("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
        ("EXEC", ABORTED),
        ("GET a", None),
        ("MULTI", b"OK"),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("EXEC", ABORTED),
        ("EXEC", "-ERR EXEC without MULTI"),
    ],
    "discard": [
        ("MULTI", b"OK"),
        ("SET a 1", QUEUED),
        ("DISCARD", b"OK"),
        ("GET a", None),
        ("DISCARD", "-ERR DISCARD without MULTI"),
        ("MULTI", b"OK"),
        ("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
        ("DISCARD", b"OK"),
        ("MULTI", b"OK"),
        ("EXEC", []),
    ],
    "unwatch is queued": [("MULTI", b"OK"), ("UNWATCH", QUEUED), ("EXEC", [b"OK"])],
    "a database chosen inside stays chosen": [
        ("MULTI", b"OK"),
        ("SELECT 1", QUEUED),
        ("SET a 1", QUEUED),
        ("EXEC", [b"OK", b"OK"]),
        ("GET a", b"1"),
        ("SELECT 0", b"OK"),
        ("GET a", None),
    ],
    "blocking commands do not wait": [
        ("MULTI", b"OK"),
        ("BLPOP nope 0", QUEUED),
        ("BRPOP nope 0", QUEUED),
        ("EXEC", [None, None]),
    ],
    "arity": [
        ("MULTI x", "-ERR wrong number of arguments for 'multi' command"),
        ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
        ("DISCARD x", "-ERR wrong number of arguments for 'discard' command"),
        ("WATCH", "-ERR wrong number of arguments for 'watch' command"),
        ("UNWATCH x", "-ERR wrong number of arguments for 'unwatch' command"),
    ],
    "a wrong arity spoils a transaction, and that of exec ends it": [
        ("MULTI", b"OK"),
        ("DISCARD x", "-ERR wrong number of arguments for 'discard' command"),
        ("EXEC", ABORTED),
        ("MULTI", b"OK"),
        ("WATCH", "-ERR wrong number of arguments for 'watch' command"),
        ("WATCH", "-ERR wrong number of arguments for 'watch' command"),
        ("EXEC", ABORTED),
        ("MULTI", b"OK"),
        ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"),
        ("EXEC", "-ERR EXEC without MULTI"),
    ],
    "a word too many is found when it runs, unless the number is fixed": [
        ("MULTI", b"OK"),
        ("PING a b", QUEUED),
        ("EXEC", ["-ERR wrong number of arguments for 'ping' command"]),
        ("MULTI", b"OK"),
        ("GET a b", "-ERR wrong number of arguments for 'get' command"),
        ("EXEC", ABORTED),
    ],
    "own changes spoil a watch, too": [
        ("WATCH a", b"OK"),
        ("SET a 1", b"OK"),
        ("MULTI", b"OK"),
        ("SET b 1", QUEUED),
        ("EXEC", None),
        ("GET b", None),
    ],
}

# what another client does between WATCH k and EXEC, and whether it spoils the transaction
WATCHED = [
    ("SET k 2", True),
    ("SET k 1", True),
    ("GET k", False),
    ("SET other 1", False),
    ("DEL k", True),
    ("DEL nope", False),
    ("EXPIRE k 100", True),
    ("EXPIRE k -1", True),
    ("EXPIRE k 100 XX", False),
    ("PERSIST k", False),
    ("RENAME k x", True),
    ("RENAME x k", True),
    ("RENAME k k", False),
    ("COPY x k", False),
    ("COPY x k REPLACE", True),
    ("COPY k fresh", False),
    ("MOVE k 1", True),
    ("SORT nope STORE k", True),
    ("TOUCH k", False),
    ("UNLINK k", True),
    ("FLUSHDB", True),
    ("FLUSHALL", True),
    ("SWAPDB 0 1", True),
    ("APPEND k x", True),
    ("LPUSH k x", False),
]


# Valkey 9 words these differently and lets them spoil the transaction.
AS_REDIS: list[tuple[str, Any]] = [
    ("MULTI", b"OK"),
    ("MULTI", "-ERR MULTI calls can not be nested"),
    ("WATCH a", "-ERR WATCH inside MULTI is not allowed"),
    ("SET a 1", QUEUED),
    ("EXEC", [b"OK"]),
]


def test_what_may_not_be_inside(clocked: Runner) -> None:
    clocked.table(AS_REDIS)


def test_what_may_not_be_inside_redis(redis7: RealServer) -> None:
    redis7.flush()
    with redis7.client() as client:
        Runner(client, redis7).table(AS_REDIS)


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


@pytest.mark.parametrize(("line", "spoils"), WATCHED, ids=[line for line, _ in WATCHED])
def test_what_spoils_a_watch(r: Runner, line: str, spoils: bool) -> None:
    r.table([("MSET k 1 x 2", b"OK"), ("WATCH k", b"OK"), ("MULTI", b"OK"), ("PING", QUEUED)])
    r.other()(line)
    assert r("EXEC") == (None if spoils else [b"PONG"])
    r.table([("MULTI", b"OK"), ("PING", QUEUED), ("EXEC", [b"PONG"])])


@pytest.mark.parametrize("ending", ["UNWATCH", "MULTI;DISCARD", "MULTI;EXEC"])
def test_what_ends_a_watch(r: Runner, ending: str) -> None:
    r("WATCH k")
    for line in ending.split(";"):
        r(line)
    r.other()("SET k 1")
    r.table([("MULTI", b"OK"), ("PING", QUEUED), ("EXEC", [b"PONG"])])


def test_a_watch_is_for_one_database(r: Runner) -> None:
    r.table([("WATCH k", b"OK"), ("SELECT 1", b"OK"), ("WATCH j", b"OK"), ("SELECT 0", b"OK")])
    other = r.other()
    other.table([("SET j 1", b"OK"), ("SELECT 1", b"OK"), ("SET k 1", b"OK")])
    r.table([("MULTI", b"OK"), ("PING", QUEUED), ("EXEC", [b"PONG"])])


def test_a_watch_follows_move_to_another_database(r: Runner) -> None:
    r.table([("SELECT 1", b"OK"), ("WATCH k", b"OK")])
    r.other().table([("SET k 1", b"OK"), ("MOVE k 1", 1)])
    r.table([("MULTI", b"OK"), ("PING", QUEUED), ("EXEC", None)])


def test_a_missing_key_can_be_watched(r: Runner) -> None:
    r("WATCH k")
    r.other()("SET k 1")
    r.table([("MULTI", b"OK"), ("SET k 2", QUEUED), ("EXEC", None), ("GET k", b"1")])


def test_flushing_an_empty_database_spoils_nothing(r: Runner) -> None:
    r("WATCH k")
    r.other()("FLUSHALL")
    r.table([("MULTI", b"OK"), ("PING", QUEUED), ("EXEC", [b"PONG"])])


def test_a_watched_key_that_expires_spoils(clocked: Runner) -> None:
    clocked.table([("SET k 1 PX 100", b"OK"), ("WATCH k", b"OK"), ("MULTI", b"OK"), ("PING", QUEUED)])
    clocked.advance(200)
    clocked.table([("EXEC", None)])


def test_a_key_that_had_expired_when_watched_does_not(clocked: Runner) -> None:
    clocked("SET k 1 PX 100")
    clocked.advance(200)
    clocked.table([("WATCH k", b"OK"), ("MULTI", b"OK"), ("PING", QUEUED), ("EXEC", [b"PONG"])])


def test_time_stands_still_inside(clocked: Runner) -> None:
    clocked.table([("MULTI", b"OK"), ("SET k v PX 100", QUEUED), ("PTTL k", QUEUED), ("EXEC", [b"OK", 100])])


def test_a_refusal_is_counted(r: Runner) -> None:
    r("CONFIG RESETSTAT")
    r("MULTI")
    assert "not allowed inside a transaction" in r("SAVE")
    r("DISCARD")
    [line] = [line for line in r("INFO commandstats").split() if line.startswith(b"cmdstat_save:")]
    assert b":calls=0," in line
    assert b"rejected_calls=1," in line
