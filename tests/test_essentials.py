"""The transcript tests/data/essentials.txt, embedded and on real servers: what a beginner types works."""

from __future__ import annotations

from pathlib import Path

import pytest

import redtool
from redtool import errors
from redtool.render.plain import text
from redtool.resp import Decoder, encode
from redtool.words import split
from tests.servers import RealServer

TRANSCRIPT = Path(__file__).parent / "data" / "essentials.txt"


def steps() -> list[tuple[str, list[str]]]:
    """(line, reply lines) of the transcript."""
    found: list[tuple[str, list[str]]] = []
    for line in TRANSCRIPT.read_text(encoding="utf-8").splitlines():
        if line.startswith("> "):
            found.append((line[2:], []))
        elif line and not line.startswith("#"):
            found[-1][1].append(line)
    return found


def same(shown: list[str], expected: list[str]) -> bool:
    if expected[0].startswith("~"):
        members = [line.partition(") ")[2] for line in shown]
        return sorted(members) == sorted(line.partition(") ")[2] for line in expected)
    if expected == ["(integer) *"]:
        return len(shown) == 1 and shown[0].startswith("(integer) ") and shown[0][10:].isdigit()
    return shown == expected


def test_transcript_is_not_empty() -> None:
    assert len(steps()) > 70


def test_embedded() -> None:
    with redtool.open(":memory:") as store:
        for line, expected in steps():
            try:
                reply = store.execute(*split(line.encode()))
            except errors.ReplyError as error:
                reply = error
            assert same(text(stepped_down(reply)).decode().splitlines(), expected), line


def stepped_down(reply: object) -> object:
    """The reply as a RESP2 client gets it."""
    decoder = Decoder()
    decoder.feed(encode(reply, 2))
    return next(iter(decoder))


@pytest.mark.needs("redis-cli")
@pytest.mark.usefixtures("real")
def test_real_server(real: RealServer) -> None:
    real.flush()
    out = real.cli("--no-raw", input="".join(line + "\n" for line, _ in steps()).encode()).decode()
    lines = out.splitlines()
    for line, expected in steps():
        shown, lines = lines[: len(expected)], lines[len(expected) :]
        assert same(shown, expected), line
    assert not lines
