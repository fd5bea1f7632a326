"""SORT and SORT_RO: the same tables on the embedded store and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from tests import embedded
from tests.commands.conftest import Runner

NOT_NUMBERS = "-ERR One or more scores can't be converted into double"
NOT_INT = "-ERR value is not an integer or out of range"
SYNTAX = "-ERR syntax error"
WRONG = "-WRONGTYPE Operation against a key holding the wrong kind of value"

NUMBERS = [("RPUSH l 3 1 10 2", 4)]
WORDS = [("RPUSH w banana apple cherry", 3)]
SCORES = [("ZADD z 3 x 1 y 2 w", 3)]

TABLES: dict[str, list[tuple[str, Any]]] = {
    "numbers": [
        *NUMBERS,
        ("SORT l", [b"1", b"2", b"3", b"10"]),
        ("SORT l DESC", [b"10", b"3", b"2", b"1"]),
        ("SORT l desc ASC", [b"1", b"2", b"3", b"10"]),
        ("SORT l ALPHA", [b"1", b"10", b"2", b"3"]),
        ("SORT l ALPHA DESC", [b"3", b"2", b"10", b"1"]),
        ("SORT_RO l", [b"1", b"2", b"3", b"10"]),
    ],
    "what is a number": [
        ("RPUSH l 1e1 -inf 5. +6 .5 inf -0 1e-320", 8),
        ("SORT l", [b"-inf", b"-0", b"1e-320", b".5", b"5.", b"+6", b"1e1", b"inf"]),
    ],
    **{
        f"{word!r} is none": [("RPUSH l 1", 1), (f'RPUSH l "{word}"', 2), ("SORT l", NOT_NUMBERS)]
        for word in [" 1", "1 ", "x", "nan", "1e400", "-1e400", "1e-400", "0x10", "1_0", "--1"]
    },
    "equal numbers are ordered as text": [
        ("RPUSH l 1.0 1 01 1.00", 4),
        ("SORT l", [b"01", b"1", b"1.0", b"1.00"]),
        ("SORT l DESC", [b"1.00", b"1.0", b"1", b"01"]),
    ],
    "text": [
        *WORDS,
        ("SORT w ALPHA", [b"apple", b"banana", b"cherry"]),
        ("SORT w", NOT_NUMBERS),
        ("SORT w LIMIT 0 0", NOT_NUMBERS),
    ],
    "limit": [
        *NUMBERS,
        ("SORT l LIMIT 1 2", [b"2", b"3"]),
        ("SORT l LIMIT -5 2", [b"1", b"2"]),
        ("SORT l LIMIT 1 -1", [b"2", b"3", b"10"]),
        ("SORT l LIMIT 2 -9", [b"3", b"10"]),
        ("SORT l LIMIT 0 0", []),
        ("SORT l LIMIT 4 1", []),
        ("SORT l LIMIT 3 9223372036854775807", [b"10"]),
        ("SORT l LIMIT 9223372036854775807 9223372036854775807", []),
        ("SORT l LIMIT 0 1 LIMIT 1 1", [b"2"]),
        ("SORT l LIMIT x 1", NOT_INT),
        ("SORT l LIMIT 0 x", NOT_INT),
        ("SORT l LIMIT 0", SYNTAX),
    ],
    "by other keys": [
        *NUMBERS,
        ("MSET w_1 40 w_2 30 w_3 20 w_10 10", b"OK"),
        ("SORT l BY w_*", [b"10", b"3", b"2", b"1"]),
        ("SORT l BY w_* DESC LIMIT 0 2", [b"1", b"2"]),
        ("SORT l BY w_* ALPHA", [b"10", b"3", b"2", b"1"]),
        ("DEL w_3", 1),
        ("SORT l BY w_*", [b"3", b"10", b"2", b"1"]),
        ("SORT l BY w_* ALPHA", [b"3", b"10", b"2", b"1"]),
        ("SORT l BY nope_*", [b"1", b"10", b"2", b"3"]),
        ("SORT l BY nope_* ALPHA", [b"3", b"1", b"10", b"2"]),
        ("SORT l BY nope_* ALPHA DESC", [b"3", b"1", b"10", b"2"]),
        ("SET w_3 x", b"OK"),
        ("SORT l BY w_*", NOT_NUMBERS),
        ("SORT l BY w_* ALPHA", [b"10", b"2", b"1", b"3"]),
    ],
    "by fields": [
        *NUMBERS,
        ("HSET h_1 f 4 n one", 2),
        ("HSET h_2 f 3", 1),
        ("SET h_3 plain", b"OK"),
        ("SORT l BY h_*->f", [b"10", b"3", b"2", b"1"]),
        ("SORT l GET h_*->n GET #", [b"one", b"1", None, b"2", None, b"3", None, b"10"]),
        ("SORT l GET h_*->", [None, None, None, None]),
        ("SORT l GET h_*", [None, None, b"plain", None]),
        ("SORT l GET h_*->n->x", [None, None, None, None]),
    ],
    "the first arrow behind the star is the one": [
        ("RPUSH l 1", 1),
        ("HSET a->1 b->c yes", 1),
        ("SORT l GET a->*->b->c", [b"yes"]),
        ("SET a->1b-> no", b"OK"),
        ("SORT l GET a->*b->", [b"no"]),
    ],
    "get": [
        *NUMBERS,
        ("SORT l GET #", [b"1", b"2", b"3", b"10"]),
        ("SORT l GET l", [None, None, None, None]),
        ("SORT l GET #*", [None, None, None, None]),
        ("SORT l LIMIT 0 1 GET # GET #", [b"1", b"1"]),
        ("APPEND v_1 x", 1),
        ("SORT l LIMIT 0 1 GET v_*", [b"x"]),
        ("SORT l GET", SYNTAX),
    ],
    "nosort keeps the order of lists": [
        *WORDS,
        ("SORT w BY nosort", [b"banana", b"apple", b"cherry"]),
        ("SORT w BY nosort DESC", [b"cherry", b"apple", b"banana"]),
        ("SORT w BY nosort DESC LIMIT 1 1", [b"apple"]),
        ("SORT w BY nosort LIMIT 1 -1", [b"apple", b"cherry"]),
        ("SORT w BY # LIMIT 5 1", []),
    ],
    "and of sorted sets": [
        *SCORES,
        ("SORT z BY nosort", [b"y", b"w", b"x"]),
        ("SORT z BY nosort DESC", [b"x", b"w", b"y"]),
        ("SORT z BY nosort LIMIT 1 2", [b"w", b"x"]),
        ("SORT z BY nosort DESC LIMIT 0 1", [b"x"]),
        ("SORT z ALPHA", [b"w", b"x", b"y"]),
    ],
    "and gives sets an order when it stores": [
        ("SADD set c b a d", 4),
        ("SORT set BY nosort STORE dst", 4),
        ("LRANGE dst 0 -1", [b"a", b"b", b"c", b"d"]),
        ("SORT set BY nosort DESC LIMIT 1 2 STORE dst", 2),
        ("LRANGE dst 0 -1", [b"c", b"b"]),
    ],
    "store": [
        *NUMBERS,
        ("SET dst x EX 100", b"OK"),
        ("SORT l STORE dst", 4),
        ("TTL dst", -1),
        ("LRANGE dst 0 -1", [b"1", b"2", b"3", b"10"]),
        ("SORT l GET nope_* GET # LIMIT 0 2 STORE dst", 4),
        ("LRANGE dst 0 -1", [b"", b"1", b"", b"2"]),
        ("SORT nope STORE dst", 0),
        ("EXISTS dst", 0),
        ("SORT nope STORE dst", 0),
        ("SORT l STORE l", 4),
        ("LRANGE l 0 -1", [b"1", b"2", b"3", b"10"]),
        ("SORT l STORE x STORE y", 4),
        ("EXISTS x y", 1),
    ],
    "an error leaves the destination": [
        *WORDS,
        ("SET dst x", b"OK"),
        ("SORT w STORE dst", NOT_NUMBERS),
        ("GET dst", b"x"),
    ],
    "types and words": [
        ("SET s 1", b"OK"),
        ("HSET h f 1", 1),
        ("SORT s", WRONG),
        ("SORT h", WRONG),
        ("SORT_RO s", WRONG),
        ("SORT nope", []),
        ("SORT nope BY nosort GET #", []),
        ("SORT s FOO", SYNTAX),
        ("SORT s LIMIT x 1", NOT_INT),
        ("SORT_RO s STORE x", SYNTAX),
        ("SORT s BY", SYNTAX),
        ("SORT", "-ERR wrong number of arguments for 'sort' command"),
        ("SORT_RO", "-ERR wrong number of arguments for 'sort_ro' command"),
    ],
}


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


def test_nosort_gives_all_members_of_a_set(r: Runner) -> None:
    r("SADD set c a b")
    assert sorted(r("SORT set BY nosort")) == [b"a", b"b", b"c"]
    assert len(r("SORT set BY nosort LIMIT 1 5")) == 2


@pytest.mark.parametrize("word", ["", "\0x"])
def test_no_text_is_zero_as_in_redis(word: str) -> None:
    """Valkey 9 refuses it; Redis 7.0 and 8.2 do not."""
    client = embedded.Client()
    client.call("RPUSH", "l", "3", "-1", word)
    assert client.call("SORT", "l") == [b"-1", word.encode(), b"3"]
