"""Fixtures for the program as a whole: ``p`` runs it with a store of its own, ``server`` is an emptied real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.servers import RealServer


@pytest.fixture
def p(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setattr("redtool.__main__.collect_garbage", lambda: None)  # it changes the whole process
    return Program(tmp_path, capfd, monkeypatch)


@pytest.fixture
def server(valkey: RealServer) -> RealServer:
    valkey.flush()
    return valkey
