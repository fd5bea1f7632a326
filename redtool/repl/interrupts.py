"""Ctrl-C while a command runs: it stops what waits, reads or prints, and never leaves a write half done.

The terminal sends SIGINT only while no line is being edited. Python would raise KeyboardInterrupt wherever the
program happens to be, in the middle of a change to the store too. Here it is raised only where that is safe, which
the shell says by ``allow``; elsewhere it is noted, and ``take`` tells.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """The handler of SIGINT for one session. ``deaf`` while a line is edited: then Ctrl-C is a key."""

    def __init__(self) -> None:
        self.pending = self.deaf = False
        self._allowed = False
        self._before: object = None

    def __enter__(self) -> Interrupts:
        self._before = signal.signal(signal.SIGINT, self._strike)
        return self

    def __exit__(self, *exc: object) -> None:
        signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _strike(self, number: int, frame: FrameType | None) -> None:
        if self._allowed:
            self._allowed = False  # what cleans up after the interrupt is left in peace
            self.pending = False
            raise KeyboardInterrupt
        self.pending = not self.deaf

    @contextmanager
    def allow(self, allowed: bool = True) -> Iterator[None]:
        """Let Ctrl-C raise KeyboardInterrupt inside the block, or, with False, do not."""
        self._allowed = allowed
        try:
            yield
        finally:
            self._allowed = False

    def take(self) -> bool:
        """Tell whether Ctrl-C was pressed since the last time, and forget it."""
        pending, self.pending = self.pending, False
        return pending
