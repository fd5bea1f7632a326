"""Whatever is typed, the editor's parts answer: no text may raise, and colouring keeps every character."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redtool.backends import open_backend
from redtool.backends.target import Target
from redtool.commands.table import Command, load_all
from redtool.repl.editor import pieces
from redtool.repl.judge import judge
from redtool.repl.meta import vocabulary
from redtool.repl.suggest import wanted
from redtool.repl.toolbar import Facts, toolbar
from redtool.repl.typed import logical
from tests.servers import RealServer

OURS = vocabulary(load_all())
NAMES = sorted({name.decode() for name in OURS} | {"config", "get", "EVAL", "XREAD", "GEOSEARCH"})
OPTIONS = ["NX", "EX", "LIMIT", "BY", "STREAMS", "KEYS", "WITHSCORES", "MATCH", "COUNT", "get", "FROMLONLAT", "~", "="]
WORDS = st.sampled_from(NAMES) | st.sampled_from(OPTIONS) | st.text(max_size=6) | st.integers(-3, 9).map(str)
LINES = st.lists(WORDS, max_size=8).map(" ".join) | st.text(alphabet="SETGkv \n\t\"'\\#5é\x00\udcff", max_size=25)


def look(text: str, commands: Mapping[bytes, Command]) -> None:
    """Do for a text what the editor does."""
    rows = logical(text)
    for _, line in rows:
        verdict = judge(line, commands)
        shown = list(pieces(line, verdict))
        assert sum(len(part) for _, part in shown) == len(line)
        if "secret" not in verdict.roles:
            assert "".join(part for _, part in shown) == line
        assert len(verdict.roles) == len(verdict.typed.words)
        toolbar(verdict, Facts("default"), 80)
    wanted(rows[-1][1], commands)


@settings(max_examples=400, deadline=None)
@given(LINES)
@example("CONFIG SET")
@example("5 5 5 5")
@example("ZUNION 99999999999999999999 a")
@example("GET " + "k " * 1000)
@example("GET 'a\nb' \"")
def test_any_text_can_be_looked_at(text: str) -> None:
    look(text, OURS)


@pytest.fixture(scope="module")
def theirs(valkey: RealServer) -> Mapping[bytes, Command]:
    target = Target("remote")
    target.socket = str(valkey.socket)
    backend = open_backend(target)
    commands = backend.commands()
    backend.close()
    return vocabulary(commands)


def test_every_command_of_a_server_can_be_typed(theirs: Mapping[bytes, Command]) -> None:
    for name, found in theirs.items():
        for line in [name.decode(), *(f"{name.decode()} {sub.decode()}" for sub in found.subs or ())]:
            for more in ("", " ", " a", " a b 1 c ", " 1 2 3 4 5 6"):
                look(line + more, theirs)
