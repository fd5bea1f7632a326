"""Fixtures for tests of users: they would disturb other tests, so the real servers here are their own.

``users`` runs a test on the embedded store, through a socket, on Valkey and on Redis 7; ``latest`` leaves out Redis 7,
whose refusals have other words; ``remote`` leaves out the embedded store, whose sessions need no password, and
``latest_remote`` both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests import embedded, servers
from tests.served import Served

if TYPE_CHECKING:
    from tests.commands.conftest import Runner

REAL = list(servers.real_servers())
HASH_OF_PW = "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"
BUILTIN = b"user default on nopass ~* &* +@all"


@pytest.fixture(scope="session")
def own() -> Iterator[dict[str, servers.RealServer]]:
    """Real servers for these tests alone, started when first asked for."""
    started: dict[str, Any] = {}

    class Lazy(dict[str, servers.RealServer]):
        def __missing__(self, name: str) -> servers.RealServer:
            started[name] = servers.running(name)
            self[name] = started[name].__enter__()
            return self[name]

    yield Lazy()
    for manager in started.values():
        manager.__exit__(None, None, None)


def cleared(server: servers.RealServer) -> servers.RealServer:
    """A server without users, passwords, refusals or keys; its own connection is new."""
    if server._client is not None:
        server._client.close()
        server._client = None
    server.call("FLUSHALL")
    for name in server.call("ACL", "USERS"):
        if name != b"default":
            server.call("ACL", "DELUSER", name)
    server.call("ACL", "LOG", "RESET")
    return server


@pytest.fixture
def served_store() -> Iterator[Served]:
    server = Served()
    yield server
    server.stop()


def runner_on(name: str, request: pytest.FixtureRequest) -> Runner:
    from tests.commands.conftest import Runner

    if name == "embedded":
        return Runner(embedded.Client())
    if name == "served":
        server: Served = request.getfixturevalue("served_store")
        return Runner(server.client(), server)
    real = cleared(request.getfixturevalue("own")[name])
    return Runner(real.client(), real)


def yielded(request: pytest.FixtureRequest) -> Iterator[Runner]:
    runner = runner_on(request.param, request)
    yield runner
    if runner.server is not None and not isinstance(runner.server, Served):
        runner("ACL SETUSER default on nopass ~* &* +@all clearselectors")
        runner("CONFIG SET acl-pubsub-default resetchannels")
        runner('CONFIG SET requirepass ""')
    runner.close()


@pytest.fixture(params=["embedded", "served", *REAL])
def users(request: pytest.FixtureRequest) -> Iterator[Runner]:
    yield from yielded(request)


@pytest.fixture(params=["embedded", "served", "valkey"])
def latest(request: pytest.FixtureRequest) -> Iterator[Runner]:
    yield from yielded(request)


@pytest.fixture(params=["served", *REAL])
def remote(request: pytest.FixtureRequest) -> Iterator[Runner]:
    yield from yielded(request)


@pytest.fixture(params=["served", "valkey"])
def latest_remote(request: pytest.FixtureRequest) -> Iterator[Runner]:
    yield from yielded(request)
