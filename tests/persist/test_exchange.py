"""DUMP payloads exchanged with every real server at hand, both ways: see ``exchange``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.persist.exchange import CASES, exchange, options
from tests.servers import RealServer, named_servers, running

# Who can neither make nor read what: streams in the form of Redis 7, deadlines of fields.
KEPT_APART = {
    "redis6": {name for name in CASES if name.startswith("stream")} | {name for name in CASES if "deadline" in name},
    "redis7": {name for name in CASES if "deadline" in name},
    "valkey8": {name for name in CASES if "deadline" in name},
    "valkey": {name for name in CASES if "deadlines" in name},
}


@pytest.fixture(scope="module", params=sorted(named_servers()))
def peer(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    with running(request.param, *options(request.param)) as server:
        yield server


@pytest.mark.parametrize("name", CASES)
def test_both_ways(peer: RealServer, name: str) -> None:
    ways = exchange(peer, name)
    assert [way for way in ways if way not in ("", "-")] == []
    assert "-" not in ways or name in KEPT_APART.get(peer.name, ())
