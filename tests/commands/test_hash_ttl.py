"""Fields of a hash that end: on the embedded store, through a socket and on Valkey, where it answers as Redis does."""

from __future__ import annotations

from typing import Any

import pytest

from redtool.store import Store
from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects

LATER = 4_000_000_000_000
WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
ENDS = ["HEXPIRE h 100", "HPEXPIRE h 100000", f"HEXPIREAT h {LATER // 1000}", f"HPEXPIREAT h {LATER}"]

TABLES: dict[str, list[tuple[str, Any]]] = {
    "set, ask, take away": [
        ("HSET h a 1 b 2", 2),
        (f"HPEXPIREAT h {LATER} FIELDS 3 a b nofield", [1, 1, -2]),
        ("HPEXPIRETIME h FIELDS 3 a b nofield", [LATER, LATER, -2]),
        ("HEXPIRETIME h FIELDS 1 a", [LATER // 1000]),
        ("HPERSIST h FIELDS 3 a a nofield", [1, -1, -2]),
        ("HTTL h FIELDS 2 a nofield", [-1, -2]),
        ("HPTTL h FIELDS 1 a", [-1]),
    ],
    "no such key": [
        ("HEXPIRE h 5 FIELDS 2 a b", [-2, -2]),
        ("HTTL h FIELDS 2 a b", [-2, -2]),
        ("HPERSIST h FIELDS 1 a", [-2]),
        ("HGETEX h EX 10 FIELDS 2 a b", [None, None]),
        ("HGETDEL h FIELDS 2 a b", [None, None]),
        ("HSETEX h FXX FIELDS 1 a 1", 0),
        ("EXISTS h", 0),
    ],
    "conditions": [
        ("HSET h a 1 b 2", 2),
        (f"HPEXPIREAT h {LATER} XX FIELDS 1 a", [0]),
        (f"HPEXPIREAT h {LATER} GT FIELDS 1 a", [0]),
        (f"HPEXPIREAT h {LATER} NX FIELDS 1 a", [1]),
        (f"HPEXPIREAT h {LATER} nx FIELDS 2 a b", [0, 1]),
        (f"HPEXPIREAT h {LATER} GT FIELDS 1 a", [0]),
        (f"HPEXPIREAT h {LATER} LT FIELDS 1 a", [0]),
        (f"HPEXPIREAT h {LATER + 1} GT FIELDS 1 a", [1]),
        (f"HPEXPIREAT h {LATER - 1} LT FIELDS 2 a b", [1, 1]),
        ("HPERSIST h FIELDS 1 a", [1]),
        (f"HPEXPIREAT h {LATER} LT FIELDS 1 a", [1]),
        ("HPEXPIREAT h 5 NX FIELDS 1 a", [0]),
        ("HPEXPIREAT h 5 GT FIELDS 1 a", [0]),
        ("HPEXPIREAT h 5 XX FIELDS 1 a", [2]),
        ("HGETALL h", [b"b", b"2"]),
    ],
    "a time that has passed removes, and the key with its last field": [
        ("HSET h a 1 b 2 c 3", 3),
        ("HEXPIRE h 0 FIELDS 1 a", [2]),
        ("HPEXPIREAT h 5 FIELDS 2 b b", [2, -2]),
        ("HLEN h", 1),
        ("HEXPIREAT h 0 FIELDS 1 c", [2]),
        ("EXISTS h", 0),
        ("HSET h a 1", 1),
        ("HTTL h FIELDS 1 a", [-1]),
        ("HGETEX h PXAT 5 FIELDS 2 a a", [b"1", None]),
        ("EXISTS h", 0),
        ("HSETEX h PXAT 5 FIELDS 1 a 1", 1),
        ("EXISTS h", 0),
        ("HSET h a 1 b 2", 2),
        ("HSETEX h EX 0 FIELDS 2 a 3 c 3", 1),
        ("HGETALL h", [b"b", b"2"]),
    ],
    "what keeps a deadline and what takes it away": [
        (f"HSETEX h PXAT {LATER} FIELDS 3 a 1 b 2 c 3", 1),
        ("HINCRBY h a 1", 2),
        ("HINCRBYFLOAT h a 0.5", b"2.5"),
        ("HSETNX h a 9", 0),
        ("HSETEX h KEEPTTL FIELDS 2 a 7 n 1", 1),
        ("HPEXPIRETIME h FIELDS 2 a n", [LATER, -1]),
        ("HSET h a 1", 0),
        ("HMSET h b 1", b"OK"),
        ("HSETEX h FIELDS 1 c 1", 1),
        ("HTTL h FIELDS 3 a b c", [-1, -1, -1]),
    ],
    "deadlines go with the key": [
        (f"HSETEX h PXAT {LATER} FIELDS 1 a 1", 1),
        ("RENAME h g", b"OK"),
        ("COPY g k", 1),
        ("MOVE g 1", 1),
        ("HSET k a 2", 0),
        ("SELECT 1", b"OK"),
        ("HPEXPIRETIME g FIELDS 1 a", [LATER]),
        ("SELECT 0", b"OK"),
        ("HTTL k FIELDS 1 a", [-1]),
    ],
    "HGETEX": [
        ("HSET h a 1 b 2", 2),
        ("HGETEX h FIELDS 3 a nofield b", [b"1", None, b"2"]),
        ("HTTL h FIELDS 1 a", [-1]),
        (f"HGETEX h EXAT {LATER // 1000} FIELDS 2 a nofield", [b"1", None]),
        (f"HGETEX h pxat {LATER + 1} FIELDS 1 b", [b"2"]),
        ("HPEXPIRETIME h FIELDS 2 a b", [LATER, LATER + 1]),
        ("HGETEX h FIELDS 1 a", [b"1"]),
        ("HPEXPIRETIME h FIELDS 1 a", [LATER]),
        ("HGETEX h PERSIST FIELDS 2 a nofield", [b"1", None]),
        ("HTTL h FIELDS 1 a", [-1]),
        ("HGETEX h EX x FIELDS 1 a", "-ERR value is not an integer or out of range"),
    ],
    "HSETEX": [
        (f"HSETEX h FNX PXAT {LATER} FIELDS 2 a 1 b 2", 1),
        ("HSETEX h FNX FIELDS 2 a 9 z 9", 0),
        ("HSETEX h FXX FIELDS 2 a 9 z 9", 0),
        ("HGETALL h", [b"a", b"1", b"b", b"2"]),
        ("HSETEX h fxx KEEPTTL FIELDS 2 a 3 b 4", 1),
        ("HPEXPIRETIME h FIELDS 2 a b", [LATER, LATER]),
        ("HSETEX h FIELDS 2 m 1 m 2", 1),
        ("HGET h m", b"2"),
        ("HSETEX h EX 9223372036854775807 FIELDS 1 a 1", "-ERR invalid expire time in 'hsetex' command"),
        ("HSETEX h FIELDS 1 a", "-ERR wrong number of arguments for 'hsetex' command"),
    ],
    "HSETEX on conditions of the key, as Valkey has them": [
        ("HSETEX h XX FIELDS 1 a 1", 0),
        ("HSETEX h XX EX -5 FIELDS 1 a 1", 0),
        ("HSETEX h EX -5 XX FIELDS 1 a 1", 0),
        ("HSETEX h NX FIELDS 1 a 1", 1),
        ("HSETEX h NX FIELDS 1 a 2", 0),
        ("HSETEX h XX FNX FIELDS 1 b 2", 1),
        ("HGETALL h", [b"a", b"1", b"b", b"2"]),
        ("HSETEX h NX XX FIELDS 1 a 2", "-ERR syntax error"),
    ],
    "HGETDEL": [
        ("HSET h a 1 b 2", 2),
        ("HGETDEL h FIELDS 3 a a nofield", [b"1", None, None]),
        ("HGETDEL h FIELDS 1 b", [b"2"]),
        ("EXISTS h", 0),
    ],
    "other types": [
        ("SET s 1", b"OK"),
        *((f"{line.replace(' h ', ' s ')} FIELDS 1 a", WRONG_TYPE) for line in ENDS),
        *((f"{name} s FIELDS 1 a", WRONG_TYPE)
          for name in ("HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST", "HGETEX", "HGETDEL")),
        ("HSETEX s FIELDS 1 a 1", WRONG_TYPE),
    ],
    "errors worded alike": [
        ("HSET h a 1", 1),
        ("HEXPIRE h x FIELDS 1 a", "-ERR value is not an integer or out of range"),
        ("HEXPIRE h 9223372036854775807 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"),
        ("HEXPIRE h 10 FIELDS 1", "-ERR wrong number of arguments for 'hexpire' command"),
        ("HTTL h FIELDS 1", "-ERR wrong number of arguments for 'httl' command"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables(r: Runner, name: str) -> None:
    r.table(TABLES[name])


# Errors in Redis's words, taken from 7.4.1 and 8.2.3; Valkey refuses the same in its own.
REFUSED = [
    ("HEXPIRE h 10 FIELDS 0 a", "ERR Parameter `numFields` should be greater than 0"),
    ("HEXPIRE h 10 FIELDS x a", "ERR Parameter `numFields` should be greater than 0"),
    ("HEXPIRE h 10 FIELDS 3 a b", "ERR The `numfields` parameter must match the number of arguments"),
    ("HEXPIRE h 10 FIELDS 1 a b", "ERR The `numfields` parameter must match the number of arguments"),
    ("HEXPIRE h 10 FIELD 1 a", "ERR Mandatory argument FIELDS is missing or not at the right position"),
    ("HEXPIRE h 10 NX XX FIELDS 1 a", "ERR Mandatory argument FIELDS is missing or not at the right position"),
    ("HEXPIRE h -1 FIELDS 1 a", "ERR invalid expire time, must be >= 0"),
    ("HPEXPIREAT h -1 FIELD 1 a", "ERR invalid expire time, must be >= 0"),
    ("HTTL h FIELDS 0 a", "ERR Number of fields must be a positive integer"),
    ("HTTL h FIELDS 2 a", "ERR The `numfields` parameter must match the number of arguments"),
    ("HPERSIST h FIELD 1 a", "ERR Mandatory argument FIELDS is missing or not at the right position"),
    ("HGETDEL h FIELDS -1 a", "ERR Number of fields must be a positive integer"),
    ("HGETEX h EX 10 PX 10 FIELDS 1 a", "ERR Mandatory argument FIELDS is missing or not at the right position"),
    ("HGETEX h EX -1 FIELDS 1 a", "ERR invalid expire time, must be >= 0"),
    ("HGETEX h EX 10 FIELDS", "ERR Number of fields must be a positive integer"),
    ("HSETEX h EX 10 KEEPTTL FIELDS 1 a 1",
     "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"),
    ("HSETEX h FNX FXX FIELDS 1 a 1", "ERR Only one of FXX or FNX arguments can be specified"),
    ("HSETEX h FIELDS 2 a 1", "ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FIELDS 0 a 1", "ERR invalid number of fields"),
    ("HSETEX h BLAH FIELDS 1 a 1", "ERR unknown argument: BLAH"),
    ("HSETEX h FNX FNX a b", "ERR Only one of FXX or FNX arguments can be specified"),
    ("HSETEX h FNX EX 10 KEEP", "ERR unknown argument: KEEP"),
    ("HSETEX h FNX KEEPTTL a EX", "ERR unknown argument: a"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "text"), REFUSED)
def test_refusals(clocked: Runner, r: Runner, line: str, text: str) -> None:
    for runner in (clocked, r):
        runner("HSET h a 1")
    assert clocked(line) == f"-{text}"
    assert r(line).startswith("-ERR ")
    assert r("HTTL h FIELDS 1 a") == [-1]


def test_the_latest_deadline_is_redis_s(clocked: Runner) -> None:
    """2**46 - 1 ms; Valkey takes more, which no Redis could load."""
    clocked.table([
        ("HSET h a 1", 1),
        ("HPEXPIREAT h 70368744177663 FIELDS 1 a", [1]),
        ("HPEXPIREAT h 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command"),
        ("HEXPIREAT h 70368744178 FIELDS 1 a", "-ERR invalid expire time in 'hexpireat' command"),
        ("HGETEX h PXAT 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hgetex' command"),
    ])  # fmt: skip


def test_times_left_are_rounded_up(clocked: Runner) -> None:
    clocked.table([
        ("HSET h a 1", 1),
        ("HPEXPIRE h 1001 FIELDS 1 a", [1]),
        ("HTTL h FIELDS 1 a", [2]),
        (f"HPEXPIREAT h {LATER + 123} FIELDS 1 a", [1]),
        ("HEXPIRETIME h FIELDS 1 a", [LATER // 1000 + 1]),
    ])  # fmt: skip


# -- time passes: a ends, b stays


def store_of(runner: Runner) -> Store:
    assert isinstance(runner.client, embedded.Client)
    return runner.client.store


READS: list[tuple[str, Any]] = [
    ("HGET h a", None),
    ("HMGET h a b", [None, b"2"]),
    ("HGETALL h", [b"b", b"2"]),
    ("HLEN h", 1),
    ("HEXISTS h a", 0),
    ("HSTRLEN h a", 0),
    ("HKEYS h", [b"b"]),
    ("HVALS h", [b"2"]),
    ("HSCAN h 0", [b"0", [b"b", b"2"]]),
    ("HRANDFIELD h", b"b"),
    ("HRANDFIELD h 5", [b"b"]),
    ("HTTL h FIELDS 1 a", [-2]),
    ("HDEL h a", 0),
    ("HINCRBY h a 5", 5),
    ("HINCRBYFLOAT h a 5", b"5"),
    ("HSETNX h a 5", 1),
    ("HSET h a 5", 1),
    ("HSETEX h FXX FIELDS 1 a 5", 0),
    ("HGETEX h FIELDS 1 a", [None]),
    ("HGETDEL h FIELDS 1 a", [None]),
    ("HPERSIST h FIELDS 1 a", [-2]),
    ("HEXPIRE h 10 FIELDS 1 a", [-2]),
    ("SORT l BY nosort GET h->a", [None]),
    ("SORT l BY nosort GET *->a", [None]),
]


@pytest.mark.parametrize("active", [0, 1])
@pytest.mark.parametrize(("line", "reply"), READS, ids=[line for line, _ in READS])
def test_a_field_past_its_deadline_is_gone(clocked: Runner, active: int, line: str, reply: Any) -> None:
    clocked("HSET h a 1 b 2")
    clocked("RPUSH l h")
    clocked("HPEXPIRE h 50 FIELDS 1 a")
    assert clocked("OBJECT ENCODING h") == b"listpackex"
    store_of(clocked).active_expire = bool(active)
    clocked.advance(49)
    assert clocked("HGET h a") == b"1"
    clocked.advance(200 if active else 1)
    assert clocked(line) == reply
    assert clocked("HGET h b") == b"2"


GONE: list[tuple[str, Any]] = [
    ("EXISTS h", 0),
    ("TYPE h", b"none"),
    ("KEYS *", []),
    ("SCAN 0", [b"0", []]),
    ("RANDOMKEY", None),
    ("DUMP h", None),
    ("COPY h g", 0),
    ("RENAME h g", "-ERR no such key"),
    ("TTL h", -2),
    ("HLEN h", 0),
    ("DEL h", 0),
    ("SET h 1 NX", b"OK"),
    ("LPUSH h 1", 1),
]


@pytest.mark.parametrize(("line", "reply"), GONE, ids=[line for line, _ in GONE])
def test_the_key_goes_with_its_last_field(clocked: Runner, line: str, reply: Any) -> None:
    clocked("HSETEX h PX 50 FIELDS 2 a 1 b 2")
    store_of(clocked).active_expire = False
    clocked.advance(50)
    assert clocked(line) == reply


def test_the_cycle_expires_a_bounded_number(clocked: Runner) -> None:
    store = store_of(clocked)
    for key in ("h", "g"):
        clocked(f"HSETEX {key} PX 10 FIELDS 700 " + " ".join(f"f{n} v" for n in range(700)))
        clocked(f"HSETEX {key} PX 500 FIELDS 1 late v")
    clocked("HSET h f3 again")
    clocked.advance(150)
    clocked("PING")
    assert store.expired_fields == 1000
    assert sum(map(len, store.databases[0].data.values())) == 402
    clocked.advance(150)
    clocked("PING")
    assert clocked("DBSIZE") == 2
    assert store.expired_fields == 1399
    clocked.advance(500)
    clocked("PING")
    assert clocked("DBSIZE") == 1
    assert clocked("HGETALL h") == [b"f3", b"again"]
    assert b"expired_subkeys:1401\r\n" in clocked("INFO stats")
    assert store.databases[0].timed == {}


def test_no_cycle_where_active_expiry_is_off(clocked: Runner) -> None:
    store = store_of(clocked)
    store.active_expire = False
    clocked("HSETEX h PX 10 FIELDS 1 a 1")
    clocked.advance(1000)
    clocked("PING")
    assert store.expired_fields == 0
    assert clocked("DBSIZE") == 1


@pytest.mark.parametrize("look", ["HGET h a", "PING"])
def test_who_watches_is_told(clocked: Runner, look: str) -> None:
    other = clocked.other()
    clocked("HSET h a 1 b 2")
    clocked("HPEXPIRE h 10 FIELDS 1 a")
    other.table([("WATCH h", b"OK"), ("MULTI", b"OK"), ("HLEN h", b"QUEUED")])
    clocked.advance(150)
    clocked(look)
    assert other("EXEC") is None


def test_a_swapped_or_emptied_database(clocked: Runner) -> None:
    clocked("HSETEX h PX 50 FIELDS 2 a 1 b 2")
    clocked("HSET h b 2")
    clocked("SWAPDB 0 1")
    clocked.advance(60)
    assert clocked("EXISTS h") == 0
    clocked("SELECT 1")
    assert clocked("HGETALL h") == [b"b", b"2"]
    clocked("HPEXPIRE h 50 FIELDS 1 b")
    clocked("FLUSHALL")
    clocked("HSET h b 2")
    clocked.advance(60)
    assert clocked("HLEN h") == 1


def test_restored_fields_end_too(clocked: Runner) -> None:
    clocked("HSETEX h PX 50 FIELDS 1 a 1")
    clocked("HSET h b 2")
    payload = clocked("DUMP h")
    clocked.client.call("RESTORE", "g", 0, payload)
    clocked.client.call("SET", "x", "y")
    clocked.advance(60)
    assert clocked("HGETALL g") == [b"b", b"2"]


# -- the journal, with the time in ms as NOW


JOURNALLED: list[tuple[str, list[str]]] = [
    ("HEXPIRE h 100 FIELDS 3 a nofield b", ["HPEXPIREAT h NOW+100000 FIELDS 2 a b"]),
    ("HPEXPIRE h 100 XX FIELDS 2 a t", ["HPEXPIREAT h NOW+100 FIELDS 1 t"]),
    ("HEXPIRE h 100 XX FIELDS 1 a", []),
    ("HEXPIRE nokey 100 FIELDS 1 a", []),
    ("HEXPIRE h 0 FIELDS 3 a nofield b", ["HDEL h a b"]),
    ("HPERSIST h FIELDS 2 a t", ["HPERSIST h FIELDS 1 t"]),
    ("HPERSIST h FIELDS 1 a", []),
    ("HGETEX h FIELDS 1 a", []),
    ("HGETEX h EX 50 FIELDS 2 a nofield", ["HPEXPIREAT h NOW+50000 FIELDS 1 a"]),
    ("HGETEX h PXAT 5 FIELDS 2 a nofield", ["HDEL h a"]),
    ("HGETEX h PERSIST FIELDS 2 a t", ["HPERSIST h FIELDS 1 t"]),
    ("HGETDEL h FIELDS 3 a a nofield", ["HDEL h a"]),
    ("HGETDEL h FIELDS 1 nofield", []),
    ("HSETEX h FIELDS 1 a 5", ["HSET h a 5"]),
    ("HSETEX h FNX FIELDS 1 a 5", []),
    ("HSETEX h EX 50 FIELDS 1 a 5", ["MULTI", "HSET h a 5", "HPEXPIREAT h NOW+50000 FIELDS 1 a", "EXEC"]),
    ("HSETEX h KEEPTTL FIELDS 2 a 5 t 6", ["MULTI", "HSET h a 5 t 6", "HPEXPIREAT h LATER FIELDS 1 t", "EXEC"]),
    ("HSETEX h PXAT 5 FIELDS 2 a 5 n 6", ["HDEL h a"]),
    ("HSETEX nokey PXAT 5 FIELDS 1 a 5", []),
    ("HINCRBY h t 1", ["HINCRBY h t 1"]),
    ("HINCRBYFLOAT h t 1", ["MULTI", "HSET h t 10", "HPEXPIREAT h LATER FIELDS 1 t", "EXEC"]),
    ("HINCRBYFLOAT h a 1", ["HSET h a 2"]),
    ("HTTL h FIELDS 1 a", []),
]


@pytest.mark.parametrize(("line", "expected"), JOURNALLED, ids=[line for line, _ in JOURNALLED])
def test_journal(line: str, expected: list[str]) -> None:
    client = embedded.Client()
    client.call("HSET", "h", "a", 1, "b", 2, "t", 9)
    client.call("HPEXPIREAT", "h", LATER, "FIELDS", 1, "t")
    now = client.ns // embedded.MS
    wanted = [text.replace("NOW+100000", str(now + 100000)).replace("NOW+50000", str(now + 50000))
              .replace("NOW+100", str(now + 100)).replace("LATER", str(LATER)) for text in expected]  # fmt: skip
    assert [effect.decode() for effect in effects(client, line)] == wanted


@pytest.mark.parametrize("line", ["HGET h b", "HLEN h", "EXISTS h", "TYPE h", "HSETNX h b 3", "HGETEX h FIELDS 1 b"])
def test_a_field_found_expired_is_journalled_alone(line: str) -> None:
    client = embedded.Client()
    client.store.active_expire = False
    client.call("HSET", "h", "a", 1, "b", 2)
    client.call("HPEXPIRE", "h", 10, "FIELDS", 1, "a")
    client.advance(50)
    assert effects(client, line) == [b"HDEL h a"]


def test_a_key_found_expired_is_journalled_alone() -> None:
    client = embedded.Client()
    client.store.active_expire = False
    client.call("SET", "k", "v", "PX", 10)
    client.advance(50)
    assert effects(client, "GET k") == [b"DEL k"]


# -- events, as Redis 8.2.3 emits them


EVENTS: list[tuple[str, list[str]]] = [
    ("HEXPIRE h 100 FIELDS 2 a b", ["hexpire"]),
    ("HEXPIRE h 100 XX FIELDS 1 a", []),
    ("HEXPIRE h 0 FIELDS 2 a b", ["hdel"]),
    ("HEXPIRE h 0 FIELDS 3 a b t", ["hdel", "del"]),
    ("HPERSIST h FIELDS 2 a t", ["hpersist"]),
    ("HPERSIST h FIELDS 1 a", []),
    ("HGETEX h EX 10 FIELDS 1 a", ["hexpire"]),
    ("HGETEX h PERSIST FIELDS 1 t", ["hpersist"]),
    ("HGETEX h PXAT 5 FIELDS 1 a", ["hdel"]),
    ("HGETDEL h FIELDS 3 a b t", ["hdel", "del"]),
    ("HSETEX h FIELDS 1 a 1", ["hset"]),
    ("HSETEX h EX 10 FIELDS 1 a 1", ["hset", "hexpire"]),
    ("HSETEX h EX 0 FIELDS 1 a 1", ["hset", "hdel"]),
    ("HSETEX h EX 0 FIELDS 3 a 1 b 1 t 1", ["hset", "hdel", "del"]),
    ("HSETEX h EX 0 FIELDS 1 new 1", ["hset", "hdel"]),
    ("HSETEX new EX 0 FIELDS 1 a 1", ["new", "hset", "hdel", "del"]),
]


def observed(store: Any) -> list[str]:
    """What is published from now on; filled as it comes."""
    found: list[str] = []
    listener = embedded.Client(store)
    listener.call("CONFIG", "SET", "notify-keyspace-events", "EAn")
    listener.call("PSUBSCRIBE", "__keyevent@*")
    listener.session.deliver = lambda message: found.append(message[2].partition(b"__:")[2].decode())
    return found


@pytest.mark.parametrize(("line", "expected"), EVENTS, ids=[line for line, _ in EVENTS])
def test_events(clocked: Runner, line: str, expected: list[str]) -> None:
    clocked("HSET h a 1 b 2 t 9")
    clocked(f"HPEXPIREAT h {LATER} FIELDS 1 t")
    found = observed(store_of(clocked))
    clocked(line)
    assert found == expected


def test_events_of_expiry(clocked: Runner) -> None:
    clocked("HSETEX h PX 10 FIELDS 1 a 1")
    clocked("HSETEX h PX 50 FIELDS 1 b 1")
    store_of(clocked).active_expire = False
    found = observed(store_of(clocked))
    clocked.advance(10)
    clocked("HLEN h")
    assert found == ["hexpired"]
    clocked.advance(50)
    clocked("HLEN h")
    assert found == ["hexpired", "hexpired", "del"]
