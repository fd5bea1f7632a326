"""What programs do with redis-py, as stories: each gives what every step gave, so that two servers can be compared."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import redis
import redis.asyncio

LIMIT = 30.0  # seconds that something may take which ought to happen at once


def attempt(work: Callable[[], Any]) -> Any:
    """What it gives, or the error that redis-py makes of it."""
    try:
        return work()
    except redis.RedisError as error:
        return type(error).__name__, str(error).partition(".")[0]


def flagged(client: Any, ident: int, flag: str) -> bool:
    """Whether the client of this number has a flag in CLIENT LIST: it waits, or it listens."""
    return any(int(one["id"]) == ident and flag in one["flags"] for one in client.client_list())


def commands(client: Any) -> list[Any]:
    """Types, errors, scripts, transactions."""
    told: list[Any] = [client.set("a", 1), client.get("a"), client.get("none"), client.incrbyfloat("a", 0.5)]
    told += [client.mset({"b": b"\x00\xff\r\n", "c": ""}), client.mget("b", "c", "none"), client.set("a", 2, nx=True)]
    told += [client.hset("h", mapping={"f": "v", "g": 2}), client.hgetall("h"), client.hmget("h", "f", "none")]
    told += [client.zadd("z", {"m": 1.5, "n": 2}), client.zrange("z", 0, -1, withscores=True), client.zscore("z", "m")]
    told += [client.sadd("s", "x", "y"), client.smembers("s") == {b"x", b"y"}, client.smismember("s", ["x", "q"])]
    told += [client.geoadd("t", (13.4, 52.5, "Berlin")), client.geopos("t", "Berlin", "none")]
    told += [client.xadd("l", {"f": "1"}, "1-1"), client.xrange("l")]
    told += [client.xgroup_create("l", "g", "0"), client.xreadgroup("g", "w", {"l": ">"})]
    told += [client.xpending("l", "g"), client.xinfo_groups("l")[0]["pending"], client.object("encoding", "h")]
    told += [attempt(lambda: client.lpush("a", 1)), attempt(lambda: client.execute_command("NOSUCH"))]
    script = client.register_script("return {KEYS[1], ARGV[1], redis.call('INCR', 'n')}")
    told += [script(keys=["k"], args=["v"]), attempt(lambda: client.eval("return redis.error_reply('NO no')", 0))]
    told.append(attempt(lambda: client.evalsha("0" * 40, 0)))
    pipe = client.pipeline()
    told += [pipe.set("p", 1).incr("p").hgetall("h").execute(), pipe.get("p").execute()]
    told.append(client.pipeline(transaction=False).lpush("a", 1).get("a").execute(raise_on_error=False)[1])
    told.append(attempt(lambda: client.pipeline().set("p", 1).lpush("p", 1).execute()))
    with client.pipeline() as pipe:
        pipe.watch("w")
        client.set("w", 1)
        pipe.multi()
        pipe.set("w", 2)
        told.append(attempt(pipe.execute))
    told.append(client.transaction(lambda pipe: pipe.multi() or pipe.incr("w"), "w"))
    told += [client.config_get("maxmemory"), client.command_count() > 200]
    told += [client.client_setname("me"), client.client_getname()]
    told += [len(list(client.scan_iter("*", count=2))), client.dbsize(), client.time()[0] > 0]
    client.set("large", "x" * 3_000_000)
    told.append(len(client.get("large")))
    return told


def locks(client: Any) -> list[Any]:
    """redis-py's own lock: scripts, tokens, deadlines."""
    lock, other = client.lock("lock", timeout=60), client.lock("lock", timeout=60)
    told = [lock.acquire(), other.acquire(blocking=False), lock.owned(), other.owned(), lock.locked()]
    told += [lock.extend(10), lock.reacquire(), 50_000 < client.pttl("lock") <= 60_000]
    told += [attempt(other.release), lock.release(), other.acquire(blocking=True, blocking_timeout=1), other.release()]
    return told


def blocking(client: Any) -> list[Any]:
    """Commands that wait, woken by another thread and by time."""
    popped: list[Any] = []
    ident: list[int] = []

    def wait() -> None:
        with client.client() as own:
            ident.append(own.client_id())
            popped.append(own.blpop(["q", "r"], 0))
            popped.append(own.blpop("q", 0.01))

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: ident and flagged(client, ident[0], "b"))
    told: list[Any] = [client.rpush("r", "late")]
    thread.join(LIMIT)
    told += [*popped, client.bzpopmin("none", 0.01)]
    told += [client.xread({"none": "$"}, block=5), client.blmove("none", "x", 0.01)]
    return [list(one) if isinstance(one, tuple) else one for one in told]


