"""Fixtures for the program as a whole: ``p`` runs it with a store of its own, ``server`` is an emptied real server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import COMMAND, Program
from tests.servers import RealServer


@pytest.fixture
def p(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setattr("redtool.__main__.collect_garbage", lambda: None)  # it changes the whole process
    return Program(tmp_path, capfd, monkeypatch)


@pytest.fixture
def server(valkey: RealServer) -> RealServer:
    valkey.flush()
    return valkey


@pytest.fixture(scope="module")
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store on which the module's SCRIPT has run."""
    store = tmp_path_factory.mktemp("prepared") / "store"
    subprocess.run([*COMMAND, "--store", str(store)], input=request.module.SCRIPT, capture_output=True, check=True)
    return store


@pytest.fixture
def filled(p: Program, prepared: Path) -> Path:
    """The program's store, a copy of the prepared one."""
    shutil.copytree(prepared, p.store)
    return p.store
