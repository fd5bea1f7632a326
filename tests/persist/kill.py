"""kill -9 in the middle of acknowledged writes: ``python -m tests.persist.kill --count 500 --seed 1``.

A process writes, notes each write that it is told is done, and saves meanwhile: BGSAVE, BGREWRITEAOF, by a child or in
slices, or it came upon a store that a child is compacting. It is killed at a random moment, or its children are, or
all. The store must open, with every write that was noted. ``--script`` kills a script instead, that is told of
each write by its reply on stdout.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Timer

import redtool
from redtool.backends.embedded import open_store
from tests.persist.victim import FORMS, is_there

WRITES = 200  # of a script
KEYS, COMMANDS = 10_000, 31_000  # in a store before, and in its journal where that is to be compacted
JOBS = ("none", "BGSAVE child", "BGSAVE slices", "BGREWRITEAOF child", "BGREWRITEAOF slices", "compaction")
MODES = ("always", "everysec", "no")
WHO = ("owner", "children", "all")
LONGEST = 0.15  # seconds that a victim lives after its job has begun, at most


# -- a script


def lines(mode: str) -> list[bytes]:
    """CONFIG SET and 200 writes of several kinds, each recognisable afterwards."""
    writes = [(FORMS[i % len(FORMS)] % (i, i)).encode() + b"\n" for i in range(WRITES)]
    return [b"CONFIG SET appendfsync %b\n" % mode.encode(), *writes]


def acknowledged(home: str, mode: str, rng: random.Random) -> int:
    """Run the script, kill it at a random moment, and give how many writes it acknowledged."""
    argv = [sys.executable, "-m", "redtool", "--store", home]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        count, timer = -1, None
        try:
            for line in lines(mode):
                process.stdin.write(line)
                process.stdin.flush()
                if not process.stdout.readline().endswith(b"\n"):
                    break
                count += 1
                if timer is None:  # it is up: let it live for some of the writes
                    timer = Timer(rng.uniform(0, 0.15), process.kill)
                    timer.start()
        except BrokenPipeError:
            pass
        finally:
            if timer is not None:
                timer.cancel()
            process.kill()
            with suppress(BrokenPipeError):
                process.stdin.close()
    return max(count, 0)


def rounds(count: int, mode: str, seed: int) -> tuple[int, list[int]]:
    """Kill a script ``count`` times; gives how many writes were acknowledged in all and how many each round."""
    rng = random.Random(seed)
    acks = []
    for number in range(count):
        with tempfile.TemporaryDirectory() as home:
            done = acknowledged(home, mode, rng)
            gone = missing(home, range(done))
            assert not gone, f"round {number}: {done} writes acknowledged, missing: {gone}"
            acks.append(done)
    return sum(acks), acks


def missing(home: str, writes: range) -> list[int]:
    """Open the store again and give the acknowledged writes that are not there."""
    with redtool.open(home) as store:
        return [number for number in writes if not is_there(store, number)]


# -- a program that saves


class Stores:
    """Stores to begin with, made once: with a short journal, and with one that is to be compacted."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.made: set[str] = set()

    def copy(self, kind: str, home: str) -> None:
        path = os.path.join(self.folder, kind)
        if kind not in self.made:
            self.made.add(kind)
            with open_store(path, share=False) as store:
                store.execute("CONFIG", "SET", "auto-aof-rewrite-percentage", 0)  # it stays as it is
                for at in range(COMMANDS if kind == "long" else KEYS):
                    store.store.execute(store.session, (b"SET", b"before%d" % (at % KEYS), b"%d" % at))
            with open_store(path, share=False) as store:
                store.execute("CONFIG", "SET", "auto-aof-rewrite-percentage", 100)
                os.sync()
                store.store.persistence.journal.commands = 0  # type: ignore[union-attr]
        shutil.copytree(path, home)


