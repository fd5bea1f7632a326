"""200,000 mixed writes from a file with the journal on: redtool against redis-cli < file and redis-cli --pipe.

Each side prints or counts every reply; every round starts on an empty store.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile

from tests.bench.measure import best, command, medians, report, server

COUNT = 200_000
FORMS = ("SET key:{a} value-{b}", "INCR counter:{a}", "HSET user:{a} field{c} value-{b}", "RPUSH list:{a} item-{b}",
         "SADD set:{a} member-{b}", "ZADD board:{c} {b} player:{a}", "SET session:{a} token-{b} EX 3600",
         "LPUSH feed:{c} post-{b}")  # fmt: skip


def write_file(path: str) -> None:
    """The commands, the same every time."""
    rng = random.Random(7)
    with open(path, "w", encoding="ascii") as file:
        for _ in range(COUNT):
            form = rng.choice(FORMS)
            file.write(form.format(a=rng.randrange(20_000), b=rng.randrange(1_000_000), c=rng.randrange(20)) + "\n")


def feed(argv: list[str], path: str, out: int | None = subprocess.DEVNULL) -> None:
    """Run a program with the file as stdin."""
    with open(path, "rb") as file:
        subprocess.run(argv, stdin=file, stdout=out, check=True)


def ours(path: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        feed([*command(), "--store", home], path)


def main() -> None:
    if not shutil.which("redis-cli"):
        raise SystemExit("redis-cli is needed: apt-get install redis-tools")
    slow = "--no-slow" not in sys.argv
    with tempfile.TemporaryDirectory() as home:
        path = f"{home}/commands.txt"
        write_file(path)
        with server("--appendonly", "yes") as socket:
            mine, pipe = medians(7, lambda: ours(path), lambda: feed(["redis-cli", "-s", socket, "--pipe"], path))
            cli = best(lambda: feed(["redis-cli", "-s", socket], path), 1) if slow else 0.0
        if slow:
            report("200,000 writes / redis-cli < file", mine, cli, ">= 20x faster", unit="s", scale=1, faster=True)
        report("200,000 writes / redis-cli --pipe", mine, pipe, "<= 1.5x", unit="s", scale=1)


if __name__ == "__main__":
    main()
