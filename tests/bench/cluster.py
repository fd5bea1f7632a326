"""Commands into a real cluster of three: redtool, redis-cli -c and redis-py's cluster client, in one run.

    python -m tests.bench.cluster [--count 20000]

Writes SET commands from a file (redtool, redis-cli) or in pipelines (redis-py), and single GETs from the shell.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

from tests.clusters import LocalCluster, cluster


def timed(what: str, work: Callable[[], object], count: int) -> float:
    start = perf_counter()
    work()
    took = perf_counter() - start
    print(f"{what:32} {took:7.2f} s  {count / took:10,.0f}/s")
    return took


def shell(words: list[str], data: bytes = b"", times: int = 1) -> Callable[[], None]:
    def go() -> None:
        for _ in range(times):
            subprocess.run(words, input=data, stdout=subprocess.DEVNULL, check=True)

    return go


def redis_py(local: LocalCluster, count: int) -> Callable[[], None]:
    from redis.cluster import RedisCluster

    def go() -> None:
        client = RedisCluster(host="127.0.0.1", port=local.masters[0].port)
        for at in range(0, count, 5000):
            pipe = client.pipeline()
            for number in range(at, min(at + 5000, count)):
                pipe.set(f"key:{number}", f"value:{number}")
            pipe.execute()
        client.close()

    return go


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    count = parser.parse_args().count
    data = b"".join(b"SET key:%d value:%d\n" % (at, at) for at in range(count))
    with cluster("valkey", 3) as local:
        port = str(local.masters[0].port)
        ours = [sys.executable, "-m", "redtool", "-c", "-p", port]
        print(f"{count} SETs")
        timed("redtool -c < file", shell(ours, data), count)
        local.flush()
        timed("redis-cli -c < file", shell(["redis-cli", "-c", "-p", port], data), count)
        local.flush()
        timed("redis-py, pipelines of 5000", redis_py(local, count), count)
        print("20 single GETs")
        single = f"from redis.cluster import RedisCluster as R; R(host='127.0.0.1', port={port}).get('key:7')"
        timed("redtool -c GET", shell([*ours, "GET", "key:7"], times=20), 20)
        timed("python -c, redis-py", shell([sys.executable, "-c", single], times=20), 20)
        timed("redis-cli -c GET", shell(["redis-cli", "-c", "-p", port, "GET", "key:7"], times=20), 20)


if __name__ == "__main__":
    main()
