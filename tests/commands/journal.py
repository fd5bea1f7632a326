"""What a command writes to the journal, for tables of (line, effects)."""

from __future__ import annotations

from typing import Any

from redtool import words
from tests import embedded

Argv = tuple[bytes, ...]


class Recorder:
    """Stands in for the journal of a store."""

    def __init__(self) -> None:
        self.pending: list[Argv] = []
        self.db = 0

    def select(self, db: int) -> None:
        self.db = db

    def append(self, argv: Argv, db: int) -> None:
        self.pending.append(argv)


def effects(client: embedded.Client, line: str) -> list[bytes]:
    """Run a line and give what it journals, each command as one line."""
    recorder: Any = Recorder()
    client.store.journal = recorder
    client.call(*words.split(line.encode()))
    client.store.journal = None
    return [b" ".join(argv) for argv in recorder.pending]
