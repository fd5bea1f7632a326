"""The demo: every table is there, the store is as shown, nothing of anyone's is touched."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pexpect
import pytest

from redtool.cli.story import sections
from redtool.words import split
from tests.cli.program import COMMAND, Program


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo makes its directories."""
    import tempfile

    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return path


def test_demo(p: Program, scratch: Path) -> None:
    done = p.call("demo")
    assert (done.code, done.err) == (0, "")
    text = done.out.decode()
    (made,) = scratch.iterdir()
    assert str(made) in text
    titles = ["Users", "Sessions", "Leaderboard", "Feed", "Job queue", "Daily visitors", "Friends"]
    assert [line for line in text.splitlines() if line in titles] == titles
    assert re.search(r"rank +member +score", text)
    assert re.search(r"1 +grace +8200 +█+", text)
    assert "(integer) 86400  1d" in text
    assert "\x1b" not in text
    shown = [line for line in text.splitlines() if str(made) not in line and "—" not in line]
    assert max(map(len, shown)) <= 80
    keys = p.call("--store", str(made), "scan").lines
    assert f"{len(keys)} keys" in text
    assert p.call("--store", str(made), "TTL", "session:7f3a").out.strip() != b"-1"
    assert not p.store.exists()


def test_each_demo_is_a_new_one(p: Program, scratch: Path) -> None:
    p.call("demo")
    p.call("demo")
    assert len(list(scratch.iterdir())) == 2


def test_demo_in_memory(p: Program, scratch: Path) -> None:
    done = p.call("demo", "--mem")
    assert done.code == 0
    assert "in memory" in done.out.decode()
    assert not list(scratch.iterdir())


def test_demo_in_a_named_store(p: Program, scratch: Path) -> None:
    named = str(p.home / "play")
    assert p.call("demo", "--store", named).code == 0
    assert p.call("--store", named, "LLEN", "jobs:email").out == b"3\n"
    done = p.call("demo", "--store", named)
    assert (done.code, done.out) == (2, b"")
    assert done.err == f"redtool: the store {named} is not empty; the demo wants one that is\n"


def test_demo_never_goes_to_a_server(p: Program, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["demo", "-p", "6379"], ["-u", "redis://h", "demo"], ["demo", "-t", "prod"]):
        assert p.call(*words).code == 2
    assert not list(scratch.iterdir())
    monkeypatch.setenv("REDIS_URL", "redis://nowhere.invalid:1")
    assert p.call("demo").code == 0


def test_demo_on_a_terminal_goes_on_in_the_repl(p: Program, scratch: Path) -> None:
    child = pexpect.spawn(COMMAND[0], [*COMMAND[1:], "demo"], dimensions=(40, 80), timeout=30, env={**os.environ})
    child.expect("demo>")
    child.send("LLEN jobs:email\r")
    child.expect(r"\(integer\)")
    child.expect("demo>")
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_the_story_is_valid_at_any_time() -> None:
    import redtool

    for now in (0.0, 1_700_000_000.0, 4_000_000_000.0):
        with redtool.open(":memory:") as store:
            for section in sections(now):
                for line in (*section.quiet, *section.made, *section.read):
                    assert store.execute(*split(line.encode())) is not None
                    assert len(line) <= 78
