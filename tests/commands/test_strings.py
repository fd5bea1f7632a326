"""String commands: the same tables on the embedded store, through a socket and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.conftest import Runner

NOT_INT = "-ERR value is not an integer or out of range"
NOT_FLOAT = "-ERR value is not a valid float"
OVERFLOW = "-ERR increment or decrement would overflow"
WRONG = "-WRONGTYPE Operation against a key holding the wrong kind of value"
SYNTAX = "-ERR syntax error"
TOO_LONG = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"
FAR = 4_000_000_000


def expiry(command: str) -> str:
    return f"-ERR invalid expire time in '{command}' command"


def arity(command: str) -> str:
    return f"-ERR wrong number of arguments for '{command}' command"


TABLES: dict[str, list[tuple[str, Any]]] = {
    "set and get": [
        ("SET k v", b"OK"), ("GET k", b"v"), ("GET none", None), ("SET k '' ", b"OK"), ("GET k", b""),
        (r'SET "bin\x00\xff" "a\r\nb"', b"OK"), (r'GET "bin\x00\xff"', b"a\r\nb"),
        ("SET k", arity("set")), ("GET", arity("get")), ("GET a b", arity("get")),
        ("RPUSH l 1", 1), ("GET l", WRONG), ("SET l now", b"OK"), ("GET l", b"now"),
    ],
    "conditions of set": [
        ("SET k 1 XX", None), ("SET k 1 NX", b"OK"), ("SET k 2 NX", None), ("SET k 2 XX", b"OK"),
        ("SET k 3 GET", b"2"), ("SET fresh 1 GET", None), ("SET k 4 NX GET", b"3"), ("GET k", b"3"),
        ("SET k 1 NX XX", SYNTAX), ("SET k 1 FOO", SYNTAX), ("SET k 1 EX", SYNTAX), ("SET k 1 EX 10 PX 10", SYNTAX),
        ("SET k 1 EX 10 KEEPTTL", SYNTAX), ("RPUSH l 1", 1), ("SET l 1 GET", WRONG), ("LLEN l", 1),
    ],
    "deadlines of set": [
        ("SET k 1 EX 100", b"OK"), ("TTL k", 100), ("SET k 2 KEEPTTL", b"OK"), ("TTL k", 100),
        ("SET k 3", b"OK"), ("TTL k", -1), (f"SET k 1 EXAT {FAR}", b"OK"), ("EXPIRETIME k", FAR),
        (f"SET k 1 PXAT {FAR}001", b"OK"), ("PEXPIRETIME k", FAR * 1000 + 1),
        ("SET k 1 PX 99000", b"OK"), ("TTL k", 99),
        ("SET k 1 EX 0", expiry("set")), ("SET k 1 PX -1", expiry("set")), ("SET k 1 EX x", NOT_INT),
        ("SET k 1 EX 9223372036854775807", expiry("set")), ("SET k 1 EXAT 1", b"OK"), ("GET k", None),
    ],
    "setnx, setex, psetex": [
        ("SETNX k 1", 1), ("SETNX k 2", 0), ("GET k", b"1"), ("SETEX k 100 v", b"OK"), ("TTL k", 100),
        ("PSETEX k 100000 w", b"OK"), ("TTL k", 100), ("GET k", b"w"),
        ("SETEX k 0 v", expiry("setex")), ("SETEX k x v", NOT_INT), ("PSETEX k -5 v", expiry("psetex")),
        ("SETEX k 10", arity("setex")), ("GET k", b"w"),
    ],
    "getset, getdel": [
        ("GETSET k 1", None), ("GETSET k 2", b"1"), ("EXPIRE k 100", 1), ("GETSET k 3", b"2"), ("TTL k", -1),
        ("GETDEL k", b"3"), ("GETDEL k", None), ("EXISTS k", 0), ("RPUSH l 1", 1), ("GETDEL l", WRONG), ("EXISTS l", 1),
        ("GETSET l 1", WRONG), ("LLEN l", 1),
    ],
    "getex": [
        ("SET k v", b"OK"), ("GETEX k", b"v"), ("TTL k", -1), ("GETEX k EX 100", b"v"), ("TTL k", 100),
        ("GETEX k", b"v"), ("TTL k", 100), ("GETEX k PERSIST", b"v"), ("TTL k", -1), (f"GETEX k EXAT {FAR}", b"v"),
        ("EXPIRETIME k", FAR), ("GETEX k PX 100000", b"v"), ("TTL k", 100), ("GETEX k EX 1 PERSIST", SYNTAX),
        ("GETEX k FOO", SYNTAX), ("GETEX k EX 0", expiry("getex")), ("GETEX none", None), ("GETEX none EX 5", None),
        ("GETEX k PXAT 1", b"v"), ("EXISTS k", 0),
    ],
    "several keys": [
        ("MSET a 1 b 2 a 3", b"OK"), ("MGET a b c", [b"3", b"2", None]), ("RPUSH l 1", 1), ("MGET a l", [b"3", None]),
        ("MSETNX c 1 a 9", 0), ("EXISTS c", 0), ("MSETNX c 1 d 2", 1), ("MGET c d", [b"1", b"2"]),
        ("MSET a", arity("mset")), ("MSET a 1 b", arity("mset")), ("MSETNX a 1 b", arity("msetnx")),
        ("MGET", arity("mget")),
        ("EXPIRE a 100", 1), ("MSET a 5 l x", b"OK"), ("TTL a", -1), ("TYPE l", b"string"),
    ],
    "count": [
        ("INCR n", 1), ("INCRBY n 41", 42), ("DECR n", 41), ("DECRBY n -9", 50), ("INCRBY n -60", -10),
        ("SET n 9223372036854775807", b"OK"), ("INCR n", OVERFLOW), ("GET n", b"9223372036854775807"),
        ("SET n -9223372036854775808", b"OK"), ("DECR n", OVERFLOW),
        ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"), ("INCRBY n 9223372036854775808", NOT_INT),
        ("SET n x", b"OK"), ("INCR n", NOT_INT), ("SET n ' 1'", b"OK"), ("INCR n", NOT_INT), ("SET n 01", b"OK"),
        ("INCR n", NOT_INT), ("INCRBY n 1.5", NOT_INT), ("RPUSH l 1", 1), ("INCR l", WRONG),
        ("SET n 5 EX 100", b"OK"), ("INCR n", 6), ("TTL n", 100),
    ],
    "count in decimals": [
        ("INCRBYFLOAT f 10.5", b"10.5"), ("INCRBYFLOAT f 0.1", b"10.6"), ("INCRBYFLOAT f -5", b"5.6"),
        ("SET f 5.0e3", b"OK"), ("INCRBYFLOAT f 2.0e2", b"5200"), ("INCRBYFLOAT f 1e-2", b"5200.00999999999999979"),
        ("INCRBYFLOAT f x", NOT_FLOAT), ("INCRBYFLOAT f nan", NOT_FLOAT), ("SET f x", b"OK"),
        ("INCRBYFLOAT f 1", NOT_FLOAT),
        ("SET f 3", b"OK"), ("INCRBYFLOAT f +inf", "-ERR increment would produce NaN or Infinity"), ("GET f", b"3"),
        ("RPUSH l 1", 1), ("INCRBYFLOAT l 1", WRONG), ("SET f 1 EX 100", b"OK"),
        ("INCRBYFLOAT f 1", b"2"), ("TTL f", 100),
    ],
    "pieces": [
        ("APPEND k Hello", 5), ("APPEND k ' World'", 11), ("GET k", b"Hello World"), ("STRLEN k", 11),
        ("STRLEN none", 0),
        ("GETRANGE k 0 4", b"Hello"), ("GETRANGE k -5 -1", b"World"), ("GETRANGE k 0 -1", b"Hello World"),
        ("GETRANGE k 5 2", b""), ("GETRANGE k -100 100", b"Hello World"), ("GETRANGE none 0 1", b""),
        ("SUBSTR k 0 4", b"Hello"), ("GETRANGE k x 1", NOT_INT), ("SETRANGE k 6 Redis", 11), ("GET k", b"Hello Redis"),
        ("SETRANGE k 13 !", 14), ("GET k", b"Hello Redis\0\0!"), ("SETRANGE none 0 ''", 0), ("EXISTS none", 0),
        ("SETRANGE k -1 x", "-ERR offset is out of range"), ("SETRANGE k 536870912 x", TOO_LONG),
        ("SETRANGE k x y", NOT_INT), ("RPUSH l 1", 1), ("APPEND l x", WRONG), ("STRLEN l", WRONG),
        ("GETRANGE l 0 1", WRONG), ("SETRANGE l 0 x", WRONG), ("APPEND none ''", 0), ("EXISTS none", 1),
    ],
    "longest common part": [
        ("MSET a ohmytext b mynewtext", b"OK"), ("LCS a b", b"mytext"), ("LCS a b LEN", 6), ("LCS a none", b""),
        ("LCS a b IDX", [b"matches", [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], b"len", 6]),
        ("LCS a b IDX MINMATCHLEN 4", [b"matches", [[[4, 7], [5, 8]]], b"len", 6]),
        ("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN", [b"matches", [[[4, 7], [5, 8], 4]], b"len", 6]),
        ("SETRANGE long 13000 x", 13001),
        ("LCS long long LEN", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),
        ("LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."),
        ("LCS a b FOO", SYNTAX),
        ("RPUSH l 1", 1), ("LCS a l", "-ERR The specified keys must contain string values"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


def test_a_string_is_gone_when_its_time_is_up(clocked: Runner) -> None:
    clocked.table([("SET k v PX 10", b"OK"), ("GET k", b"v")])
    clocked.advance(9)
    clocked.table([("GET k", b"v"), ("PTTL k", 1)])
    clocked.advance(1)
    clocked.table([("GET k", None), ("EXISTS k", 0), ("SET k w XX", None), ("SET k w NX", b"OK")])
