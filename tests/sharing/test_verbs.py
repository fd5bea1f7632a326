"""The verbs on a store that somebody else has open."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.sharing.processes import PATIENCE, REDTOOL, Process, environment, run


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_a_backup_of_a_store_in_use_has_all_that_was_acknowledged(shared: Path, tmp_path: Path) -> None:
    with Process(shared) as owner:
        assert owner.ask("SET a 1") == "OK"
        run(shared, "backup", str(tmp_path / "copy"))
        run(shared, "backup", "--rdb", str(tmp_path / "copy.rdb"))
        assert owner.ask("INCR a") == "2"
        for copy in ("copy", "copy.rdb"):
            assert run(shared, "open", str(tmp_path / copy), "GET", "a") == "1\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy", "copy.rdb", "store"]


def test_a_backup_of_a_store_in_use_without_a_journal_is_refused(shared: Path, tmp_path: Path) -> None:
    run(shared, "CONFIG", "SET", "appendonly", "no")
    with Process(shared) as owner:
        assert owner.ask("SET a 1") == "OK"
        words = [*REDTOOL, "backup", str(tmp_path / "copy")]
        done = subprocess.run(words, env=environment(shared), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 3
    assert "in use by process" in done.stderr
    assert not (tmp_path / "copy").exists()


def test_a_dump_in_another_format(shared: Path) -> None:
    with Process(shared) as owner:
        assert owner.ask("SET a 1") == "OK"
        run(shared, "bgsave", "--rdb-format", "0012")
        assert (shared / "dump.rdb").read_bytes().startswith(b"REDIS0012")
        assert owner.ask("CONFIG GET rdb-format") == "rdb-format"
        assert owner.line() == "0010"


def test_other_verbs(shared: Path) -> None:
    with Process(shared) as owner:
        assert owner.ask("MSET a 1 b 2") == "OK"
        assert run(shared, "scan") in ("a\nb\n", "b\na\n")
        assert run(shared, "memory", "usage", "a").strip().isdigit()
        assert run(shared, "policy", "set", "allkeys-lru") == "OK\n"
        assert owner.ask("CONFIG GET maxmemory-policy") == "maxmemory-policy"
        assert owner.line() == "allkeys-lru"
        assert "enabled\tyes" in run(shared, "aof", "status")
        run(shared, "aof", "rewrite")
        assert "whole" in run(shared, "aof", "check")
        assert run(shared, "-n", "2", "-r", "2", "INCR", "n") == "1\n2\n"
        assert owner.ask("DBSIZE") == "2"