def listening(client: Any) -> list[Any]:
    """Pub/sub: a thread that listens, patterns, what is published within a transaction."""
    heard: list[Any] = []
    subscriber = client.pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe(**{"news": lambda message: heard.append((message["channel"], message["data"]))})
    subscriber.psubscribe(**{"sp*": lambda message: heard.append((message["pattern"], message["data"]))})
    thread = subscriber.run_in_thread(sleep_time=0.1)
    until(lambda: client.pubsub_numpat() == 1)
    told: list[Any] = [client.publish("news", "rain"), client.publish("sport", "goal"), client.publish("none", "x")]
    told.append(client.pipeline().publish("news", "twice").publish("news", "again").execute())
    until(lambda: len(heard) == 4)
    thread.stop()
    thread.join(LIMIT)
    told += [heard, client.pubsub_channels("n*")]
    until(lambda: client.pubsub_numsub("news") == [(b"news", 0)])
    with client.pubsub() as other:
        other.subscribe("a", "b")
        told += [other.get_message(timeout=LIMIT), other.get_message(timeout=LIMIT), other.get_message(timeout=0.01)]
        other.unsubscribe("a")
        told.append(other.get_message(timeout=LIMIT))
    return told


def many(client: Any) -> list[Any]:
    """Threads that share a client, each with connections of the pool."""

    def work() -> None:
        for _ in range(100):
            client.incr("count")
            client.pipeline().rpush("list", 1).rpush("list", 2).execute()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    pairs = client.lrange("list", 0, -1)
    return [client.get("count"), len(pairs), pairs == [b"1", b"2"] * 400]


STORIES = [commands, locks, blocking, listening, many]


def until(holds: Callable[[], Any]) -> None:
    """Wait until something holds."""
    pause = threading.Event()
    for _ in range(int(LIMIT / 0.01)):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("waited in vain")


async def tasks(client: Any) -> list[Any]:
    """redis.asyncio: a pipeline, tasks at once, a wait that is cancelled, messages, a lock."""
    told: list[Any] = [await client.set("a", 1), await client.get("a"), await client.get("none")]
    async with client.pipeline(transaction=True) as pipe:
        told.append(await pipe.incr("a").hset("h", "f", "v").hgetall("h").execute())
    await asyncio.gather(*(client.incr("count") for _ in range(50)))
    told.append(await client.get("count"))
    async with client.client() as own:
        ident = await own.client_id()
        waiting = asyncio.create_task(own.blpop("q", 0))
        await _flagged(client, ident)
        waiting.cancel()
        told += map(type, await asyncio.gather(waiting, return_exceptions=True))
        await _gone(client, ident)
        told += [await client.rpush("q", "kept"), await client.llen("q"), await own.blpop("q", 0)]
        ident = await own.client_id()
        waiting = asyncio.create_task(own.blpop("q", 0))
        await _flagged(client, ident)
        await client.rpush("q", "woken")
        told += [await waiting, await own.blpop("q", 0.01)]
    async with client.pubsub() as subscriber:
        await subscriber.subscribe("news")
        told.append(await subscriber.get_message(timeout=LIMIT))
        told.append(await client.publish("news", "rain"))
        told.append(await subscriber.get_message(timeout=LIMIT))
        told.append(await subscriber.get_message(timeout=0.01))
    async with client.lock("lock", timeout=60) as lock:
        told += [await lock.owned(), await client.lock("lock", timeout=1).acquire(blocking=False)]
    told.append([key async for key in client.scan_iter("a*")])
    return [list(one) if isinstance(one, tuple) else one for one in told]


async def _flagged(client: Any, ident: int) -> None:
    async with asyncio.timeout(LIMIT):
        while not any(int(one["id"]) == ident and "b" in one["flags"] for one in await client.client_list()):
            await asyncio.sleep(0.005)


async def _gone(client: Any, ident: int) -> None:
    async with asyncio.timeout(LIMIT):
        while any(int(one["id"]) == ident for one in await client.client_list()):
            await asyncio.sleep(0.005)
