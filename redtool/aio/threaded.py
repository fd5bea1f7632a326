"""Commands that go through a connection, on threads: one for the client, and one for each command that waits.

A command that waits has a connection of its own, so that it holds up nobody and, when it is cancelled, is ended by
closing that. Other commands are run in the order in which they are asked for.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from redtool.backends.remote import WAITING
from redtool.errors import ReplyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from typing import TypeAlias

    from redtool.backends.embedded import Embedded
    from redtool.backends.shared import Shared
    from redtool.resp import Push, Reply

    Opened: TypeAlias = Embedded | Shared
    Job = tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]

POLL = 0.02  # seconds between looks for messages


class Lane:
    """A connection and the thread that uses it. The thread keeps no program alive."""

    def __init__(self, backend: Shared) -> None:
        self.backend = backend
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        Thread(target=self._work, name="redtool-aio", daemon=True).start()

    async def call(self, work: Callable[..., Any], *words: Any) -> Any:
        """Have the thread do something, after what it was given before."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._jobs.put((loop, done, work, words))
        return await done

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, done, work, words = job
            if done.cancelled():
                continue
            result, error = None, None
            try:
                result = work(*words)
            except BaseException as raised:
                error = raised
            with suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(_settle, done, result, error)

    def end(self) -> None:
        """End the thread when it has done what it was given."""
        self._jobs.put(None)


class Threaded:
    """A server, or a store that another process has open, and how an event loop uses it."""

    def __init__(self, backend: Shared) -> None:
        self.backend = backend
        self._lane = Lane(backend)
        self._idle: list[Lane] = []  # for commands that wait

    async def execute(self, argv: Sequence[bytes]) -> Reply:
        """Run a command; an error is a value."""
        if argv[0].upper() in WAITING and not self.backend.in_multi:
            return await self._wait(argv)
        return await self._lane.call(_attempt, self.backend, argv)

    async def _wait(self, argv: Sequence[bytes]) -> Reply:
        """Run a command that may wait on a connection of its own."""
        lane = self._idle.pop() if self._idle else Lane(self.backend.helper())
        try:
            await lane.call(lane.backend.follow, self.backend)
            reply = await lane.call(_attempt, lane.backend, argv)
        except BaseException:
            lane.backend.abandon()
            lane.end()
            raise
        self._idle.append(lane)
        return reply

    async def pipeline(self, batch: Sequence[Sequence[bytes]]) -> list[Reply]:
        """Run commands in order."""
        return await self._lane.call(_all, self.backend, batch)  # type: ignore[no-any-return]

    async def messages(self) -> AsyncIterator[Push]:
        """What comes out of turn, as long as the client listens."""
        while True:
            come = await self._lane.call(self.backend.arrived)
            for message in come:
                yield message
            if not come:
                if not self.backend.listening:
                    return
                await self._readable()

    async def _readable(self) -> None:
        """Wait until something comes, for a while."""
        loop = asyncio.get_running_loop()
        fd = self.backend.fileno()
        if fd < 0:
            await asyncio.sleep(POLL)
            return
        news = asyncio.Event()
        loop.add_reader(fd, news.set)
        try:
            async with asyncio.timeout(1):
                await news.wait()
        except TimeoutError:
            return
        finally:
            loop.remove_reader(fd)

    async def client(self) -> Threaded:
        return Threaded(self.backend.sibling())

    async def close(self) -> None:
        lanes, self._idle = self._idle, []
        for lane in (*lanes, self._lane):
            await lane.call(lane.backend.close)
            lane.end()


def _settle(done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _attempt(backend: Shared, argv: Sequence[bytes]) -> Reply:
    try:
        return backend.execute(*argv)
    except ReplyError as error:
        return error


def _all(backend: Shared, batch: Sequence[Sequence[bytes]]) -> list[Reply]:
    replies: list[Reply] = []
    while len(replies) < len(batch):
        replies += backend.pipeline(batch[len(replies) :])
    return replies
