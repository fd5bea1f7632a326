"""A script that reads a key: on a store through the Python API against redis-py on a unix socket."""

from __future__ import annotations

import redis

import redtool
from tests.bench.measure import medians, report, server

COUNT = 5_000
SCRIPT = "return redis.call('GET', KEYS[1])"


def main() -> None:
    with redtool.open(":memory:") as store, server() as socket:
        client = redis.Redis(unix_socket_path=socket)
        store.execute("SET", "k", "v")
        client.set("k", "v")

        def mine() -> None:
            for _ in range(COUNT):
                store.execute("EVAL", SCRIPT, 1, "k")

        def theirs() -> None:
            for _ in range(COUNT):
                client.eval(SCRIPT, 1, "k")

        ours, other = (seconds / COUNT for seconds in medians(5, mine, theirs))
        report("EVAL of a GET / redis-py", ours, other, "no goal", unit="us", scale=1e6, faster=True)
        client.close()


if __name__ == "__main__":
    main()
