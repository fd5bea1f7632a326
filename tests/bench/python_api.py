"""SET and GET through the Python API (a store on disk, journal on) against redis-py on a unix socket."""

from __future__ import annotations

import tempfile

import redis

import redtool
from tests.bench.measure import medians, report, server

COUNT = 10_000


def main() -> None:
    with tempfile.TemporaryDirectory() as home, redtool.open(home) as store, server("--appendonly", "yes") as socket:
        client = redis.Redis(unix_socket_path=socket)

        def mine() -> None:
            for i in range(COUNT):
                store.execute("SET", f"key:{i}", "value")
                store.execute("GET", f"key:{i}")

        def theirs() -> None:
            for i in range(COUNT):
                client.set(f"key:{i}", "value")
                client.get(f"key:{i}")

        ours, other = (seconds / COUNT / 2 for seconds in medians(5, mine, theirs))
        report("SET/GET through Python / redis-py", ours, other, ">= 40x faster", unit="us", scale=1e6, faster=True)
        client.close()


if __name__ == "__main__":
    main()
