"""Commands on a store of this process, run in the event loop's thread; what must wait is parked."""

from __future__ import annotations

import asyncio
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING

from redtool.aio.owed import Owed
from redtool.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from redtool.backends.embedded import Embedded
    from redtool.resp import Push, Reply
    from redtool.session import Argv, Block
    from redtool.waiting import Waiter

TICK = 0.1  # seconds between looks after a command that waits
TURN = 0.005  # seconds after which other tasks get their turn, whether or not a command waits


class Watch:
    """Looks after a command that waits: its time may be up, or it waits in vain."""

    def __init__(self, backend: Embedded, waiter: Waiter, fail: Callable[[Exception], object]) -> None:
        self.backend, self.waiter, self.fail = backend, waiter, fail
        self._loop = asyncio.get_running_loop()
        self._next()

    def _next(self) -> None:
        deadline, store = self.waiter.block.deadline, self.backend.store
        left = TICK if deadline is None else deadline / 1000 - store.time_ns() / 1e9
        self._alarm = self._loop.call_later(min(max(left, 0.0), TICK), self._look)

    def _look(self) -> None:
        try:
            self.backend.look_after(self.waiter)
        except StoreError as error:
            self.fail(error)
        self._next()

    def end(self) -> None:
        self._alarm.cancel()


class Inline:
    """A store and how an event loop uses it."""

    def __init__(self, backend: Embedded) -> None:
        self.backend = backend
        self._turned = 0.0  # when other tasks had their turn
        self._owed = Owed()
        self._news = asyncio.Event()

    async def execute(self, argv: Argv) -> Reply:
        """Run a command; an error is a value."""
        return (await self.pipeline([argv]))[0]

    async def pipeline(self, batch: Sequence[Argv]) -> list[Reply]:
        """Run commands in order."""
        if self._owed:
            self._owed.collect()
        now = monotonic()
        if now - self._turned > TURN:  # before the commands: a reply must not be lost to a cancellation
            self._turned = now
            await asyncio.sleep(0)
        replies: list[Reply] = []
        while len(replies) < len(batch):
            block = self.backend.run(batch[len(replies) :] if replies else batch, replies)
            if block is not None:
                replies.append(await self._wait(batch[len(replies)], block))
        return replies

    async def _wait(self, argv: Argv, block: Block) -> Reply:
        """Wait until the command is served, by whomever."""
        backend, loop, home = self.backend, asyncio.get_running_loop(), get_ident()
        served: asyncio.Future[None] = loop.create_future()
        box: list[Reply] = []

        def settle(error: Exception | None = None) -> None:
            if not served.done():
                served.set_exception(error) if error is not None else served.set_result(None)

        def wake(reply: Reply) -> None:
            box.append(reply)
            if get_ident() == home:
                settle()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(settle)

        with backend.store.lock:
            waiter = backend.store.waiting.park_late(backend.session, argv, block, wake)
        watch = Watch(backend, waiter, settle)
        try:
            await served
        except asyncio.CancelledError:
            with backend.store.lock:
                if not waiter.done:
                    backend.store.waiting.unpark(waiter)
            if not box:
                raise
            self._owed.put_off()
        finally:
            watch.end()
            with backend.store.lock:
                if not waiter.done:  # it waits in vain: the store is closed
                    backend.store.waiting.unpark(waiter)
                if backend.store.unflushed():
                    backend.store.flush()
        return box[0]

    async def messages(self) -> AsyncIterator[Push]:
        """What comes out of turn, as long as the session listens."""
        loop = asyncio.get_running_loop()

        def hear(reply: Reply) -> None:
            session.inbox.append(reply)
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._news.set)

        while True:
            session = self.backend.session
            session.deliver = hear
            self._news.clear()
            for message in self.backend.arrived():
                yield message
            if self.backend.closed or not self.backend.listening:
                return
            try:
                async with asyncio.timeout(TICK):
                    await self._news.wait()
            except TimeoutError:
                self.backend.tick()

    async def client(self) -> Inline:
        return Inline(self.backend.client())

    async def close(self) -> None:
        await asyncio.to_thread(self.backend.close)
