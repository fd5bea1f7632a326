"""A store used through its owner gives the same values, with the same types, as one of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import redtool
from redtool import words
from redtool.backends.attached import Attached
from redtool.backends.embedded import Embedded
from redtool.errors import ReplyError
from redtool.resp import Pairs
from tests.sharing.processes import until
from tests.test_examples import EXAMPLES
from tests.transcripts import steps

# What is another for each client, or ends it, or the process; and what has no reply.
APART = {"MONITOR", "QUIT", "RESET", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE",
         "SUNSUBSCRIBE", "SYNC", "PSYNC", "CLIENT REPLY", "CLIENT KILL", "HELLO"}  # fmt: skip
TIMED = ("SLOWLOG", "COMMANDLOG", "LATENCY")  # what is another each time

SHARED = [each for each in EXAMPLES if each.name not in APART and not each.name.startswith(TIMED)]


def typed(value: Any) -> Any:
    """A value with its types."""
    if isinstance(value, ReplyError):
        return ("error", value.message)
    if isinstance(value, dict):
        return {key if isinstance(key, bytes) else repr(key): typed(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, list | tuple):
        return ["pairs" if isinstance(value, Pairs) else "list", *map(typed, value)]
    return (type(value).__name__, value)


def reply(client: Embedded | Attached, line: str) -> Any:
    try:
        return typed(client.execute(*words.split(line.encode())))
    except ReplyError as error:
        return typed(error)


WORKS = re.compile(rb"(bgsave|rewrite)_(in_progress|scheduled):1")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Embedded, Attached]]:
    """A store of one's own, and another that somebody else has open."""
    directory = tmp_path_factory.mktemp("shared")
    own, owner = redtool.open(directory / "own"), redtool.open(directory / "other")
    other = redtool.open(directory / "other")
    assert isinstance(own, Embedded)
    assert isinstance(other, Attached)
    yield own, other
    for store in (other, owner, own):
        store.close()


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("command", SHARED, ids=lambda c: c.name)
def test_the_same_values(pair: tuple[Embedded, Attached], command: Any, proto: int) -> None:
    own, other = pair
    for store in pair:
        for line in ("DISCARD", "UNWATCH", "SELECT 0", "FLUSHALL", f"HELLO {proto}"):
            reply(store, line)
        until(lambda: not WORKS.search(store.execute("INFO", "persistence")), "at rest")  # noqa: B023 - called at once
    for line, expected in steps("\n".join(command.example), ">"):
        one, two = reply(own, line), reply(other, line)
        if any("…" in each for each in expected):  # another for each
            assert type(one) is type(two)
        else:
            assert one == two, line
        assert own.in_multi == other.in_multi
        assert own.db == other.db


def test_doubles_of_many_digits(pair: tuple[Embedded, Attached]) -> None:
    for store in pair:
        assert reply(store, "GEOADD g 13.361389 38.115556 P -122.27652 37.805186 Q") in (("int", 2), ("int", 0))
    own, other = pair
    for line in ("GEOPOS g P Q nobody", "ZRANGE g 0 -1 WITHSCORES", "ZADD z 0.1 a 1e300 b -inf c", "ZSCORE z a"):
        assert reply(own, line) == reply(other, line)
