"""A dump that is not ours is opened through an index in the cache directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from redtool import dumps
from redtool.persist.save import save
from redtool.store import Store

GONE = 1 << 30  # no process can have this number


@pytest.fixture
def dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(dumps, "WHOLE", 0)
    return write(tmp_path / "dump.rdb", b"1")


def write(path: Path, value: bytes) -> Path:
    pieces: list[bytes] = []
    save(pieces.append, [(0, 300, 0, [(b"key:%d" % n, value, None) for n in range(300)])])
    path.write_bytes(b"".join(pieces))
    return path


def cached(dump: Path) -> list[str]:
    return os.listdir(os.path.dirname(dumps.cache_path(str(dump))))


def value(store: Store) -> object:
    db = store.databases[0]
    assert db.cold is not None
    return db.get(b"key:7")


def test_the_index_is_kept_and_made_anew_for_another_dump(dump: Path) -> None:
    for content in (b"1", b"1", b"2"):
        write(dump, content)
        assert value(dumps.open_dump(str(dump))) == content
        assert cached(dump) == [os.path.basename(dumps.cache_path(str(dump)))]
    assert os.listdir(dump.parent / "cache") == ["redtool"]
    assert not Path(f"{dump}.idx").exists()


def test_what_a_killed_process_left_in_the_cache_is_removed(dump: Path) -> None:
    path = Path(dumps.cache_path(str(dump)))
    path.parent.mkdir(parents=True)
    for pid in (GONE, os.getpid()):
        (path.parent / f"temp-another.rdb-00000000.idx-{pid}.idx").touch()
    dumps.open_dump(str(dump))
    assert sorted(cached(dump)) == [path.name, f"temp-another.rdb-00000000.idx-{os.getpid()}.idx"]


def test_without_a_cache_the_index_is_made_each_time(dump: Path) -> None:
    (dump.parent / "cache").write_text("no directory")
    assert value(dumps.open_dump(str(dump))) == b"1"
