"""Commands that go through a connection, on threads: one for the client, and one for each command that waits.

A command that waits has a connection of its own, so that it holds up nobody. When it is cancelled, CLIENT UNBLOCK ends
it, for then one knows whether it took something; where that cannot be, its connection is closed. Other commands are run
in the order in which they are asked for.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from redtool.aio.owed import Owed
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

POLL = 0.02  # seconds between looks for messages, and whether a wait has ended
PATIENCE = 2.0  # seconds for a wait that was called off to end


class Lane:
    """A connection and the thread that uses it. The thread keeps no program alive."""

    def __init__(self, backend: Shared) -> None:
        self.backend = backend
        self.number: Reply = 0  # of the client; an error where the user may not ask
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        Thread(target=self._work, name="redtool-aio", daemon=True).start()

    def put(self, work: Callable[..., Any], *words: Any) -> asyncio.Future[Any]:
        """Have the thread do something, after what it was given before."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._jobs.put((loop, done, work, words))
        return done

    async def call(self, work: Callable[..., Any], *words: Any) -> Any:
        """The same, and wait for it."""
        return await self.put(work, *words)

    async def prepare(self, other: Shared) -> None:
        """Be as the other client is, and known by number."""
        await self.call(self.backend.follow, other)
        if not self.number:
            self.number = await self.call(_attempt, self.backend, [b"CLIENT", b"ID"])

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
        self._owed = Owed()

    async def execute(self, argv: Sequence[bytes]) -> Reply:
        """Run a command; an error is a value."""
        if self._owed:
            self._owed.collect()
        if argv[0].upper() in WAITING and not self.backend.in_multi:
            return await self._wait(argv)
        return await self._lane.call(_attempt, self.backend, argv)

    async def _wait(self, argv: Sequence[bytes]) -> Reply:
        """Run a command that may wait on a connection of its own."""
        lane = self._idle.pop() if self._idle else Lane(self.backend.helper())
        try:
            await lane.prepare(self.backend)
        except asyncio.CancelledError:
            self._idle.append(lane)  # its thread does what it was given, and is as good as before
            raise
        except BaseException:
            lane.end()
            raise
        done = lane.put(_attempt, lane.backend, argv)
        try:
            reply = await asyncio.shield(done)
        except asyncio.CancelledError:
            reply = await self._call_off(lane, done)
            if reply is None:
                raise
            self._owed.put_off()
        except BaseException:
            lane.end()
            raise
        else:
            self._idle.append(lane)
        return reply

    async def _call_off(self, lane: Lane, done: asyncio.Future[Any]) -> Reply:
        """End a wait: gives the reply that it has got nevertheless, or None. Not to be cancelled itself; soon over."""
        ending = asyncio.ensure_future(self._unblock(lane, done))
        while not ending.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(ending)
        if ending.result() and done.exception() is None:
            self._idle.append(lane)
            return done.result()
        done.add_done_callback(_forget)
        lane.backend.abandon()
        lane.end()
        return None

    async def _unblock(self, lane: Lane, done: asyncio.Future[Any]) -> bool:
        """End a wait by telling the server to. False when that cannot be."""
        if type(lane.number) is not int:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not done.done():
                    if self.backend.bound:
                        return False
                    words = [b"CLIENT", b"UNBLOCK", b"%d" % lane.number]
                    if type(await self._lane.call(_attempt, self.backend, words)) is not int:
                        return False
                    await asyncio.wait([done], timeout=POLL)
        return done.done()

    async def pipeline(self, batch: Sequence[Sequence[bytes]]) -> list[Reply]:
        """Run commands in order."""
        return await self._lane.call(_all, self.backend, batch)  # type: ignore[no-any-return]

    async def messages(self) -> AsyncIterator[Push]:
        """What comes out of turn, as long as the client listens."""
        while True:
            come = await self._lane.call(self.backend.arrived)
            found = bool(come)
            try:
                while come:
                    yield come.pop(0)
            finally:
                self.backend.put_back(come)  # who stops in the middle leaves the rest to the next
            if not found:
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


def _forget(done: asyncio.Future[Any]) -> None:
    """Take note of what became of something that nobody waits for any more."""
    if not done.cancelled():
        done.exception()


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
