"""Fills stores with one kind of data each and prints by how much the process grew, and by how much they say it did.

``python -m tests.engine.growth [NAME ...]``: a line a kind. Each is filled in a process of its own, as memory that was
freed before would be used again.
"""

from __future__ import annotations

import gc
import os
import random
import sys
from collections.abc import Callable, Iterator

from tests.embedded import Client, import_all

Argvs = Iterator[tuple[bytes, ...]]
LATER = 10**13  # unix ms, in the year 2286
PAGE = os.sysconf("SC_PAGE_SIZE")


def each(count: int, line: str) -> Argvs:
    """A command a number from 0: ``#`` in the line stands for the number, ``#10`` for a tenth of it."""
    for n in range(count):
        yield tuple(word.replace("#10", str(n // 10)).replace("#", str(n)).encode() for word in line.split())


def elements(count: int, head: str, element: str, size: int = 10) -> Argvs:
    """A collection of ``size`` elements a command; ``#`` is the number of the key, ``@`` that of the element."""
    for n in range(count):
        body = " ".join(element.replace("@", str(i)) for i in range(size))
        yield tuple(f"{head} {body}".replace("#", str(n)).encode().split())


def interleaved(count: int, *lines: str) -> Argvs:
    for n in range(count):
        for line in lines:
            yield tuple(word.replace("#10", str(n // 10)).replace("#", str(n)).encode() for word in line.split())


def first(line: str, argvs: Argvs) -> Argvs:
    yield tuple(line.encode().split())
    yield from argvs


def large_strings(count: int, size: int) -> Argvs:
    for n in range(count):
        yield b"SET", b"key:%d" % n, bytes(size)


def vectors(count: int) -> Argvs:
    rng = random.Random(1)
    for n in range(count):
        yield b"VADD", b"v", b"VALUES", b"50", *(b"%.4f" % rng.random() for _ in range(50)), b"element%d" % n


def followed(argvs: Argvs, line: str, every: int) -> Argvs:
    """``line`` after the first ``every`` commands, and no more."""
    for n, argv in enumerate(argvs):
        yield argv
        if n == every:
            yield tuple(line.encode().split())


CASES: dict[str, Callable[[], Argvs]] = {
    "nothing": lambda: each(20_000, "PING"),
    "small strings": lambda: each(60_000, "SET key:# value-#"),
    "large strings": lambda: large_strings(2_000, 5_000),
    "strings with deadlines": lambda: each(50_000, f"SET key:# value-# PXAT {LATER}"),
    "altered strings": lambda: interleaved(30_000, "APPEND key:# xxxxxxxxxx", "APPEND key:# yyyyyyyyyy"),
    "scanned keys": lambda: followed(each(60_000, "SET key:# value-#"), "SCAN 0", 2000),
    "small hashes": lambda: elements(40_000, "HSET h:#", "field@ value-#-@"),
    "a large hash": lambda: each(60_000, "HSET h field-# value-#"),
    "a large hash, scanned": lambda: followed(each(60_000, "HSET h field-# value-#"), "HSCAN h 0", 2000),
    "fields with deadlines": lambda: interleaved(
        30_000, "HSET h:#10 field-# value-#", f"HPEXPIREAT h:#10 {LATER} FIELDS 1 field-#"),
    "hashes that were large": lambda: interleaved(15_000, f"HSET h:# field-# {'x' * 100}", "HSET h:# field-# x"),
    "small lists": lambda: elements(8_000, "RPUSH l:#", "element-@"),
    "a large list": lambda: each(150_000, "RPUSH l element-#"),
    "small sets": lambda: elements(8_000, "SADD s:#", "member-@"),
    "a large set": lambda: each(60_000, "SADD s member-#"),
    "a large set, picked from": lambda: followed(each(60_000, "SADD s member-#"), "SRANDMEMBER s", 2000),
    "numbers in sets": lambda: elements(8_000, "SADD s:#", "10@"),
    "small sorted sets": lambda: elements(8_000, "ZADD z:#", "1.@ member-@"),
    "a large sorted set": lambda: each(60_000, "ZADD z #.5 member-#"),
    "a large sorted set, ranked": lambda: followed(each(60_000, "ZADD z #.5 member-#"), "ZRANK z member-1", 2000),
    "places": lambda: each(50_000, "GEOADD g 13.# 38.5 place-#"),
    "a stream": lambda: each(40_000, "XADD x 1000000#-1 field value-#"),
    "small streams": lambda: each(8_000, "XADD x:# * field value-#"),
    "a stream with a group": lambda: first(
        "XGROUP CREATE x g 0 MKSTREAM",
        interleaved(50_000, "XADD x 1000000#-1 field value-#", "XREADGROUP GROUP g reader STREAMS x >")),
    "counters": lambda: elements(16_000, "PFADD p:#", "element-#-@", 20),
    "dense counters": lambda: elements(600, "PFADD p:#", "element-#-@", 1800),
    "bits": lambda: each(3_000, "SETBIT b:# 16000 1"),
    "vectors": lambda: vectors(15_000),
}  # fmt: skip


def resident() -> int:
    gc.collect()
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * PAGE


def grow(name: str) -> tuple[int, int]:
    """Bytes by which the process grows, and those that the store tells of."""
    client = Client()
    run, session = client.store.run, client.session
    for argv, _ in zip(CASES[name](), range(100), strict=False):  # what the commands load, and keep for themselves
        client.wire(*argv)
    client.wire(b"FLUSHALL")
    client.store.used_memory()
    ballast = [bytes(size) for size in range(513, 4000)]  # what is left free of what loading took
    before = resident()
    for turn, argv in enumerate(CASES[name]()):
        if not turn % 256:
            client.store.used_memory()  # as it is asked for where there is a limit
        replies: list[object] = []
        run(session, (argv,), replies)
        assert not isinstance(replies[0], Exception), (argv, replies)
    session.last = argv = ()
    grown, told = resident() - before, client.store.used_memory(exact=True)
    del ballast
    return grown, told


def main(names: list[str]) -> None:
    import_all()
    for name in names or CASES:
        sys.stdout.flush()
        if not os.fork():
            grown, told = grow(name)
            print(f"{grown} {told} {told / max(grown, 1):.3f} {name}", flush=True)
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
