"""Choosing a format, colour or none, the pager, and printing on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from redtool.errors import UsageError
from redtool.options import parse
from redtool.render import FORMATS, choose, pager, terminal, want_color
from redtool.resp import OK


@pytest.mark.parametrize(
    ("name", "reply", "expected"),
    [
        ("raw", [b"f", b"v"], b"f\nv\n"),
        ("text", [b"f", b"v"], b'1) "f"\n2) "v"\n'),
        ("plain", OK, b"OK\n"),
        ("json", [b"f", b"v"], b'{"f":"v"}\n'),
        ("csv", [b"f", b"v"], b'"f","v"\n'),
        ("human", [], b"(empty hash)\n"),
    ],
)
def test_choose(name: str, reply: object, expected: bytes) -> None:
    assert choose(name)([b"HGETALL", b"k"], reply) == expected
    assert name in FORMATS


def test_verbatim_commands_are_not_quoted() -> None:
    for name in ("raw", "text"):
        assert choose(name)([b"info"], b"# Server\r\n") == b"# Server\r\n"
        assert choose(name)((b"MEMORY", b"DOCTOR"), b"Hi Sam") == b"Hi Sam\n"
        assert choose(name)([b"INFO"], None) in (b"\n", b"(nil)\n")


def test_unknown_format() -> None:
    with pytest.raises(UsageError, match="unknown format xml; one of human, text"):
        choose("xml")


@pytest.mark.parametrize(
    ("option", "environ", "isatty", "expected"),
    [
        (None, {}, True, True),
        ("auto", {}, False, False),
        ("always", {}, False, True),
        ("never", {}, True, False),
        ("always", {"NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": ""}, False, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"TERM": "dumb"}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_want_color(option: str | None, environ: dict[str, str], isatty: bool, expected: bool) -> None:
    assert want_color(option, environ, isatty) is expected


TALL = "".join(f"\x1b[36mline {n}\x1b[0m é\n" for n in range(50))


@pytest.fixture
def reader(tmp_path: Path) -> tuple[str, Path]:
    """A pager that keeps what it gets, and how LESS was set."""
    out = tmp_path / "out"
    script = tmp_path / "pager"
    script.write_text(f'#!/bin/sh\necho "$LESS" > "{out}"\ncat >> "{out}"\n')
    script.chmod(0o755)
    return str(script), out


def test_pager_gets_the_text_with_its_colours(reader: tuple[str, Path]) -> None:
    command, out = reader
    assert pager.page(TALL, 24, {**os.environ, "PAGER": command})
    assert out.read_text().endswith("\n" + TALL)


@pytest.mark.parametrize(("less", "expected"), [(None, "-SRXF"), ("-M", "-M"), ("", "")])
def test_less_is_set_only_when_unset(reader: tuple[str, Path], less: str | None, expected: str) -> None:
    command, out = reader
    environ = {key: value for key, value in os.environ.items() if key != "LESS"}
    environ |= {"PAGER": command} | ({} if less is None else {"LESS": less})
    assert pager.page(TALL, 24, environ)
    assert out.read_text().partition("\n")[0] == expected


def test_config_wins_over_environment(reader: tuple[str, Path]) -> None:
    command, out = reader
    assert pager.page(TALL, 24, {**os.environ, "PAGER": "false"}, {"pager": f"{command} | cat"})
    assert out.read_text().endswith(TALL)


@pytest.mark.parametrize(
    ("height", "environ", "config"),
    [
        (0, {"PAGER": "true"}, {}),  # no terminal
        (60, {"PAGER": "true"}, {}),  # it fits
        (24, {"PAGER": ""}, {}),
        (24, {"PAGER": "cat"}, {}),
        (24, {"PAGER": "true"}, {"pager": False}),
        (24, {"PAGER": "/nonexistent/pager -x"}, {}),
        (24, {"PAGER": "nonexistent-pager | cat"}, {"pager": "nonexistent-pager; exit 127"}),
        (24, {"PAGER": "un'closed"}, {}),
    ],
)
def test_the_caller_prints_when_nothing_was_paged(
    height: int, environ: dict[str, str], config: dict[str, object]
) -> None:
    assert not pager.page(TALL, height, {**os.environ, **environ}, config)


def test_a_pager_that_stops_reading_is_no_error() -> None:
    assert pager.page(TALL * 20_000, 24, {**os.environ, "PAGER": "true"})


def test_screen_lines_count_wrapped_ones() -> None:
    assert pager.screen_lines("a\nb\n", 80, 24) == 2
    assert pager.screen_lines("x" * 200 + "\n", 80, 24) == 3
    assert pager.screen_lines(f"\x1b[36m{'x' * 80}\x1b[0m\n", 80, 24) == 1


SHOW = """
import sys
from redtool.options import parse
from redtool.render.terminal import show_reply
show_reply({argv}, {reply}, parse({options}))
heavy = [name for name in ("rich", "re", "typing", "dataclasses", "json", "enum") if name in sys.modules]
sys.stderr.write(" ".join(heavy))
"""


def run_on_a_terminal(argv: list[bytes], reply: object, *options: str, **environ: str) -> tuple[str, str]:
    """Run show_reply in a process whose stdout is a terminal; give what it printed, and the heavy modules."""
    parent, child = pty.openpty()
    code = SHOW.format(argv=argv, reply=reply, options=list(options))
    env = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "PAGER")}
    env |= {"TERM": "xterm", "COLUMNS": "60", "LINES": "10", "PYTHONPATH": os.pathsep.join(sys.path)} | environ
    words = [sys.executable, "-S", "-I", "-c", "import sys; sys.path[:0] = " + repr(sys.path) + "\n" + code]
    with subprocess.Popen(words, stdout=child, stderr=subprocess.PIPE, env=env) as process:
        os.close(child)
        found = b""
        try:
            while part := os.read(parent, 4096):
                found += part
        except OSError:  # the other end is closed
            pass
        os.close(parent)
        assert process.stderr is not None
        return found.decode().replace("\r\n", "\n"), process.stderr.read().decode()


def test_a_single_value_on_a_terminal_needs_no_rich() -> None:
    assert run_on_a_terminal([b"TTL", b"k"], 60) == (
        "\x1b[2m(integer) \x1b[0m\x1b[35m60\x1b[0m\x1b[2m  1m\x1b[0m\n",
        "",
    )
    assert run_on_a_terminal([b"GET", b"k"], "é".encode(), NO_COLOR="1") == ('"é"\n', "")


def test_a_table_on_a_terminal() -> None:
    text, heavy = run_on_a_terminal([b"HGETALL", b"k"], {b"f": b"v"}, "--color", "never")
    assert text == "field  value\n────────────\nf      v\n"
    assert "rich" in heavy


def test_a_tall_reply_is_paged(reader: tuple[str, Path]) -> None:
    command, out = reader
    argv, items = [b"LRANGE", b"k", b"0", b"-1"], [b"%d" % n for n in range(20)]
    assert run_on_a_terminal(argv, items, PAGER=command)[0] == ""
    assert "\x1b[2m19" in out.read_text()
    text, _ = run_on_a_terminal(argv, items, "--no-pager", "--color", "never", PAGER=command)
    assert text.count("\n") == 23


def test_screen_size_from_the_environment() -> None:
    assert terminal.screen({"COLUMNS": "132", "LINES": "50"}) == (132, 50)
    assert parse(["--pretty"]).flags == {"pretty": "yes"}
