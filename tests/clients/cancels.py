"""Waits that are cancelled at any moment: every job of a queue is got once, none is lost, none comes twice.

``python -m tests.clients.cancels --count N --seed S``: tasks wait for jobs with time-outs of microseconds, are
cancelled and begin anew, while other tasks and threads of the process push jobs. ``--url``: the same on a server.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import threading
import time
from typing import Any

import redtool
from redtool import aio
from redtool.aio import Client

WORKERS, THREADS, TASKS = 8, 2, 2
KEYS = ("cancels:a", "cancels:b")


class Run:
    """One store, those who push and those who wait."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.random = count, random.Random(seed)
        self.got: list[int] = []
        self.cancelled = self.timed_out = 0

    async def one(self, client: Client) -> None:
        """Wait for a job, in one of the ways there are."""
        way = self.random.randrange(5)
        argv: tuple[Any, ...] = (
            ("BLPOP", *KEYS, 0), ("BRPOP", *KEYS, 0.0005), ("BLMPOP", 0, 2, *KEYS, "LEFT"),
            ("BLMOVE", KEYS[0], "cancels:taken", "LEFT", "RIGHT", 0), ("BRPOPLPUSH", KEYS[1], "cancels:taken", 0.001),
        )[way]  # fmt: skip
        reply = await client.execute(*argv)
        if reply is not None:
            while isinstance(reply, list):
                reply = reply[-1]
            self.got.append(int(reply))

    async def worker(self, client: Client) -> None:
        while len(self.got) < self.count:
            try:
                async with asyncio.timeout(self.random.random() ** 4 * 0.01):
                    await self.one(client)
            except TimeoutError:
                self.timed_out += 1

    async def nuisance(self, client: Client) -> None:
        """Cancel workers and put others in their place."""
        workers = [asyncio.create_task(self.worker(client)) for _ in range(WORKERS)]
        while len(self.got) < self.count:
            await asyncio.sleep(self.random.random() * 0.001)
            at = self.random.randrange(WORKERS)
            workers[at].cancel()
            await asyncio.wait([workers[at]])
            self.cancelled += workers[at].cancelled()
            workers[at] = asyncio.create_task(self.worker(client))
        await asyncio.gather(*workers)

    async def push(self, client: Client, jobs: list[int]) -> None:
        for job in jobs:
            await client.execute(self.random.choice(("LPUSH", "RPUSH")), self.random.choice(KEYS), job)
            if self.random.random() < 0.5:
                await asyncio.sleep(self.random.random() * 0.0005)

    def push_from_a_thread(self, store: Any, jobs: list[int], seed: int) -> None:
        chance = random.Random(seed)
        for job in jobs:
            store.execute("RPUSH", chance.choice(KEYS), job)
            time.sleep(chance.random() * 0.0005)

    async def main(self, source: str) -> None:
        url = "://" in source
        async with aio.connect(source) if url else aio.open(source) as client:
            pusher: Any = redtool.connect(source) if url else client.way.backend
            shares = [list(range(self.count))[at :: THREADS + TASKS] for at in range(THREADS + TASKS)]
            threads = [threading.Thread(target=self.push_from_a_thread, args=(pusher, share, at), daemon=True)
                       for at, share in enumerate(shares[:THREADS])]  # fmt: skip
            for thread in threads:
                thread.start()
            async with asyncio.timeout(600):
                await asyncio.gather(self.nuisance(client), *(self.push(client, share) for share in shares[THREADS:]))
            assert sorted(self.got) == list(range(self.count)), "a job was lost or came twice"
            assert b"blocked_clients:0" in await client.execute("INFO", "clients"), "somebody is still in line"
            if url:
                pusher.close()


def run(count: int, seed: int, source: str = ":memory:") -> Run:
    """Raise AssertionError when a job was not got exactly once."""
    one = Run(count, seed)
    asyncio.run(one.main(source))
    return one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", default=":memory:")
    parser.add_argument("--url")
    options = parser.parse_args()
    done = run(options.count, options.seed, options.url or options.store)
    print(f"{options.count} jobs, each got once; {done.timed_out} waits timed out, {done.cancelled} tasks cancelled")


if __name__ == "__main__":
    main()
