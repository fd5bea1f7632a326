"""The prompt, the toolbar, HELP: texts."""

from __future__ import annotations

import pytest

from redtool.commands.table import Command, load_all
from redtool.repl.helptext import about
from redtool.repl.judge import judge
from redtool.repl.messages import confirmations, message
from redtool.repl.meta import vocabulary
from redtool.repl.toolbar import Facts, duration, prompt, toolbar
from redtool.resp import Push

COMMANDS = vocabulary(load_all())


def text(pieces: list[tuple[str, str]]) -> str:
    return "".join(part for _, part in pieces)


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        (Facts("default"), "default> "),
        (Facts("default", db=2), "default[2]> "),
        (Facts("127.0.0.1:6379", db=1, queued=0), "127.0.0.1:6379[1](MULTI)> "),
        (Facts("default", connected=False), "not connected> "),
    ],
)
def test_prompt(facts: Facts, shown: str) -> None:
    assert text(prompt(facts)) == shown


@pytest.mark.parametrize(
    ("line", "left", "role"),
    [
        ("", "HELP for help, Ctrl-D to leave", "facts"),
        ("GET", "GET key · Give the string under a key", "syntax"),
        ("GET k", "GET key · Give the string under a key", "syntax"),
        ("GTE k", "unknown command 'GTE'; did you mean GET?", "problem"),
        ("CONFIG", "CONFIG needs a subcommand", "missing"),
        ("GE", "", "facts"),
    ],
)
def test_the_left_of_the_toolbar(line: str, left: str, role: str) -> None:
    pieces = toolbar(judge(line, COMMANDS), Facts("default", keys=3), 100)
    assert pieces[0] == (role, left)
    assert len(text(pieces)) == 100


@pytest.mark.parametrize(
    ("facts", "right"),
    [
        (Facts("default", keys=1), "default db0 · 1 key"),
        (Facts("default", 2, 1234567, 0.00042), "default db2 · 1,234,567 keys · 420 µs"),
        (Facts("s", 0, None, 2.5, 3), "3 queued · s db0 · 2.5 s"),
    ],
)
def test_the_right_of_the_toolbar(facts: Facts, right: str) -> None:
    assert text(toolbar(judge("", COMMANDS), facts, 100)).endswith(f"  {right}")


@pytest.mark.parametrize("width", [1, 10, 40, 60, 80, 200])
@pytest.mark.parametrize("line", ["", "SET k v", "ZADDD x 1"])
def test_the_toolbar_never_is_wider_than_the_screen(width: int, line: str) -> None:
    facts = Facts("a-rather-long-host-name.example.com:6379", 3, 10**9, 1.5, 12)
    assert len(text(toolbar(judge(line, COMMANDS), facts, width))) <= width


def test_trouble_of_the_store_is_told_first() -> None:
    pieces = toolbar(judge("GET k", COMMANDS), Facts("default", trouble="cannot write to x: disk full"), 100)
    assert pieces[0] == ("problem", "cannot write to x: disk full")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.000085, "85 µs"), (0.0012, "1.2 ms"), (0.34, "340 ms"), (2.54, "2.5 s"), (340.0, "340 s")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([b"get"], ["GET key\n", "Give the string under a key.", "since 1.0.0", "complexity O(1)", "group string"]),
        ([b"hget"], ["\n\n  > HSET user:1 name Ada\n  (integer) 1\n  > HGET user:1 name\n"]),
        ([b"CONFIG", b"SET"], ["CONFIG SET parameter value [parameter value ...]"]),
        ([b"CONFIG"], ["CONFIG <subcommand>", "CONFIG GET ", "CONFIG SET "]),
        ([b"@list"], ["LPUSH  ", "BLPOP  "]),
        ([b"@SORTED-SET"], ["ZADD  "]),
        ([], ["Ctrl-R", "HELP @hash", "@sorted_set"]),
        ([b"GTE"], ["unknown command 'GTE'; did you mean GET?"]),
        ([b"CONFIG", b"GTE"], ["CONFIG has no subcommand 'GTE'; did you mean CONFIG GET?"]),
        ([b"GET", b"x"], ["GET has no subcommands"]),
        ([b"@lst"], ["no group is called 'lst'; did you mean @list?"]),
        ([b"@"], ["no group is called ''", "@hash"]),
        ([b"HELP"], ["HELP [topic [subcommand]]"]),
    ],
)
def test_help(words: list[bytes], parts: list[str]) -> None:
    shown = text(about(words, COMMANDS, 80))
    for part in parts:
        assert part in shown


def test_help_on_a_command_that_a_server_described_has_our_example() -> None:
    theirs = Command("HGET", "HGET key field", None, "readonly", "hash", "2.0.0", "O(1)")
    assert "  > HGET user:1 name\n" in text(about([b"HGET"], {b"HGET": theirs}, 80))
    theirs = Command("JSON.GET", "JSON.GET key", None, "readonly", "module", "2.0.0", "O(1)")
    assert ">" not in text(about([b"JSON.GET"], {b"JSON.GET": theirs}, 80))


@pytest.mark.parametrize("width", [60, 80, 140])
def test_help_on_everything_fits_and_ends_its_lines(width: int) -> None:
    assert width < 80 or max(map(len, text(about([], COMMANDS, width)).split("\n"))) <= width
    for name, found in COMMANDS.items():
        for words in [[name], *([name, sub] for sub in found.subs or ())]:
            shown = text(about(words, COMMANDS, width))
            assert shown.endswith("\n")
            assert max(map(len, shown.split("\n"))) <= width


@pytest.mark.parametrize(
    ("push", "shown"),
    [
        (Push([b"message", b"news", b"hi"]), "news  hi\n"),
        (Push([b"pmessage", b"n*", b"news", b"hi"]), "news (n*)  hi\n"),
        (Push([b"monitor", b'1.2 [0 x] "get"']), '1.2 [0 x] "get"\n'),
        (Push([b"message", b"news", b"\x1b[2J"]), "news  \\x1b[2J\n"),
        (Push([b"invalidate", [b"a", b"b"]]), "invalidate [a, b]\n"),
        (Push([b"invalidate", None]), "invalidate (nil)\n"),
    ],
)
def test_messages(push: Push, shown: str) -> None:
    assert text(message(push)) == shown


def test_confirmations() -> None:
    replies = [Push([b"subscribe", b"a", 1]), Push([b"subscribe", b"b", 2])]
    assert text(confirmations(replies)) == "listening to a, b; Ctrl-C ends it\n"
