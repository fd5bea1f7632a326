"""kill -9 in the middle of acknowledged writes: ``python -m tests.persist.kill --rounds 50``.

A script process gets one write after the other through a pipe and acknowledges each on stdout. It is killed
at a random moment; every acknowledged write must be there when the store is opened again.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from contextlib import suppress
from threading import Timer

import redtool

WRITES = 200


def lines(mode: str) -> list[bytes]:
    """CONFIG SET and 200 writes of several kinds, each recognisable afterwards."""
    forms = (b"SET s%d v%d\n", b"HSET hash f%d v%d\n", b"ZADD zset %d m%d\n", b"RPUSH l%d v%d\n",
             b"SETEX e%d 1000 v%d\n")  # fmt: skip
    writes = [forms[i % len(forms)] % (i, i) for i in range(WRITES)]
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


def missing(home: str, count: int) -> list[int]:
    """Open the store again and give the acknowledged writes that are not there."""
    gone = []
    with redtool.open(home) as store:
        for i in range(count):
            read = (("GET", f"s{i}"), ("HGET", "hash", f"f{i}"), ("ZSCORE", "zset", f"m{i}"), ("LINDEX", f"l{i}", 0),
                    ("GET", f"e{i}"))[i % 5]  # fmt: skip
            if store.execute(*read) is None:
                gone.append(i)
    return gone


def rounds(count: int, mode: str, seed: int) -> tuple[int, list[int]]:
    """Kill ``count`` times; gives how many writes were acknowledged in all and how many each round."""
    rng = random.Random(seed)
    acks = []
    for number in range(count):
        with tempfile.TemporaryDirectory() as home:
            done = acknowledged(home, mode, rng)
            gone = missing(home, done)
            assert not gone, f"round {number}: {done} writes acknowledged, missing: {gone}"
            acks.append(done)
    return sum(acks), acks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--mode", default="always", choices=["always", "everysec", "no"])
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    total, acks = rounds(given.rounds, given.mode, given.seed)
    inside = sum(0 < a < WRITES for a in acks)
    print(f"{given.rounds} kills with appendfsync {given.mode}: {total} acknowledged writes, none missing; "
          f"{inside} kills fell between the first and the last write")  # fmt: skip


if __name__ == "__main__":
    main()
