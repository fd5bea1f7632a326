"""Every byte prefix of a journal opens, with what some whole number of commands or transactions gave.

    python -m tests.persist.prefixes [--count 500] [--seed 1]

A store takes mixed commands, some in transactions and scripts, over several databases; after each of them the length
of its journal and its digest are noted. Then a directory with each prefix of that journal is opened, as whoever comes
after a crash opens it, and its digest must be the one noted for the last command that is whole in the prefix.
(The gate looks at every prefix with the reader alone, and opens some.)
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import redtool
from redtool import errors
from redtool.persist.replay import Replay
from redtool.persistence import Persistence
from redtool.session import Session
from tests.persist.datasets import LATER, Collected

Line = tuple[Any, ...]
VALUES = [b"", b"v", b"\r\n", b"*3\r\n$3\r\nSET\r\n", b"$1", b"#TS:1\r\n", b"MULTI", b"12", bytes(range(0, 256, 5)),
          "ü"]  # fmt: skip
SCRIPT = "redis.call('SET', KEYS[1], ARGV[1]) redis.call('RPUSH', KEYS[2], ARGV[1]) return redis.call('INCR', KEYS[3])"
INCREMENT = "appendonly.aof.1.incr.aof"


class Journal:
    """A journal with, for each command or transaction, where it ends and the digest after it."""

    def __init__(self, data: bytes, ends: list[int], digests: list[bytes], base: dict[str, bytes]) -> None:
        self.data, self.ends, self.digests, self.base = data, ends, digests, base

    def whole(self, size: int) -> int:
        """How many commands and transactions are whole in so many bytes, less one."""
        from bisect import bisect_right

        return bisect_right(self.ends, size) - 1

    def put(self, home: Path, size: int) -> None:
        """Make the directory what a crash left."""
        folder = home / "appendonlydir"
        folder.mkdir(exist_ok=True)
        for name, data in self.base.items():
            (folder / name).write_bytes(data)
        (folder / INCREMENT).write_bytes(self.data[:size])


def made(count: int, seed: int) -> Journal:
    """Run commands, transactions and scripts until the journal has so many commands, and keep it."""
    rng, commands = Random(seed), 0
    with tempfile.TemporaryDirectory() as home, redtool.open(home) as store:
        folder = Path(home, "appendonlydir")
        ends, digests = [0], [store.execute("DEBUG", "DIGEST")]
        while commands < count:
            for line in unit(rng):
                try:
                    store.execute(*line)
                except errors.ReplyError:
                    continue
            added = (folder / INCREMENT).read_bytes()[ends[-1] :]
            if added:
                commands += sum(argv[0] != b"SELECT" for argv in read(added).commands)
                ends.append(ends[-1] + len(added))
                digests.append(store.execute("DEBUG", "DIGEST"))
        base = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != INCREMENT}
        return Journal((folder / INCREMENT).read_bytes(), ends, digests, base)


def unit(rng: Random) -> list[Line]:
    """A command, now and then a transaction or a script."""
    if rng.random() < 0.15:
        return [("MULTI",), *(line(rng) for _ in range(rng.randrange(1, 5))), ("EXEC",)]
    return [line(rng)]


def line(rng: Random) -> Line:
    """One command that writes, on a few keys."""
    value, other, n = rng.choice(VALUES), rng.choice(VALUES), rng.randrange(6)
    return rng.choice(LINES)(f"{n % 3}", value, other, n, rng)


def _entry(key: str, value: Any, other: Any, n: int, rng: Random) -> Line:
    return "XADD", "x" + key, f"{rng.randrange(1, 9)}-*", "f", value


LINES: list[Any] = [
    lambda k, v, w, n, rng: ("SET", "s" + k, v),
    lambda k, v, w, n, rng: ("SET", "s" + k, n, "PXAT", LATER + n),
    lambda k, v, w, n, rng: ("APPEND", "s" + k, v),
    lambda k, v, w, n, rng: ("INCRBY", "n" + k, n),
    lambda k, v, w, n, rng: ("INCRBYFLOAT", "n" + k, n / 4),
    lambda k, v, w, n, rng: ("SETRANGE", "s" + k, n, "x"),
    lambda k, v, w, n, rng: ("MSET", "s0", v, "s1", w),
    lambda k, v, w, n, rng: ("GETDEL", "s" + k),
    lambda k, v, w, n, rng: ("SETBIT", "b" + k, n * 3, n % 2),
    lambda k, v, w, n, rng: ("PFADD", "p" + k, v, w),
    lambda k, v, w, n, rng: ("RPUSH", "l" + k, v, w),
    lambda k, v, w, n, rng: ("LPOP", "l" + k, n),
    lambda k, v, w, n, rng: ("LMOVE", "l" + k, "l0", "LEFT", "RIGHT"),
    lambda k, v, w, n, rng: ("LTRIM", "l" + k, -9, -1),
    lambda k, v, w, n, rng: ("SADD", "t" + k, v, w, n),
    lambda k, v, w, n, rng: ("SPOP", "t" + k, n),
    lambda k, v, w, n, rng: ("SINTERSTORE", "t2", "t0", "t1"),
    lambda k, v, w, n, rng: ("ZADD", "z" + k, n / 3, v, -n, w),
    lambda k, v, w, n, rng: ("ZINCRBY", "z" + k, n, w),
    lambda k, v, w, n, rng: ("ZPOPMIN", "z" + k, n),
    lambda k, v, w, n, rng: ("GEOADD", "g" + k, n, n, v),
    lambda k, v, w, n, rng: ("HSET", "h" + k, v, w, "f", n),
    lambda k, v, w, n, rng: ("HPEXPIREAT", "h" + k, LATER + n, "FIELDS", 1, "f"),
    lambda k, v, w, n, rng: ("HINCRBYFLOAT", "h" + k, "f", n),
    lambda k, v, w, n, rng: ("HSETEX", "h" + k, "PXAT", LATER, "FIELDS", 2, "f", v, "e", w),
    lambda k, v, w, n, rng: ("HDEL", "h" + k, v, "f"),
    _entry,
    _entry,
    lambda k, v, w, n, rng: ("XGROUP", "CREATE", "x" + k, "g", "0", "MKSTREAM"),
    lambda k, v, w, n, rng: ("XREADGROUP", "GROUP", "g", f"c{n}", "COUNT", n + 1, "STREAMS", "x" + k, ">"),
    lambda k, v, w, n, rng: ("XAUTOCLAIM", "x" + k, "g", "c0", 0, "0"),
    lambda k, v, w, n, rng: ("XTRIM", "x" + k, "MAXLEN", 7),
    lambda k, v, w, n, rng: ("EVAL", SCRIPT, 3, "s" + k, "l" + k, "e" + k, v),
    lambda k, v, w, n, rng: ("RENAME", "s" + k, "s0"),
    lambda k, v, w, n, rng: ("COPY", "z" + k, "z0", "REPLACE"),
    lambda k, v, w, n, rng: ("DEL", "l" + k, "s0"),
    lambda k, v, w, n, rng: ("EXPIRE", rng.choice("slthzx") + k, 90_000_000),
    lambda k, v, w, n, rng: ("PERSIST", rng.choice("slthzx") + k),
    lambda k, v, w, n, rng: ("SELECT", n % 3),
    lambda k, v, w, n, rng: ("SELECT", 0),
    lambda k, v, w, n, rng: ("MOVE", "s" + k, n % 2),
    lambda k, v, w, n, rng: ("SWAPDB", 0, 1) if n == 1 else ("FLUSHDB",) if n == 2 else ("DEL", "t" + k),
]  # fmt: skip


def opened(home: Path, warn: Any) -> bytes:
    """Open a directory as its next owner; gives the digest."""
    files = Persistence.open(str(home), warn=warn)
    try:
        digest: bytes = files.store.execute(Session(files.store), (b"DEBUG", b"DIGEST"))
        return digest
    finally:
        files.close()


def check_opening(journal: Journal, home: Path, size: int) -> None:
    """See that the prefix opens, with what is whole in it; it is cut there, with a warning, if that is not all."""
    journal.put(home, size)
    warnings: list[str] = []
    at = journal.whole(size)
    assert opened(home, warnings.append) == journal.digests[at], f"state of a journal of {size} bytes"
    left = (home / "appendonlydir" / INCREMENT).stat().st_size
    assert journal.ends[at] <= left <= size, f"bytes left of a journal of {size}"
    assert len(warnings) == (left < size)


def check_reading(journal: Journal) -> None:
    """See that from every prefix the reader hands on what is whole in it and no more.

    It starts a few commands before the end: what is whole before them is read once, at each command's end.
    """
    for size in range(len(journal.data) + 1):
        at = journal.whole(size)
        start, end = journal.ends[max(0, at - 3)], journal.ends[at]
        whole, rest = read(journal.data[start:end]), read(journal.data[start:size])
        assert whole.end == end - start <= rest.end <= size - start, size
        # What else is whole may be a SELECT, which stands before the command that it is for
        known = len(whole.commands)
        assert rest.commands[:known] == whole.commands, size
        assert all(argv[0] == b"SELECT" for argv in rest.commands[known:]), size
    sink = read(journal.data)
    assert sink.end == len(journal.data)


def read(data: bytes) -> Read:
    sink = Read()
    found = Replay(data, "the file", sink, lambda text: None)
    found.run()
    sink.end = found.whole
    return sink


class Read(Collected):
    """What the reader hands on, and where what is whole ends."""

    end = 0


def torn(journal: Journal, rng: Random) -> Iterator[int]:
    """A place inside of each command or transaction, and the end."""
    for start, end in zip(journal.ends, journal.ends[1:], strict=False):
        yield rng.randrange(start, end)
    yield len(journal.data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    journal = made(given.count, given.seed)
    sizes = range(len(journal.data) + 1)
    with tempfile.TemporaryDirectory() as home:
        for size in sizes:
            check_opening(journal, Path(home), size)
    groups = journal.data.count(b"\r\n$5\r\nMULTI\r\n")
    print(f"{len(sizes)} prefixes of a journal of {given.count} commands, {groups} transactions and scripts: each "
          "opens, with what is whole in it")  # fmt: skip


if __name__ == "__main__":
    main()
