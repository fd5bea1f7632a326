"""redis-benchmark's default tests against redtool's server and redis-server, in turns: requests a second and the ratio.

    python -m tests.bench.served [--tests set,get] [--requests 100000] [--rounds 3] [--journal]

Without --journal neither side writes a file; with it both keep an AOF (appendfsync everysec). The best of the rounds
counts on each side. ``cpu`` is processor time a request of the server alone: it shows what a busy machine hides.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = ("ping_inline", "ping_mbulk", "set", "get", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop",
         "zadd", "zpopmin", "lrange_100", "lrange_300", "lrange_500", "lrange_600", "mset")  # fmt: skip
LINE = re.compile(r"^(?P<name>.+?): (?P<rate>[\d.]+) requests per second", re.M)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server at work on a port."""

    def __init__(self, name: str, words: list[str], port: int) -> None:
        self.name, self.port = name, port
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self, test: str, pipeline: int, requests: int) -> tuple[float, float]:
        """Requests a second, and processor time a request in microseconds. ``mset`` and ``lrange`` fill first."""
        before = self.cpu()
        words = f"redis-benchmark -p {self.port} -c 50 -n {requests} -P {pipeline} -q -t {test}".split()
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        found = LINE.findall(done.stdout.replace("\r", "\n"))
        total = requests * len(found)
        return float(found[-1][1]), (self.cpu() - before) / total * 1e6

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def servers(directory: str, journal: bool) -> list[Server]:
    ours, theirs = free_port(), free_port()
    store = ["--store", f"{directory}/ours"] if journal else ["--mem"]
    os.mkdir(f"{directory}/theirs")
    return [
        Server("redtool", [sys.executable, "-m", "redtool", *store, "serve", "--port", str(ours)], ours),
        Server("redis", ["redis-server", "--port", str(theirs), "--save", "", "--dir", f"{directory}/theirs",
                         "--appendonly", "yes" if journal else "no"], theirs),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", default=",".join(TESTS))
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--journal", action="store_true")
    args = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="rt-bench-")
    both = servers(directory, args.journal)
    try:
        for pipeline in (1, 32):
            print(f"-P {pipeline:<12}{'redtool/s':>12}{'redis/s':>12}{'ratio':>8}{'cpu us':>9}{'cpu us':>9}")
            for test in args.tests.split(","):
                requests = args.requests if pipeline == 1 else args.requests * 4
                if test.startswith("lrange"):
                    requests //= 5
                best = [max(server.run(test, pipeline, requests) for _ in range(1)) for server in both]
                for _ in range(args.rounds - 1):
                    for at, server in enumerate(both):
                        best[at] = max(best[at], server.run(test, pipeline, requests))
                ours, theirs = best
                print(f"{test:15}{ours[0]:12,.0f}{theirs[0]:12,.0f}{ours[0] / theirs[0]:8.2f}{ours[1]:9.2f}"
                      f"{theirs[1]:9.2f}", flush=True)  # fmt: skip
    finally:
        for server in both:
            server.stop()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
