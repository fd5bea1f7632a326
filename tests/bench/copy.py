"""Keys a second of ``redtool copy`` and ``diff``, beside what else takes keys from one server to another.

    python -m tests.bench.copy [KEYS]

The others: MIGRATE COPY of a thousand keys at a time, which the servers do between themselves, and a script of
redis-py that pipelines SCAN, DUMP, PTTL and RESTORE as RIOT and its like do. Each run starts with an empty target;
redtool's time is that of the whole program.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from tests.bench.measure import command, spawn
from tests.servers import RealServer, running

KEYS = 200_000
ROUNDS = 3
PAGE = 1000


def fill(server: RealServer, count: int) -> None:
    """Strings of 30 bytes, every tenth key a hash of five fields, every fifth with a TTL."""
    server.call("EVAL", """
        for n = 1, tonumber(ARGV[1]) do
            local key = 'key:' .. n
            if n % 10 == 0 then redis.call('HSET', key, 'a', n, 'b', 'value', 'c', 'x', 'd', 'y', 'e', 'z')
            else redis.call('SET', key, 'a value of thirty bytes: ' .. n) end
            if n % 5 == 0 then redis.call('PEXPIRE', key, 100000000) end
        end""", 0, count)  # fmt: skip


def redtool(source: str, target: str) -> None:
    spawn([*command(), "copy", source, target])


def by_redis_py(source: str, target: str) -> None:
    spawn([sys.executable, "-c", SCRIPT, source, target])


SCRIPT = """
import sys, redis
a, b = (redis.Redis(unix_socket_path=path) for path in sys.argv[1:])
cursor = None
while cursor != 0:
    cursor, keys = a.scan(cursor or 0, count=1000)
    pipe = a.pipeline(transaction=False)
    for key in keys:
        pipe.dump(key).pttl(key)
    found = pipe.execute()
    pipe = b.pipeline(transaction=False)
    for at, key in enumerate(keys):
        if found[2 * at] is not None:
            pipe.restore(key, max(found[2 * at + 1], 0), found[2 * at])
    pipe.execute()
"""


def by_migrate(source: RealServer, target: RealServer) -> None:
    cursor: Any = b"0"
    while True:
        cursor, keys = source.call("SCAN", cursor, "COUNT", PAGE)
        if keys:
            source.call("MIGRATE", "127.0.0.1", target.port, "", 0, 60000, "COPY", "KEYS", *keys)
        if cursor == b"0":
            return


def rate(count: int, reset: Callable[[], object], work: Callable[[], object]) -> float:
    """Keys a second, the median of a few rounds."""
    times = []
    for _ in range(ROUNDS):
        reset()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return count / sorted(times)[ROUNDS // 2]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else KEYS
    with running("valkey") as one, running("valkey") as other, tempfile.TemporaryDirectory() as home:
        fill(one, count)
        urls = [f"unix://{server.socket}" for server in (one, other)]
        dump, store, made = f"{home}/dump.rdb", f"{home}/store", f"{home}/made"
        spawn([*command(), "-u", urls[0], "backup", "--rdb", dump])
        redtool(dump, store)

        def remove() -> None:
            subprocess.run(["rm", "-rf", made], check=True)

        def nothing() -> None:
            return

        works: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "MIGRATE COPY, server to server": (other.flush, lambda: by_migrate(one, other)),
            "redis-py, server to server": (other.flush, lambda: by_redis_py(one.socket, other.socket)),
            "redtool copy, server to server": (other.flush, lambda: redtool(*urls)),
            "redtool copy, the same again": (nothing, lambda: redtool(*urls)),
            "redtool copy, store to server": (other.flush, lambda: redtool(store, urls[1])),
            "redtool copy, dump to server": (other.flush, lambda: redtool(dump, urls[1])),
            "redtool copy, server to store": (remove, lambda: redtool(urls[0], made)),
            "redtool diff, two servers": (nothing, lambda: spawn([*command(), "diff", *urls])),
            "redtool diff, store and server": (nothing, lambda: spawn([*command(), "diff", store, urls[1]])),
        }
        for name, (reset, work) in works.items():
            print(f"{name:32} {rate(count, reset, work):>9,.0f} keys a second", flush=True)


if __name__ == "__main__":
    main()
