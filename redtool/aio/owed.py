"""Cancellations that are put off: a reply that came in the same moment is given first, for nobody else has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


class Owed:
    """The tasks that are to be cancelled at their next command."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def put_off(self) -> None:
        """The task at hand was cancelled, and gets its reply nevertheless."""
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)

    def collect(self) -> None:
        """Cancel the task at hand if that was put off, and nobody has taken it back: a timeout that is over does."""
        task = asyncio.current_task()
        if task in self._tasks:
            self._tasks.discard(task)
            if task.cancelling():
                raise asyncio.CancelledError
        self._tasks = {one for one in self._tasks if not one.done()}
