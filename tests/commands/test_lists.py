"""List commands: the same tables on the embedded store and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from redtool.session import Block
from tests import embedded
from tests.commands.conftest import Runner, plain
from tests.commands.journal import effects

WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_INT = "-ERR value is not an integer or out of range"
NOT_POSITIVE = "-ERR value is out of range, must be positive"
SYNTAX = "-ERR syntax error"
NUMKEYS = "-ERR numkeys should be greater than 0"
INT64 = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
COUNT = "-ERR count should be greater than 0"
RANK = (
    "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
    "or use negative to start from the end of the list"
)
ABC = ("RPUSH l a b c", 3)
STR = ("SET s x", b"OK")


def content(*elements: bytes) -> tuple[str, list[bytes]]:
    return "LRANGE l 0 -1", list(elements)


TABLES: dict[str, list[tuple[str, Any]]] = {
    "push": [
        ("LPUSH l a b", 2),
        ("RPUSH l c d", 4),
        content(b"b", b"a", b"c", b"d"),
        ("LPUSHX l x y", 6),
        ("RPUSHX l z", 7),
        ("LPUSHX nope x", 0),
        ("RPUSHX nope x", 0),
        ("EXISTS nope", 0),
        ("LLEN l", 7),
        ("LLEN nope", 0),
    ],
    "pop": [
        ("RPUSH l a b c d e", 5),
        ("LPOP l", b"a"),
        ("RPOP l", b"e"),
        ("LPOP l 0", []),
        ("RPOP l 2", [b"d", b"c"]),
        ("LPOP l 9", [b"b"]),
        ("EXISTS l", 0),
        ("LPOP l", None),
        ("LPOP l 0", None),
        ("RPOP l 2", None),
        ("LPOP l -1", NOT_POSITIVE),
        ("LPOP l x", NOT_POSITIVE),
        ("RPOP l 99999999999999999999", NOT_POSITIVE),
        ("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command"),
    ],
    "range and index": [
        ABC,
        ("LRANGE l 0 -1", [b"a", b"b", b"c"]),
        ("LRANGE l 1 1", [b"b"]),
        ("LRANGE l -2 100", [b"b", b"c"]),
        ("LRANGE l -100 0", [b"a"]),
        ("LRANGE l 2 1", []),
        ("LRANGE l 3 9", []),
        ("LRANGE l -9 -8", []),
        ("LRANGE nope 0 -1", []),
        ("LRANGE nope x 1", NOT_INT),
        ("LRANGE l 0 1.5", NOT_INT),
        ("LINDEX l 0", b"a"),
        ("LINDEX l -1", b"c"),
        ("LINDEX l 3", None),
        ("LINDEX l -4", None),
        ("LINDEX l x", NOT_INT),
        ("LINDEX nope x", None),
    ],
    "set": [
        ABC,
        ("LSET l 1 B", b"OK"),
        ("LSET l -1 C", b"OK"),
        content(b"a", b"B", b"C"),
        ("LSET l 3 x", "-ERR index out of range"),
        ("LSET l -4 x", "-ERR index out of range"),
        ("LSET l 4294967296 A", b"OK"),
        content(b"A", b"B", b"C"),
        ("LSET l x x", NOT_INT),
        ("LSET nope x x", "-ERR no such key"),
    ],
    "insert": [
        ("RPUSH l a b a", 3),
        ("LINSERT l BEFORE b 1", 4),
        ("LINSERT l after b 2", 5),
        ("LINSERT l AFTER a 3", 6),
        content(b"a", b"3", b"1", b"b", b"2", b"a"),
        ("LINSERT l BEFORE nope x", -1),
        ("LINSERT nope BEFORE a x", 0),
        ("LINSERT nope BESIDE a x", SYNTAX),
    ],
    "remove": [
        ("RPUSH l a b a b a", 5),
        ("LREM l 1 a", 1),
        content(b"b", b"a", b"b", b"a"),
        ("LREM l -1 a", 1),
        content(b"b", b"a", b"b"),
        ("LREM l 5 b", 2),
        ("LREM l 0 nope", 0),
        ("LREM l 0 a", 1),
        ("EXISTS l", 0),
        ("LREM nope 0 a", 0),
        ("LREM nope x a", NOT_INT),
        ("LREM nope -9223372036854775808 a", INT64),
    ],
    "trim": [
        ("RPUSH l a b c d e", 5),
        ("LTRIM l 1 -2", b"OK"),
        content(b"b", b"c", b"d"),
        ("LTRIM l 5 9", b"OK"),
        ("EXISTS l", 0),
        ("LTRIM nope 0 1", b"OK"),
        ("LTRIM nope 0 x", NOT_INT),
    ],
    "pos": [
        ("RPUSH l a b c 1 2 3 c c", 8),
        ("LPOS l c", 2),
        ("LPOS l c RANK 2", 6),
        ("LPOS l c RANK -1", 7),
        ("LPOS l c RANK 4", None),
        ("LPOS l c COUNT 0", [2, 6, 7]),
        ("LPOS l c COUNT 2 RANK -1", [7, 6]),
        ("LPOS l c RANK 3 COUNT 2", [7]),
        ("LPOS l c COUNT 0 MAXLEN 7", [2, 6]),
        ("LPOS l c rank -1 count 0 maxlen 1", [7]),
        ("LPOS l nope", None),
        ("LPOS l nope COUNT 1", []),
        ("LPOS nope a", None),
        ("LPOS nope a COUNT 1", []),
        ("LPOS l c RANK 0", RANK),
        ("LPOS l c RANK x", NOT_INT),
        ("LPOS nope c RANK 0", RANK),
        ("LPOS l c RANK -9223372036854775808", INT64),
        ("LPOS l c RANK 9223372036854775807 COUNT 9223372036854775807 MAXLEN 9223372036854775807", []),
        ("LPOS l c COUNT -1", "-ERR COUNT can't be negative"),
        ("LPOS l c MAXLEN -1", "-ERR MAXLEN can't be negative"),
        ("LPOS l c COUNT x", "-ERR COUNT can't be negative"),
        ("LPOS l c MAXLEN x", "-ERR MAXLEN can't be negative"),
        ("LPOS l c RANK 2 COUNT -1 FOO", "-ERR COUNT can't be negative"),
        ("LPOS l c COUNT", SYNTAX),
        ("LPOS l c FOO 1", SYNTAX),
    ],
    "move": [
        ABC,
        ("LMOVE l m LEFT RIGHT", b"a"),
        ("LMOVE l m right left", b"c"),
        ("LRANGE m 0 -1", [b"c", b"a"]),
        ("RPOPLPUSH m l", b"a"),
        content(b"a", b"b"),
        ("RPOPLPUSH l l", b"b"),
        content(b"b", b"a"),
        ("LMOVE l l LEFT LEFT", b"b"),
        content(b"b", b"a"),
        ("LMOVE m l LEFT RIGHT", b"c"),
        ("EXISTS m", 0),
        ("LMOVE m l LEFT RIGHT", None),
        ("RPOPLPUSH m l", None),
        ("LMOVE l m UP LEFT", SYNTAX),
        ("LMOVE nope m LEFT DOWN", SYNTAX),
    ],
    "pop of several": [
        ABC,
        ("LMPOP 2 nope l LEFT", [b"l", [b"a"]]),
        ("LMPOP 1 l right COUNT 9", [b"l", [b"c", b"b"]]),
        ("LMPOP 2 l nope LEFT", None),
        ("LMPOP 0 l LEFT", NUMKEYS),
        ("LMPOP x l LEFT", NUMKEYS),
        ("LMPOP 2 l LEFT", SYNTAX),
        ("LMPOP 1 l UP", SYNTAX),
        ("LMPOP 1 l LEFT COUNT 0", COUNT),
        ("LMPOP 1 l LEFT COUNT x", COUNT),
        ("LMPOP 1 l LEFT COUNT", SYNTAX),
        ("LMPOP 1 l LEFT FOO 1", SYNTAX),
        ("LMPOP 1 l LEFT COUNT 1 COUNT 2", SYNTAX),
        ("LMPOP 1 l LEFT COUNT x 1", COUNT),
    ],
    "blocking commands with data at hand": [
        ("RPUSH l a b c d e f g", 7),
        ("BLPOP nope l 0", [b"l", b"a"]),
        ("BRPOP l nope 0", [b"l", b"g"]),
        ("BLMOVE l m RIGHT LEFT 0", b"f"),
        ("BRPOPLPUSH l m 0", b"e"),
        ("LRANGE m 0 -1", [b"e", b"f"]),
        ("BLMPOP 0 2 nope l LEFT COUNT 2", [b"l", [b"b", b"c"]]),
        ("BLMPOP 0 1 l LEFT", [b"l", [b"d"]]),
        ("EXISTS l", 0),
    ],
    "blocking commands run out of time": [
        ("BLPOP nope 0.001", None),
        ("BRPOP nope none 0.001", None),
        ("BLMOVE nope l LEFT LEFT 0.001", None),
        ("BRPOPLPUSH nope l 0.001", None),
        ("BLMPOP 0.001 1 nope LEFT", None),
        ("BLPOP nope 0.0001", None),
    ],
    "blocking commands do not wait in a transaction": [
        ("MULTI", b"OK"),
        ("BLPOP nope 0", b"QUEUED"),
        ("BLMOVE nope l LEFT LEFT 0", b"QUEUED"),
        ("BLMPOP 0 1 nope LEFT", b"QUEUED"),
        ("EXEC", [None, None, None]),
    ],
    "timeouts": [
        ("BLPOP l x", "-ERR timeout is not a float or out of range"),
        ("BLPOP l nan", "-ERR timeout is not a float or out of range"),
        ("BRPOP l -1", "-ERR timeout is negative"),
        ("BLPOP l inf", "-ERR timeout is out of range"),
        ("BLPOP l 9999999999999999", "-ERR timeout is out of range"),
        ("BLMPOP -1 1 l LEFT", "-ERR timeout is negative"),
        ("BLMPOP -1 0 l LEFT", NUMKEYS),
        ("BLMOVE l l UP LEFT x", SYNTAX),
        ("BLMOVE l l LEFT LEFT x", "-ERR timeout is not a float or out of range"),
        ("BRPOPLPUSH l l -1", "-ERR timeout is negative"),
    ],
    "wrong type": [
        STR,
        ABC,
        *((line, WRONG_TYPE) for line in (
            "LPUSH s a", "RPUSH s a", "LPUSHX s a", "RPUSHX s a", "LPOP s", "RPOP s 1", "LLEN s", "LRANGE s 0 1",
            "LINDEX s x", "LSET s 0 x", "LINSERT s BEFORE a b", "LREM s 0 a", "LTRIM s 0 1", "LPOS s a",
            "LMOVE s l LEFT LEFT", "LMOVE l s LEFT LEFT", "RPOPLPUSH l s", "LMPOP 2 s l LEFT", "BLPOP nope s l 0",
            "BRPOP s 0", "BLMOVE l s LEFT LEFT 0", "BRPOPLPUSH s l 0", "BLMPOP 0 1 s LEFT",
        )),
        ("LMOVE nope s LEFT LEFT", None),
        ("LMPOP 2 l s LEFT", [b"l", [b"a"]]),
        content(b"b", b"c"),
        ("LRANGE s x 1", NOT_INT),
        ("LPOP s -1", NOT_POSITIVE),
    ],
}  # fmt: skip


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_table(r: Runner, rows: list[tuple[str, Any]]) -> None:
    r.table(rows)


JOURNALLED = [
    ("BLPOP nope l 0", [b"LPOP l"]),
    ("BRPOP l 0", [b"RPOP l"]),
    ("LMPOP 1 l LEFT COUNT 2", [b"LPOP l 2"]),
    ("LMPOP 1 l RIGHT COUNT 9", [b"RPOP l 3"]),
    ("BLMPOP 0 1 l LEFT", [b"LPOP l 1"]),
    ("BLMOVE l m LEFT RIGHT 0", [b"LMOVE l m LEFT RIGHT"]),
    ("BRPOPLPUSH l m 0", [b"RPOPLPUSH l m"]),
    ("LMOVE l m LEFT RIGHT", [b"LMOVE l m LEFT RIGHT"]),
    ("LPOP l 0", []),
    ("LREM l 0 nope", []),
    ("LPUSHX nope a", []),
    ("LMPOP 1 nope LEFT", []),
]


@pytest.mark.parametrize(("line", "expected"), JOURNALLED, ids=[line for line, _ in JOURNALLED])
def test_journal(line: str, expected: list[bytes]) -> None:
    client = embedded.Client()
    client.call(*["RPUSH", "l", "a", "b", "c"])
    assert effects(client, line) == expected


def run(client: embedded.Client, line: str) -> Any:
    return client.store.execute(client.session, tuple(line.encode().split()))


@pytest.mark.parametrize(
    ("waiting", "push", "reply"),
    [
        ("BLPOP one two 0", "RPUSH two a b", [b"two", b"a"]),
        ("BRPOP one two 0", "RPUSH two a b", [b"two", b"b"]),
        ("BLMOVE one two LEFT LEFT 0", "RPUSH one a b", b"a"),
        ("BRPOPLPUSH one two 0", "LPUSH one a b", b"a"),
        ("BLMPOP 0 2 one two LEFT COUNT 5", "RPUSH one a b", [b"one", [b"a", b"b"]]),
    ],
)
def test_a_waiting_command_names_its_keys_and_is_served_when_run_again(waiting: str, push: str, reply: Any) -> None:
    client = embedded.Client()
    with pytest.raises(Block) as caught:
        run(client, waiting)
    assert push.encode().split()[1] in caught.value.keys
    assert caught.value.deadline is None
    run(embedded.Client(client.store), push)
    assert run(client, waiting) == reply


@pytest.mark.parametrize(("timeout", "ms"), [("5", 5000), ("0.0001", 1), ("1.001", 1001), ("1e3", 1_000_000)])
def test_a_timeout_is_rounded_up_to_whole_ms(timeout: str, ms: int) -> None:
    client = embedded.Client()
    with pytest.raises(Block) as caught:
        run(client, f"BLPOP nope {timeout}")
    assert caught.value.deadline == client.ns // 1_000_000 + ms


SERVED = [
    ("BLPOP q 0", ["SET q x"], "still waiting"),
    ("BLPOP q 0", ["SET q x", "DEL q", "RPUSH q 1"], [b"q", b"1"]),
    ("BLPOP a b 0", ["SET a x", "RPUSH b 1"], WRONG_TYPE),
    ("BLMOVE a b LEFT LEFT 0", ["SET b x", "RPUSH a 1"], WRONG_TYPE),
    ("BLPOP a b 0", ["MULTI", "RPUSH b 1", "RPUSH a 2", "EXEC"], [b"a", b"2"]),
    ("BLMPOP 0 2 a b LEFT COUNT 5", ["MULTI", "RPUSH b 1", "RPUSH a 2 3", "EXEC"], [b"a", [b"2", b"3"]]),
    ("BLPOP q 0", ["MULTI", "RPUSH q 1", "DEL q", "EXEC"], "still waiting"),
    ("BLPOP q 0", ["MULTI", "RPUSH q 1", "DEL q", "SADD q 1", "EXEC"], "still waiting"),
    ("BLPOP q q 0", ["LPUSH q 1 2"], [b"q", b"2"]),
]


@pytest.mark.parametrize(("waiting", "lines", "expected"), SERVED)
def test_what_wakes_a_waiting_command(waiting: str, lines: list[str], expected: Any) -> None:
    """The outcomes are those of Valkey 9.1, where they were looked up."""
    client = embedded.Client()
    replies: list[Any] = []
    with pytest.raises(Block) as caught:
        run(client, waiting)
    client.store.waiting.park(client.session, tuple(waiting.encode().split()), caught.value, replies.append)
    other = embedded.Client(client.store)
    for line in lines:
        run(other, line)
    assert [plain(reply) for reply in replies or ["still waiting"]] == [expected]


def test_those_who_wait_are_served_in_the_order_in_which_they_came() -> None:
    store = embedded.Client().store
    replies: list[tuple[int, Any]] = []

    def park(number: int, line: str) -> None:
        client = embedded.Client(store)
        with pytest.raises(Block) as caught:
            run(client, line)
        argv = tuple(line.encode().split())
        store.waiting.park(client.session, argv, caught.value, lambda reply: replies.append((number, reply)))

    for number, line in enumerate(["BLMOVE q r LEFT LEFT 0", "BRPOP r 0", "BLPOP q 0", "BLPOP q 0"]):
        park(number, line)
    other = embedded.Client(store)
    assert run(other, "RPUSH q 1 2") == 2
    assert replies == [(0, b"1"), (2, [b"q", b"2"]), (1, [b"r", b"1"])]
    assert run(other, "DBSIZE") == 0


def test_the_first_key_in_the_order_of_the_arguments_is_served() -> None:
    client = embedded.Client()
    run(client, "RPUSH two 2")
    run(client, "RPUSH one 1")
    assert run(client, "BLPOP one two 0") == [b"one", b"1"]
