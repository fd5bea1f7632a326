"""Help: every verb and option is in it, each verb has examples that work, it fits the screen."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from redtool.cli import helptext
from redtool.cli.app import descend, own_options, tree
from redtool.options import OPTIONS, VERBS, extract, parse
from tests.cli.program import Program


def commands(node: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb and verb family: (words, typer's command)."""
    node = node or tree()
    if path:
        yield path, node
    for name, sub in getattr(node, "commands", {}).items():
        yield from commands(sub, (*path, name))


ALL = list(commands())


def test_every_verb_is_in_the_table() -> None:
    assert {path[0] for path, _ in ALL} | {"help"} == set(VERBS)


def test_program_help(p: Program) -> None:
    done = p.call("--help")
    assert (done.code, done.err) == (0, "")
    text = done.out.decode()
    assert max(map(len, text.splitlines())) <= 80
    assert all(f"  {verb} " in text for verb in VERBS)
    assert all(option in text for option in OPTIONS)
    assert p.call("help").out == done.out


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_verb_help(p: Program, path: tuple[str, ...], command: Any) -> None:
    done = p.call(*path, "--help")
    assert (done.code, done.err) == (0, "")
    text = done.out.decode()
    assert text.startswith(f"redtool {' '.join(path)}")
    assert p.call("help", *path).out == p.call("--help", *path).out == done.out
    prose = text.partition("Examples")[0]
    assert max(map(len, prose.splitlines())) <= 80
    for param in command.params:
        operands = ("help", "words", "pattern", "keys", "names", "file", "path", "first", "second")
        assert param.name in operands or any(option in text for option in param.opts)
        assert param.name == "help" or getattr(param, "help", None), f"{path}: {param.name} has no help"


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_examples_parse(path: tuple[str, ...], command: Any) -> None:
    lines = [line for line in command.epilog.strip().splitlines() if "redtool" in line]
    assert lines, f"{path} has no example"
    for line in lines:
        typed = shlex.split(line.partition("    ")[0].replace("|", " | ").replace("&&", " && "))
        assert "redtool" in typed
        words = typed[typed.index("redtool") + 1 :]
        words = words[: next((at for at, word in enumerate(words) if word in ("|", "&&", ">")), len(words))]
        options = parse(words)
        found, known, rest = descend(options.words, {})
        if known and not hasattr(found, "commands"):
            with tree().make_context("redtool", [*known, *extract(rest, own_options(found), {})]) as context:
                assert context is not None


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["help", "zadd"], "ZADD key [NX | XX]"),
        (["--help", "ZADD"], "ZADD key [NX | XX]"),
        (["help", "config", "resetstat"], "CONFIG RESETSTAT"),
        (["help", "CONFIG"], "CONFIG"),
        (["help", "config"], "redtool config"),
        (["help", "config", "get"], "redtool config get"),
    ],
)
def test_help_of_a_redis_command(p: Program, words: list[str], start: str) -> None:
    done = p.call(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out.decode().startswith(start)


def test_help_of_a_redis_command_has_its_example(p: Program) -> None:
    done = p.call("help", "hget")
    assert done.out.decode().endswith(
        "Example\n  > HSET user:1 name Ada\n  (integer) 1\n  > HGET user:1 name\n  \"Ada\"\n"
        "  > HGET user:1 email\n  (nil)\n")  # fmt: skip


def test_help_of_a_long_syntax_is_folded(p: Program) -> None:
    for words in (["geosearch"], ["client"], ["client", "kill"], ["bitfield"]):
        lines = p.call("help", *words).out.decode().splitlines()
        assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("words", [["help", "nosuch"], ["help", "scan", "x"], ["policy", "nosuch", "--help"]])
def test_help_of_nothing(p: Program, words: list[str]) -> None:
    done = p.call(*words)
    assert done.code in (0, 2)
    assert done.code == 0 or done.err.startswith("redtool: there is no verb")


def test_version(p: Program) -> None:
    from redtool import __version__

    for option in ("--version", "-v"):
        assert p.call(option).out == f"redtool {__version__}\n".encode()


def test_sections_begin_with_options() -> None:
    assert set(helptext.SECTIONS) <= set(OPTIONS)
    assert next(iter(OPTIONS)) in helptext.SECTIONS
