"""Command tests are tables of (line, reply) that run on the embedded store, through a socket, and on a real server.

``r``        run a line: ``r("GET k") == b"v"``; ``r.table(rows)`` runs many. Each test runs once a backend.
``newest``   the same with Redis 8 in the place of Valkey.
``clocked``  the embedded store alone, for tests in which time passes: ``clocked.advance(ms)``.

Replies are RESP2 values as hiredis reads them (``HELLO 3`` switches): bytes, int, None, list; an error is its text
behind a ``-``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from redtool import words
from redtool.errors import ReplyError
from tests import embedded, party, served, servers
from tests.commands.accounts import latest, latest_remote, own, remote, served_store, users

__all__ = ["Runner", "latest", "latest_remote", "own", "plain", "remote", "served_store", "users"]


class Runner:
    """Runs typed lines on a client of either kind; ``other()`` gives a second client of the same data."""

    def __init__(self, client: embedded.Client | servers.Client,
                 server: servers.RealServer | served.Served | None = None) -> None:  # fmt: skip
        self.client, self.server = client, server
        self._others: list[Runner] = []

    def __call__(self, line: str | bytes) -> Any:
        argv = words.split(line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape"))
        return plain(self.client.call(*argv))

    def table(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Run lines in order and compare each reply."""
        for line, expected in rows:
            reply = self(line)
            assert reply == expected, f"{line}\n  gave     {reply!r}\n  expected {expected!r}"

    def other(self) -> Runner:
        """A second client of the same data."""
        if self.server is not None:
            made = Runner(self.server.client(), self.server)
        else:
            assert isinstance(self.client, embedded.Client)
            made = Runner(embedded.Client(self.client.store))
        self._others.append(made)
        return made

    def advance(self, ms: int) -> None:
        """Let time pass; the embedded store only."""
        assert isinstance(self.client, embedded.Client)
        self.client.advance(ms)

    def close(self) -> None:
        for runner in (*self._others, self):
            runner.client.close()


def plain(value: Any) -> Any:
    """A reply with its errors as text behind a ``-``."""
    if isinstance(value, ReplyError):
        return f"-{value.message}"
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


@pytest.fixture(params=["embedded", "served", "valkey"])
def r(request: pytest.FixtureRequest) -> Iterator[Runner]:
    if request.param == "embedded":
        runner = Runner(embedded.Client())
    else:
        server: servers.RealServer | served.Served = request.getfixturevalue(request.param)
        server.flush()
        runner = Runner(server.client(), server)
    yield runner
    runner.close()


@pytest.fixture(params=["embedded", "served", *({"redis8"} & servers.named_servers().keys())])
def newest(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """For commands that only Redis 8 has too: where the environment names one (REDTOOL_TEST_SERVERS) it is asked."""
    if request.param == "redis8":
        with servers.running("redis8", "--enable-debug-command", "yes") as server:
            runner = Runner(server.client(), server)
            yield runner
            runner.close()
        return
    server = request.getfixturevalue("served") if request.param == "served" else None
    runner = Runner(embedded.Client() if server is None else server.client(), server)
    yield runner
    runner.close()


@pytest.fixture
def clocked() -> Iterator[Runner]:
    runner = Runner(embedded.Client())
    yield runner
    runner.close()


@pytest.fixture(scope="session")
def crowded() -> Iterator[servers.RealServer]:
    """A real server of its own for clients that list, pause and close each other."""
    with servers.running("valkey") as server:
        yield server


@pytest.fixture(params=["embedded", "served", "valkey"])
def clients(request: pytest.FixtureRequest) -> Iterator[party.Party]:
    """Several clients of one empty store."""
    made: party.Party
    if request.param == "embedded":
        made = party.Embedded()
    else:
        server = request.getfixturevalue("crowded" if request.param == "valkey" else "served")
        made = party.Sockets(server.socket)
    made.send("first", [b"CLIENT", b"UNPAUSE"])
    made.send("first", [b"FLUSHALL"])
    made.send("first", [b"CLIENT", b"KILL", b"SKIPME", b"NO", b"ID", b"%d" % made.number("first")])
    yield made
    made.close()