def processes(home: str) -> list[int]:
    """The victims of this store, and their children."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if home.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def noted_in(ledger: Path) -> bytes:
    return ledger.read_bytes() if ledger.exists() else b""


def kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def strike(stores: Stores, job: str, mode: str, rng: random.Random) -> int:
    """One round; gives how many writes were acknowledged."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home, ledger = f"{folder}/store", Path(folder, "ledger")
        stores.copy("long" if job == "compaction" else "short", home)
        command, how = job.split() if " " in job else ("none", "child")
        argv = [sys.executable, "-m", "tests.persist.victim", home, str(ledger), mode]
        if job == "compaction":
            subprocess.run([*argv, "close", "child"], check=True)
        victim = subprocess.Popen([*argv, command, how])
        sign = b"job\n" if command != "none" else b"0\n"
        try:
            while job != "compaction" and sign not in noted_in(ledger):
                assert victim.poll() is None, "the victim died by itself"
                time.sleep(0.002)
            time.sleep(rng.uniform(0, LONGEST * (3 if job == "compaction" else 1)))
            who = rng.choice(WHO)
            if who == "children":
                kill([pid for pid in processes(home) if pid != victim.pid])
                time.sleep(rng.uniform(0, LONGEST / 4))
            assert victim.poll() is None, "the victim died by itself"
            kill(processes(home) if who == "all" else [victim.pid])
            victim.wait()
            noted = [int(line) for line in noted_in(ledger).split() if line.isdigit()]
            writes = range(max(noted, default=-1 + (job == "compaction")) + 1)
            verify(home, writes)
            if rng.random() < 0.2:  # what children left behind do then must not lose anything either
                while processes(home):
                    time.sleep(0.005)
                verify(home, writes)
            return len(writes)
        finally:
            kill(processes(home))
            victim.wait()


def verify(home: str, writes: range) -> None:
    gone = missing(home, writes)
    assert not gone, f"{len(writes)} writes acknowledged, missing: {gone}"
    with redtool.open(home) as store:
        there = store.pipeline([(b"EXISTS", b"before%d" % number) for number in range(KEYS)])
        assert sum(reply == 1 for reply in there) == KEYS, "keys from before are gone"


def strikes(count: int, seed: int, modes: tuple[str, ...] = MODES, jobs: tuple[str, ...] = JOBS) -> Counter[str]:
    """``count`` kills in each mode; gives how many kills there were, and how many writes were acknowledged, by job."""
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(folder)
        for mode in modes:
            for number in range(count):
                rng, job = random.Random(f"{seed}/{mode}/{number}"), jobs[number % len(jobs)]
                tally[f"{mode}, {job}: writes"] += strike(stores, job, mode, rng)
                tally[f"{mode}, {job}: kills"] += 1
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="kills in each mode of appendfsync")
    parser.add_argument("--mode", choices=MODES, action="append")
    parser.add_argument("--job", choices=JOBS, action="append")
    parser.add_argument("--script", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    modes = tuple(given.mode or MODES)
    if given.script:
        for mode in modes:
            total, acks = rounds(given.count, mode, given.seed)
            inside = sum(0 < a < WRITES for a in acks)
            print(f"{given.count} kills of a script with appendfsync {mode}: {total} acknowledged writes, none "
                  f"missing; {inside} kills fell between the first and the last write")  # fmt: skip
        return
    tally = strikes(given.count, given.seed, modes, tuple(given.job or JOBS))
    for mode in modes:
        kills = sum(n for name, n in tally.items() if name.startswith(mode + ",") and name.endswith("kills"))
        writes = sum(n for name, n in tally.items() if name.startswith(mode + ",") and name.endswith("writes"))
        print(f"appendfsync {mode}: {kills} kills, {writes} acknowledged writes, none missing")
    for job in JOBS:
        kills = sum(tally[f"{mode}, {job}: kills"] for mode in modes)
        print(f"  {kills} of them during: {job}")


if __name__ == "__main__":
    main()
