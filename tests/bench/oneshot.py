"""One-shot GET on an almost empty store against a bare interpreter, and against redis-cli."""

from __future__ import annotations

import shutil
import sys
import tempfile

from tests.bench.measure import command, medians, report, server, spawn

ROUNDS = 60


def main() -> None:
    with tempfile.TemporaryDirectory() as home, server() as socket:
        spawn([*command(), "--store", home, "SET", "k", "v"])
        for _ in range(3):  # warm the bytecode and the page cache
            spawn([*command(), "--store", home, "GET", "k"])
            spawn([sys.executable, "-c", "pass"])
        ours, bare, write = medians(
            ROUNDS,
            lambda: spawn([*command(), "--store", home, "GET", "k"]),
            lambda: spawn([sys.executable, "-c", "pass"]),
            lambda: spawn([*command(), "--store", home, "SET", "k", "v"]),
        )
        report("one-shot GET / bare python", ours, bare, "<= 2.0x")
        report("one-shot SET / bare python", write, bare, "no goal; it syncs")
        if shutil.which("redis-cli"):
            [cli] = medians(ROUNDS, lambda: spawn(["redis-cli", "-s", socket, "GET", "k"]))
            report("one-shot GET / redis-cli to a running server", ours, cli, "no goal")


if __name__ == "__main__":
    main()
