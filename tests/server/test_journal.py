"""A server whose journal cannot be written: who is told what."""

from __future__ import annotations

from pathlib import Path

import pytest

from redtool import errors
from redtool.persistence import Persistence
from tests.served import Served


def test_what_is_not_kept_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client whose write it was is cut off without a reply; who only reads is served."""
    persistence = Persistence.open(str(tmp_path / "store"))
    store = persistence.store
    served = Served(store)
    assert store.journal is not None
    journal = store.journal

    def full() -> None:
        journal.trouble = "No space left on device"
        raise errors.StoreError("cannot write")

    try:
        with served.client() as writer, served.client() as reader:
            assert writer.call("SET", "a", "1") == b"OK"
            monkeypatch.setattr(journal, "flush", full)
            writer.send("SET", "a", "2")
            with pytest.raises(ConnectionError, match="closed the connection after b''"):
                writer.receive_wire()
            assert store.guard
            assert reader.call("GET", "b") is None
            assert str(reader.call("SET", "b", "1")).startswith("MISCONF")
    finally:
        monkeypatch.undo()
        served.stop()
        persistence.close()
