"""SET and GET through the Python API (a store on disk, journal on) against redis-py on a unix socket.

The same through ``redtool.redis`` and ``redtool.aio``, beside redis-py and its asyncio form.
"""

from __future__ import annotations

import asyncio
import tempfile
from typing import Any

import redis
import redis.asyncio

import redtool
from redtool import aio
from tests.bench.measure import medians, report, server

COUNT = 10_000


def through(client: Any) -> None:
    for i in range(COUNT // 4):
        client.set(f"key:{i}", "value")
        client.get(f"key:{i}")


async def awaited(client: Any) -> None:
    for i in range(COUNT // 4):
        await client.set(f"key:{i}", "value")
        await client.get(f"key:{i}")


async def executed(path: str) -> None:
    async with aio.open(path) as store:
        for i in range(COUNT // 4):
            await store.execute("SET", f"key:{i}", "value")
            await store.execute("GET", f"key:{i}")


async def asked(socket: str) -> None:
    async with redis.asyncio.Redis(unix_socket_path=socket) as client:
        await awaited(client)


def main() -> None:
    with tempfile.TemporaryDirectory() as home, server("--appendonly", "yes") as socket:
        client = redis.Redis(unix_socket_path=socket)
        with redtool.open(f"{home}/store") as store:

            def mine() -> None:
                for i in range(COUNT):
                    store.execute("SET", f"key:{i}", "value")
                    store.execute("GET", f"key:{i}")

            def theirs() -> None:
                through(client)

            ours, other = medians(5, mine, theirs)
        show("SET/GET through Python / redis-py", ours / COUNT, other / COUNT * 4, ">= 40x faster")
        with redtool.redis(f"{home}/store") as embedded:
            ours, other = medians(5, lambda: through(embedded), lambda: through(client))
        show("redtool.redis / redis-py", ours / COUNT * 4, other / COUNT * 4, "")
        ours, other = medians(5, lambda: asyncio.run(executed(f"{home}/store")), lambda: asyncio.run(asked(socket)))
        show("redtool.aio / redis.asyncio", ours / COUNT * 4, other / COUNT * 4, "")
        client.close()


def show(what: str, ours: float, other: float, goal: str) -> None:
    report(what, ours / 2, other / 2, goal, unit="us", scale=1e6, faster=True)


if __name__ == "__main__":
    main()
