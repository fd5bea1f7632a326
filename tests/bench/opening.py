"""Opening: one-shot GET on 1,000,000 keys beside an empty store, with the longest journal, and on a large dump.

    python -m tests.bench.opening [KEYS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from redtool.compaction import COMMANDS
from redtool.persist.snapshot import write_dump
from tests.bench.measure import command, medians, report, spawn

ROUNDS = 40
LARGE, PADDING = 500_000, b"x" * 2000  # keys of the dump, and what each value holds besides its number


def fed(store: str, lines: bytes) -> float:
    """Seconds that redtool takes for a script."""
    start = time.perf_counter()
    subprocess.run([*command(), "--store", store], input=lines, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def settled(store: str) -> float:
    """Wait until the journal has been brought into shape; gives how long that took."""
    start = time.perf_counter()
    while not list(Path(store, "appendonlydir").glob("*.idx")):
        time.sleep(0.05)
    return time.perf_counter() - start


# A child's most memory is no less than its parent's was when it began: this parent is a small one.
MEASURE = """
import os, sys, time
start = time.perf_counter()
out = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=out), 0)
print(status, time.perf_counter() - start, usage.ru_maxrss << 10)
"""


def measured(argv: list[str]) -> tuple[float, int]:
    """Wall seconds and the most memory in bytes of one run."""
    words = [sys.executable, "-c", MEASURE, *argv]
    status, took, most = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    if status != "0":
        raise SystemExit(f"{argv} failed")
    return float(took), int(most)


def many_keys(home: str, keys: int) -> None:
    full, empty = f"{home}/full", f"{home}/empty"
    spawn([*command(), "--store", empty, "SET", "key:1", "v"])
    took = fed(full, b"".join(b"SET key:%07d value:%d\n" % (n, n) for n in range(keys)))
    print(f"{keys} SETs from a script: {took:.2f} s; in shape {settled(full):.2f} s after that")
    get = [*command(), "--store", full, "GET", "key:0000077"]
    spawn(get)
    ours, other, bare = medians(
        ROUNDS,
        lambda: spawn(get),
        lambda: spawn([*command(), "--store", empty, "GET", "key:1"]),
        lambda: spawn([sys.executable, "-c", "pass"]),
    )
    report(f"one-shot GET on {keys} keys / on an empty store", ours, other, "<= 1.3x")
    report(f"one-shot GET on {keys} keys / bare python", ours, bare, "<= 2.0x")
    fed(full, b"".join(b"SET key:%07d other\n" % (n * 7 % keys) for n in range(COMMANDS - 1)))
    [long] = medians(5, lambda: spawn(get))
    print(f"one-shot GET with the longest journal ({COMMANDS - 1} commands): {long * 1e3:.0f} ms,"
          f" {(long - ours) * 1e3:.0f} ms of them replay (goal <= 300 ms)")  # fmt: skip


def large_dump(home: str) -> None:
    os.environ["XDG_CACHE_HOME"] = f"{home}/cache"
    path = f"{home}/large.rdb"
    entries = ((b"key:%07d" % n, b"%d" % n + PADDING, None) for n in range(LARGE))
    write_dump(path, [(0, LARGE, 0, entries)])
    size = os.path.getsize(path)
    first, most = measured([*command(), "--store", path, "GET", "key:0000077"])
    print(f"dump of {size >> 20} MB, first opening: {first:.2f} s, {most >> 20} MB of memory at most")
    later, most = measured([*command(), "--store", path, "GET", "key:0000078"])
    print(f"... every later one: {later * 1e3:.0f} ms, {most >> 20} MB")
    scan, most = measured([*command(), "--store", path, "scan", "--type", "string"])
    print(f"... scan of all keys: {scan:.2f} s, {most >> 20} MB (the mapped file counts)")


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        many_keys(home, int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
        large_dump(home)


if __name__ == "__main__":
    main()
