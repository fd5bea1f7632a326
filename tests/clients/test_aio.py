"""The asyncio forms of the Python API: a store of this process, one that somebody else has open, and a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import redtool
from redtool import aio, errors
from redtool.aio import Client
from redtool.backends.embedded import Embedded
from tests.clients import cancels
from tests.served import Served

LIMIT = 30.0  # seconds that something may take which ought to happen at once

Opener = Callable[[], Client]


@pytest.fixture(params=["memory", "store", "shared", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """What gives a client: of a store in memory, on disk, of another owner, of a server."""
    with ExitStack() as stack:
        if request.param == "memory":
            yield lambda: aio.open(":memory:")
        elif request.param == "server":
            served: Served = request.getfixturevalue("served")
            yield lambda: aio.connect(f"unix://{served.socket}")
        else:
            if request.param == "shared":
                stack.enter_context(redtool.open(tmp_path / "store"))
            yield lambda: aio.open(tmp_path / "store")


def run(work: Callable[[Client], Awaitable[Any]], opener: Opener) -> Any:
    async def whole() -> Any:
        async with asyncio.timeout(LIMIT), opener() as client:
            return await work(client)

    return asyncio.run(whole())


async def blocked(client: Client) -> None:
    """Wait until some client waits for data."""
    while b"blocked_clients:0" in await client.execute("INFO", "clients"):
        await asyncio.sleep(0.005)


async def unblocked(client: Client) -> None:
    while b"blocked_clients:0" not in await client.execute("INFO", "clients"):
        await asyncio.sleep(0.005)


def test_commands_and_their_errors(place: Opener) -> None:
    async def work(client: Client) -> None:
        assert await client.execute("SET", "k", 5) == b"OK"
        assert await client.execute(b"INCRBY", "k", 2) == 7
        with pytest.raises(errors.ReplyError, match="WRONGTYPE"):
            await client.execute("LPUSH", "k", "x")
        with pytest.raises(errors.UsageError):
            await client.execute()
        assert await client.execute("HSET", "h", "f", 1.5) == 1
        assert await client.execute("HGETALL", "h") == {b"f": b"1.5"}

    run(work, place)


def test_a_pipeline_keeps_order_and_errors(place: Opener) -> None:
    async def work(client: Client) -> None:
        batch = [("SET", "k", "v"), ("LPUSH", "k", "x"), ("RPUSH", "l", "a"), ("BLPOP", "l", 0), ("GET", "k")]
        replies = await client.pipeline(batch)
        assert replies[0] == b"OK"
        assert isinstance(replies[1], errors.ReplyError)
        assert replies[2:] == [1, [b"l", b"a"], b"v"]

    run(work, place)


def test_a_command_that_waits_holds_up_nobody(place: Opener) -> None:
    async def work(client: Client) -> None:
        poppers = [asyncio.create_task(client.execute("BLPOP", f"l{i}", 0)) for i in range(5)]
        await blocked(client)
        for i in reversed(range(5)):
            await client.execute("RPUSH", f"l{i}", i)
        assert await asyncio.gather(*poppers) == [[b"l%d" % i, b"%d" % i] for i in range(5)]
        assert await client.execute("BLPOP", "none", 0.01) is None
        assert await client.execute("XREAD", "BLOCK", 5, "STREAMS", "none", "$") is None

    run(work, place)


def test_a_wait_that_is_cancelled_takes_nothing(place: Opener) -> None:
    async def work(client: Client) -> None:
        for _ in range(3):
            popper = asyncio.create_task(client.execute("BRPOP", "l", 0))
            await blocked(client)
            popper.cancel()
            with pytest.raises(asyncio.CancelledError):
                await popper
            await unblocked(client)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await client.execute("BRPOP", "l", 0)
        await unblocked(client)
        assert await client.execute("RPUSH", "l", "kept") == 1
        assert await client.execute("BRPOP", "l", 0) == [b"l", b"kept"]

    run(work, place)


def test_other_clients_have_states_of_their_own(place: Opener) -> None:
    async def work(client: Client) -> None:
        other = await client.client()
        await other.execute("SELECT", 1)
        await other.execute("SET", "k", "other")
        await other.execute("MULTI")
        assert await other.execute("GET", "k") == b"QUEUED"
        assert await client.execute("GET", "k") is None
        assert await other.execute("EXEC") == [b"other"]
        popper = asyncio.create_task(other.execute("BLPOP", "l", 0))  # in the database that the client has selected
        await blocked(client)
        await client.execute("RPUSH", "l", "not here")
        await client.execute("SELECT", 1)
        await client.execute("RPUSH", "l", "here")
        assert await popper == [b"l", b"here"]
        await other.close()
        assert await client.execute("PING") == b"PONG"

    run(work, place)


def test_messages_come_as_they_are_published(place: Opener) -> None:
    async def work(client: Client) -> None:
        listener = await client.client()
        await listener.execute("SUBSCRIBE", "news")
        await listener.execute("PSUBSCRIBE", "sp*")
        heard = []

        async def listen() -> None:
            async for message in listener.messages():
                if message[0] in (b"message", b"pmessage"):
                    heard.append(message[-2:])
                if len(heard) == 3:
                    return

        task = asyncio.create_task(listen())
        for channel, text in (("news", "a"), ("none", "b"), ("sport", "c"), ("news", "d")):
            await client.execute("PUBLISH", channel, text)
        await task
        assert heard == [[b"news", b"a"], [b"sport", b"c"], [b"news", b"d"]]
        await listener.close()

    run(work, place)


def test_one_who_asks_without_end_lets_others_run() -> None:
    async def work(client: Client) -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counter = asyncio.create_task(count())
        while turns < 3:
            await client.execute("INCR", "n")
        counter.cancel()
        return turns

    assert run(work, lambda: aio.open(":memory:")) >= 3


def test_a_reply_that_came_with_the_cancellation_is_not_lost() -> None:
    async def work(client: Client) -> list[Any]:
        got: list[Any] = []

        async def worker() -> None:
            while True:
                got.append(await client.execute("BLPOP", "jobs", 0))

        task = asyncio.create_task(worker())
        await blocked(client)
        await client.execute("RPUSH", "jobs", "one")  # serves it at once; its task has not run yet
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return got

    assert run(work, lambda: aio.open(":memory:")) == [[b"jobs", b"one"]]


@pytest.mark.parametrize("kind", ["memory", "store", "server"])
def test_waits_that_are_cancelled_at_any_moment(kind: str, tmp_path: Path, served: Served) -> None:
    """More of it: python -m tests.clients.cancels."""
    sources = {"memory": ":memory:", "store": str(tmp_path / "store"), "server": f"unix://{served.socket}"}
    done = cancels.run(200, 1, sources[kind])
    assert done.timed_out
    assert done.cancelled


def test_a_thousand_waits() -> None:
    async def work(client: Client) -> int:
        poppers = [asyncio.create_task(client.execute("BLPOP", "l", 0)) for _ in range(1000)]
        await blocked(client)
        await client.execute("RPUSH", "l", *range(1000))
        popped = await asyncio.gather(*poppers)
        assert sorted(int(value) for _, value in popped) == list(range(1000))
        return len(popped)

    assert run(work, lambda: aio.open(":memory:")) == 1000


def test_a_wait_and_a_subscription_go_on_when_the_owner_ends(tmp_path: Path) -> None:
    owner = redtool.open(tmp_path / "store")

    async def work(client: Client) -> None:
        listener = await client.client()
        await listener.execute("SUBSCRIBE", "news")
        popper = asyncio.create_task(client.execute("BLPOP", "l", 0))
        await blocked(client)
        await asyncio.to_thread(owner.close)
        await client.execute("RPUSH", "l", "one")
        assert await popper == [b"l", b"one"]

        async def listen() -> Any:
            async for message in listener.messages():
                if message[0] == b"message":
                    return message[2]

        heard = asyncio.create_task(listen())
        while not await client.execute("PUBLISH", "news", "rain"):
            await asyncio.sleep(0.005)
        assert await heard == b"rain"
        await listener.close()

    try:
        run(work, lambda: aio.open(tmp_path / "store"))
    finally:
        owner.close()


def test_closing_the_store_ends_what_waits() -> None:
    async def work(client: Client) -> None:
        popper = asyncio.create_task(client.execute("BLPOP", "l", 0))
        await blocked(client)
        await client.close()
        with pytest.raises(errors.StoreError, match="closed"):
            await popper
        with pytest.raises(errors.StoreError, match="closed"):
            await client.execute("PING")

    run(work, lambda: aio.open(":memory:"))


def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(errors.UsageError, match="open it first"):
        asyncio.run(aio.open(":memory:").execute("PING"))


def test_await_opens_it_too() -> None:
    async def work() -> Any:
        client = await aio.open(":memory:")
        try:
            return await client.execute("ECHO", "x")
        finally:
            await client.close()

    assert asyncio.run(work()) == b"x"


def test_what_comes_before_a_command_has_begun_to_wait_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may push between the look at the list and the wait."""
    look = Embedded.run

    def look_then_push(store: Embedded, batch: Any, replies: list[Any], stop: bool = False) -> Any:
        block = look(store, batch, replies, stop)
        if block is not None:
            store.client().execute("RPUSH", "jobs", "one")
        return block

    monkeypatch.setattr(Embedded, "run", look_then_push)
    assert run(lambda client: client.execute("BLPOP", "jobs", 0), lambda: aio.open(":memory:")) == [b"jobs", b"one"]
