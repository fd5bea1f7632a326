"""redtool for asyncio: ``async with redtool.aio.open(path) as store: await store.execute("BLPOP", "jobs", 0)``.

``open`` takes a store, ``connect`` a server, ``redis`` gives redis-py's asyncio client on a store. What waits can be
cancelled: what it waited for stays for others, and the client is as usable as before.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from redtool.aio.inline import Inline
from redtool.aio.threaded import Threaded
from redtool.backends import to_bytes
from redtool.backends.embedded import Embedded
from redtool.errors import ReplyError, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Generator, Sequence
    from typing import Any

    from redis import asyncio as redis_asyncio

    from redtool.aio.threaded import Opened
    from redtool.resp import Push, Reply

    Word = bytes | str | int | float


class Client:
    """A client of a store or a server: an async context manager, or ``await`` it and ``close`` it.

    Tasks may share it; a command that waits holds up no other. A transaction, WATCH and subscriptions belong to the
    client as a whole: ``client()`` gives another one.
    """

    def __init__(self, opener: Callable[[], Opened]) -> None:
        self._opener = opener
        self._way: Inline | Threaded | None = None

    async def _open(self) -> Client:
        if self._way is None:
            opened = await asyncio.to_thread(self._opener)
            self._way = Inline(opened) if isinstance(opened, Embedded) else Threaded(opened)
        return self

    def __await__(self) -> Generator[Any, None, Client]:
        return self._open().__await__()

    async def __aenter__(self) -> Client:
        return await self._open()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    @property
    def way(self) -> Inline | Threaded:
        """How commands get where they go. Raises UsageError before the client is opened."""
        if self._way is None:
            raise UsageError("open it first: 'async with redtool.aio.open(…) as store', or await it")
        return self._way

    async def execute(self, *argv: Word) -> Reply:
        """Run one command and wait for its reply. Words may be bytes, str (UTF-8), int or float; raises ReplyError.

        When the task is cancelled while the command waits, that ends without effect. If it is served in that moment,
        the reply is given nevertheless, and the cancellation comes with the next command. On a server this takes the
        permission for CLIENT UNBLOCK; without it the connection is closed.
        """
        if not argv:
            raise UsageError("no command given")
        reply = await self.way.execute([word if type(word) is bytes else to_bytes(word) for word in argv])
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    async def pipeline(self, batch: Sequence[Sequence[Word]]) -> list[Reply]:
        """Run commands in order, in one go as far as none waits; an error is a value in the list."""
        return await self.way.pipeline([[to_bytes(word) for word in argv] for argv in batch])

    def messages(self) -> AsyncIterator[Push]:
        """Messages of the client's subscriptions and MONITOR, as they come; ends when it listens to nothing."""
        return self.way.messages()

    async def client(self) -> Client:
        """Another client of the same store or server."""
        other = Client(self._opener)
        other._way = await self.way.client()
        return other

    async def close(self) -> None:
        """Close the store, or the connections. Safe to call twice. One of ``client()`` leaves the store open."""
        if self._way is not None:
            await self._way.close()


def open(path: str | os.PathLike[str] | None = None, **options: Any) -> Client:
    """Open a store as ``redtool.open`` does, when it is awaited or entered."""
    from redtool.backends.embedded import open_store

    return Client(lambda: open_store(path, **options))


def connect(url: str) -> Client:
    """Connect to a server as ``redtool.connect`` does, when it is awaited or entered."""
    from redtool.backends.remote import connect_one

    return Client(lambda: connect_one(url))


def redis(source: str | os.PathLike[str] | Embedded | None = None, **options: Any) -> redis_asyncio.Redis:
    """Make a ``redis.asyncio.Redis`` for a store: see ``redtool.redis``."""
    from redtool.redispy import async_redis

    return async_redis(source, **options)
