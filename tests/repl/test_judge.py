"""What is said of a line while it is typed: problems, hints, roles."""

from __future__ import annotations

import pytest

from redtool.commands.table import load_all
from redtool.repl.judge import judge, nearest
from redtool.repl.meta import vocabulary

COMMANDS = vocabulary(load_all())

CERTAIN = [
    # a line that no further word can cure, the reason, the number of the wrong word
    ("ZADDD k 1 a", "unknown command 'ZADDD'; did you mean ZADD?", 0),
    ("gte k", "unknown command 'gte'; did you mean GET?", 0),
    ("FROBNICATE ", "unknown command 'FROBNICATE'", 0),
    ("5 ICNR n", "unknown command 'ICNR'; did you mean INCR?", 1),
    ("CONFIG GTE x", "CONFIG has no subcommand 'GTE'; did you mean CONFIG GET?", 1),
    ("SET k v EX abc", "EX wants an integer, not 'abc'", 4),
    ("SET k v NX XX", "NX and XX exclude each other", 4),
    ("ZADD k NX XX 1 a", "NX and XX exclude each other", 3),
    ("ZADD k NX abc", "score wants a number, not 'abc'", 3),
    ("SET k v KEEPTTL EX 5", "KEEPTTL and EX exclude each other", 4),
    ("GET k extra", "unexpected 'extra'", 2),
    ("ZADD board abc m", "score wants a number, not 'abc'", 2),
    ("LMOVE a b UP ", "expected LEFT or RIGHT, not 'UP'", 3),
    ('SET "a"b c', 'put a blank after the closing "', 1),
    ("CONNECT a 1 2", "unexpected '2'", 3),
]


@pytest.mark.parametrize(("line", "problem", "at"), CERTAIN)
def test_a_wrong_line_says_why_and_which_word(line: str, problem: str, at: int) -> None:
    verdict = judge(line, COMMANDS)
    assert (verdict.problem, verdict.certain, verdict.at) == (problem, True, at)
    assert verdict.roles[at] == "error"
    assert len(verdict.roles) == len(verdict.typed.words)


@pytest.mark.parametrize(
    "line",
    ["", " ", "Z", "zadd", "CONF", "CONFIG", "CONFIG G", "SET k", "SET k v E", "SET k v ex", "SET k v EX ", "ZADD k -",
     "ZADD k -in", "EXPIRE k 10 g", "GET 'a b", "# remark", "5 INCR n", "help zadd", "HELP @list", "SORT k BY", "5",
     "LMOVE a b L", "CONNECT redis://h"],
)  # fmt: skip
def test_a_line_that_may_still_become_right_is_not_marked(line: str) -> None:
    verdict = judge(line, COMMANDS)
    assert not verdict.certain
    assert "error" not in verdict.roles


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("GET", "key"),
        ("GET ", "key"),
        ("GET k", ""),
        ("SE", ""),
        ("EXPIRE k", "seconds [NX | XX | GT | LT]"),
        ("EXPIRE k 10 ", "[NX | XX | GT | LT]"),
        ("ZADD board NX 1 ann ", "[score member ...]"),
        ("HSET h f", "value [field value ...]"),
        ("CONFIG SET", "parameter value [parameter value ...]"),
        ('SET "open ', ""),
        ("GET k extra", ""),
        ("3 INCR", "key"),
        ("nosuch", ""),
    ],
)
def test_the_hint_is_the_rest_of_the_syntax(line: str, hint: str) -> None:
    assert judge(line, COMMANDS).hint == hint


@pytest.mark.parametrize(
    ("line", "roles"),
    [
        ("SET k v EX 5", ["command", "key", "value", "option", "integer"]),
        ("hset h f v g", ["command", "key", "field", "value", "field"]),
        ("ZADD b NX 1 m", ["command", "key", "option", "score", "member"]),
        ("config get x", ["command", "command", "argument"]),
        ("2 INCR n", ["count", "command", "key"]),
        ("AUTH pw", ["command", "secret"]),
    ],
)
def test_each_word_has_a_role(line: str, roles: list[str]) -> None:
    assert judge(line, COMMANDS).roles == roles


def test_a_very_long_line_is_judged_by_its_command_alone() -> None:
    verdict = judge("DEL " + "k " * 5000, COMMANDS)
    assert verdict.command is COMMANDS[b"DEL"]
    assert (verdict.problem, verdict.roles[:2]) == ("", ["command", "argument"])


@pytest.mark.parametrize(
    ("word", "near"),
    [(b"GTE", b"GET"), (b"HGETAL", b"HGETALL"), (b"ZADDD", b"ZADD"), (b"XYZZY", b""), (b"LPSUH", b"LPUSH")],
)
def test_the_nearest_command(word: bytes, near: bytes) -> None:
    assert nearest(word, COMMANDS) == near
