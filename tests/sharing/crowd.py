"""Many processes on one store, some of them killed: no acknowledged write is missing, none is done twice.

    python -m tests.sharing.crowd --shells 8 --count 1000            8 shells, each 1,000 x redtool INCR c: c is 8,000
    python -m tests.sharing.crowd --kills 100 --seed 1               owners and guests killed at random moments

With --kills, workers are scripts that count up keys of their own and note each reply; at random moments one of them is
killed, owner or not, and another begins. In the end each key must hold as many as were acknowledged, or one more: the
command that was under way when its worker, or the owner who ran it, was killed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.sharing.processes import REDTOOL, Process, environment, run, until


def shells(store: Path, number: int, count: int) -> int:
    """So many shells, each so many times ``redtool INCR c``; gives what c is in the end."""
    loop = f'for i in $(seq {count}); do {" ".join(REDTOOL)} INCR c > /dev/null || exit 1; done'
    running = [subprocess.Popen(["sh", "-c", loop], env=environment(store)) for _ in range(number)]
    assert [each.wait() for each in running] == [0] * number
    return int(run(store, "GET", "c"))


class Worker:
    """A script that counts up a key; ``acknowledged`` is the last reply."""

    def __init__(self, store: Path, number: int) -> None:
        self.key, self.acknowledged, self.sent = f"worker:{number}", 0, 0
        self.process = Process(store)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self) -> None:
        while True:
            try:
                self.sent += 1
                self.process.tell(f"INCR {self.key}")
                reply = self.process.line()
            except (OSError, ValueError):
                return
            if not reply.isdigit():
                return
            self.acknowledged = int(reply)


def kills(store: Path, number: int, crowd: int, rng: random.Random) -> dict[str, int]:
    """Kill workers at random moments; gives figures. Asserts that nothing acknowledged is missing or done twice."""
    alive = [Worker(store, each) for each in range(crowd)]
    ended: list[Worker] = []
    for done in range(number):
        for _ in range(rng.choice((1, 1, 1, 2))):
            worker = alive.pop(rng.randrange(len(alive)))
            until(lambda: worker.acknowledged or not worker.thread.is_alive(), "at work")  # noqa: B023
            time.sleep(rng.random() * 0.1)
            worker.process.kill()
            ended.append(worker)
            alive.append(Worker(store, crowd + len(ended)))
        for worker in [each for each in alive if not each.thread.is_alive()]:  # the owner that ran its command died
            alive.remove(worker)
            ended.append(worker)
            alive.append(Worker(store, crowd + len(ended)))
        if sys.stderr.isatty():
            print(f"\r{done + 1} kills", end="", file=sys.stderr)
    for worker in alive:
        worker.process.process.terminate()
        worker.process.process.wait()
    for worker in [*ended, *alive]:
        worker.thread.join()
        kept = int(run(store, "GET", worker.key).strip() or 0)
        assert worker.acknowledged <= kept <= worker.acknowledged + 1, (worker.key, worker.acknowledged, kept)
        worker.process.__exit__(None, None, None)
    everybody = [*ended, *alive]
    return {"workers": len(everybody), "acknowledged": sum(each.acknowledged for each in everybody)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shells", type=int, default=8)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--crowd", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rt-crowd-") as directory:
        store = Path(directory) / "store"
        began = time.monotonic()
        if args.count:
            found = shells(store, args.shells, args.count)
            print(f"{args.shells} shells x {args.count} INCR: {found} in {time.monotonic() - began:.1f} s")
            assert found == args.shells * args.count
        if args.kills:
            figures = kills(store, args.kills, args.crowd, random.Random(args.seed))
            print(f"{args.kills} kills, {figures}: none missing, none done twice, {time.monotonic() - began:.1f} s; "
                  f"left in the directory: {sorted(os.listdir(store))}")  # fmt: skip


if __name__ == "__main__":
    main()
