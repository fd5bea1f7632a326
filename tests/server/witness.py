"""A well-behaved client in a process of its own, which times its commands while others do what they like.

``python -m tests.server.witness SOCKET [PASSWORD]`` asks on until a line comes on stdin, then prints what it saw of the
time since the line before, and ends with stdin. Every reply is checked.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from contextlib import suppress
from time import perf_counter_ns, sleep
from typing import Any

from tests.servers import Client

PAUSE = 0.0005  # seconds between commands: it is a guest, not a load


class Witness:
    """The process, seen from the one that misbehaves."""

    def __init__(self, path: str, password: str = "") -> None:
        words = [sys.executable, "-m", "tests.server.witness", path, *filter(None, [password])]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def report(self) -> dict[str, Any]:
        """What happened since the last report: count, wrong (what was wrong first), p50, p99, p999 and max in ms."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        found: dict[str, Any] = json.loads(line) if line else {"count": 0, "wrong": "the witness has died"}
        return found

    def close(self) -> None:
        self.process.communicate()


def percentiles(times: list[int]) -> dict[str, float]:
    """p50, p99, p999 and the greatest of times in ns, as ms."""
    times = sorted(times) or [0]
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {name: times[min(int(len(times) * share), len(times) - 1)] / 1e6 for name, share in shares.items()}


def attend(path: str, password: str) -> None:
    client = Client(path)
    if password:
        client.call("AUTH", password)
    number, wrong, times = 0, "", list[int]()
    while True:
        number += 1
        value = f"{number}"
        for argv, expected in ((("SET", "witness", value), b"OK"), (("GET", "witness"), value.encode())):
            start = perf_counter_ns()
            try:
                reply = client.call(*argv)
            except (OSError, ValueError) as error:
                reply, client = error, Client(path)
            times.append(perf_counter_ns() - start)
            if reply != expected and not wrong:
                wrong = f"{argv} gave {reply!r}"
        sleep(PAUSE)
        if select.select([0], [], [], 0)[0]:
            if not sys.stdin.readline():
                return
            print(json.dumps({"count": len(times), "wrong": wrong, **percentiles(times)}), flush=True)
            times, wrong = [], ""


if __name__ == "__main__":
    attend(sys.argv[1], (sys.argv[2:] or [""])[0])
