"""What ``kill`` kills: writes on and on, notes each write in a ledger once it is acknowledged, saves meanwhile.

    python -m tests.persist.victim HOME LEDGER MODE JOB HOW

MODE is appendfsync; JOB is none, BGSAVE, BGREWRITEAOF, or close: write once and leave the store to its compaction.
HOW is child or slices.
"""

from __future__ import annotations

import os
import sys

from redtool import compaction
from redtool.backends.embedded import Embedded, open_store

FORMS = ("SET s%d v%d", "HSET hash f%d v%d", "ZADD zset %d m%d", "RPUSH l%d v%d", "SETEX e%d 1000 v%d")
EVERY = 16  # writes between two looks whether the job is done


def write_of(number: int) -> list[str]:
    """A write that can be recognised afterwards."""
    return (FORMS[number % len(FORMS)] % (number, number)).split()


def is_there(store: Embedded, number: int) -> bool:
    read = (("GET", f"s{number}"), ("HGET", "hash", f"f{number}"), ("ZSCORE", "zset", f"m{number}"),
            ("LINDEX", f"l{number}", 0), ("GET", f"e{number}"))[number % 5]  # fmt: skip
    return store.execute(*read) is not None


def main() -> None:
    home, ledger, mode, job, how = sys.argv[1:]
    notes = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    store = open_store(home, fork=how == "child")
    assert store.persistence is not None
    store.execute("CONFIG", "SET", "appendfsync", mode)
    number = int(job == "close") - 1
    while job != "close":
        number += 1
        store.execute(*write_of(number))
        os.write(notes, b"%d\n" % number)
        if job != "none" and number % EVERY == 0 and store.persistence.job is None:
            store.execute(job)
            os.write(notes, b"job\n")
    store.execute(*write_of(number))
    compaction.PAUSE = 0.0
    store.close()


if __name__ == "__main__":
    main()
