"""What is told of a key that is not the same on both sides."""

from __future__ import annotations

from typing import Any

import pytest

import redtool
from redtool import words
from redtool.transfer.comparing import Comparison
from redtool.transfer.items import Reader
from tests.transfer.small import SCRIPT

Row = tuple[str, ...]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("DEL text", ("text", "missing", "string, 5 bytes", "-")),
        ("DEL set", ("set", "missing", "set, 3 elements", "-")),
        ("SET new v", ("new", "missing", "-", "string, 1 byte")),
        ("SET text hallo", ("text", "value", '"hello"', '"hallo"')),
        ("SET text hallo EX 1000000000000", ("text", "value, ttl", '"hello"', '"hallo"')),
        ("SADD text2 hello", ("text2", "missing", "-", "set, 1 element")),
        ("EXPIREAT n 4102444800", ("n", "ttl", "no TTL", "2100-01-01T00:00:00.000Z")),
        ("PEXPIREAT session 4102444802000", ("session", "ttl", "2100-01-01T00:00:00.123Z",
                                             "2100-01-01T00:00:02.000Z")),
        ("RENAME list text", ("text", "type", "string", "list")),
        ("HSET hash a 9", ("hash", "value", '"a": "1"', '"a": "9"')),
        ("HSET hash c 3", ("hash", "value", 'no "c"', '"c": "3"')),
        ("HPEXPIREAT hash 4102444800000 FIELDS 1 b", ("hash", "value", '"b": no TTL', '"b": 2100-01-01T00:00:00.000Z')),
        ("RPUSH list w", ("list", "value", "3 elements, [3] -", '4 elements, [3] "w"')),
        ("LSET list 1 w", ("list", "value", '3 elements, [1] "y"', '3 elements, [1] "w"')),
        ("SMOVE set other a", ("set", "value", '"a"', "-")),
        ("SADD set d", ("set", "value", "-", '"d"')),
        ("ZINCRBY zset 1 a", ("zset", "value", '"a": 1', '"a": 2')),
        ("XADD stream 2-1 f w", ("stream", "value", "1 entries, no 2-1", '2 entries, 2-1 "f" "w"')),
        ("XSETID stream 5-5", ("stream", "value", "last id 1-1", "last id 5-5")),
        ("XACK stream readers 1-1", ("stream", "value", 'group "readers": pending 1-1 "alice" …',
                                     'no group "readers": pending 1-1')),
        ("XGROUP CREATECONSUMER stream readers bob", ("stream", "value", 'no group "readers": consumer "bob"',
                                                      'group "readers": consumer "bob" there')),
        ("SETRANGE text 5 " + "x" * 100, ("text", "value", '5 bytes, at 5: ""',
                                          f'105 bytes, at 5: "{"x" * 40}"…')),
    ],
)  # fmt: skip
def test_a_difference(line: str, row: Row) -> None:
    with redtool.open(":memory:") as a, redtool.open(":memory:") as b:
        for text in SCRIPT.splitlines():
            a.execute(*words.split(text.encode()))
        for key in a.execute("KEYS", "*"):
            b.execute("RESTORE", key, max(a.execute("PEXPIRETIME", key), 0), a.execute("DUMP", key), "ABSTTL")
        assert not list(Comparison(Reader(a), Reader(b), 1000).run([(0, 0)]))
        b.execute(*words.split(line.encode()))
        rows = [(apart.key.decode(), apart.what, apart.a, apart.b)
                for _, apart in Comparison(Reader(a), Reader(b), 1000).run([(0, 0)])]  # fmt: skip
    [found] = [each for each in rows if each[0] == row[0]]
    assert [same(shown, expected) for shown, expected in zip(found, row, strict=True)] == [True] * 4, found
    assert {each[0] for each in rows} <= {*line.split()}


def same(shown: Any, expected: Any) -> bool:
    """A text that ends in an ellipsis need only begin like it."""
    return bool(shown == expected) or (str(expected)[-1:] == "…" and str(shown).startswith(str(expected)[:-1]))
