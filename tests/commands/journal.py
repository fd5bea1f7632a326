"""What a command writes to the journal, for tables of (line, effects)."""

from __future__ import annotations

from typing import Any

from redtool import words
from tests import embedded


class Recorder:
    """Stands in for the journal of a store."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def append(self, argv: tuple[bytes, ...], db: int) -> None:
        self.lines.append(b" ".join(argv))


def effects(client: embedded.Client, line: str) -> list[bytes]:
    """Run a line and give what it journals, each command as one line."""
    recorder: Any = Recorder()
    client.store.journal = recorder
    client.call(*words.split(line.encode()))
    client.store.journal = None
    lines: list[bytes] = recorder.lines
    return lines
