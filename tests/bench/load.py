"""Loading and saving 1,000,000 small string keys, and replaying 200,000 commands, against a real server."""

from __future__ import annotations

import gc
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redtool.config import Config
from redtool.persist.aof import Journal
from redtool.persist.rdb import load_file
from redtool.persist.snapshot import write_dump
from tests.bench.measure import report
from tests.persist.datasets import Collected, databases, serving
from tests.servers import real_servers

KEYS, COMMANDS = 1_000_000, 200_000
ROUNDS = 3


def least(work: Callable[[], object]) -> float:
    """Shortest of a few rounds, in seconds, garbage of the last round taken away before each."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def loading(dump: Path) -> float:
    def work() -> None:
        load_file(str(dump), Collected())

    return least(work)


def server_figures(name: str, dump: Path) -> dict[str, float]:
    """Seconds a server says it took to load this dump, and those it takes to SAVE it again."""
    loads, saves = [], []
    for _ in range(ROUNDS):
        home = Path(tempfile.mkdtemp(prefix="rt-"))
        try:
            shutil.copy(dump, home / "dump.rdb")
            with serving(name, home) as server:
                start = time.perf_counter()
                server.call("SAVE")
                saves.append(time.perf_counter() - start)
                found = re.findall(r"DB loaded from disk: ([0-9.]+) seconds", (home / "log").read_text())
                loads.append(float(found[-1]))
        finally:
            shutil.rmtree(home)
    return {"load": min(loads), "save": min(saves)}


def main() -> None:
    rows: dict[bytes, Any] = {b"key:%07d" % n: (b"value-%d" % n, None) for n in range(KEYS)}
    with tempfile.TemporaryDirectory() as home:
        dump = Path(home) / "dump.rdb"
        entries = list(databases({0: rows}))
        save = least(lambda: write_dump(str(dump), entries))
        load = loading(dump)
        for name in real_servers():
            theirs = server_figures(name, dump)
            report(f"load of {KEYS} keys / {name}", load, theirs["load"], "<= 2.5x", unit="s", scale=1)
            report(f"save of {KEYS} keys / {name}", save, theirs["save"], "no goal", unit="s", scale=1)
        journal(home)


def journal(home: str) -> None:
    """What the journal alone costs: appending and replaying."""
    directory = Path(home) / "store"
    directory.mkdir()
    argvs = [(b"SET", b"key:%d" % n, b"value-%d" % n) for n in range(COMMANDS)]
    opened = Journal.open(str(directory), Config(), Collected())
    start = time.perf_counter()
    append = opened.append
    for argv in argvs:
        append(argv, 0)
    noted = time.perf_counter()
    opened.flush()
    written = time.perf_counter()
    opened.close()
    each = 1e9 / COMMANDS
    print(f"append {(noted - start) * each:.0f} ns, flush {(written - noted) * each:.0f} ns a command")
    start = time.perf_counter()
    Journal.open(str(directory), Config(), Collected()).close()
    print(f"replay without running the commands {(time.perf_counter() - start) * each:.0f} ns a command")


if __name__ == "__main__":
    main()
