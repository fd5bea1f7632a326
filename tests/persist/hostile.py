"""Damaged inputs: every one gives an error with a place, or loads; ``python -m tests.persist.hostile --rounds 20000``.

Bytes are flipped, runs cut, doubled or replaced, lengths made huge. Checksums are zeroed ("not computed"), so that
the damage reaches the decoders.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from random import Random

from redtool import errors
from redtool.persist.aof import encode
from redtool.persist.manifest import parse
from redtool.persist.rdb import load
from redtool.persist.replay import Replay
from tests.persist.datasets import Collected, sample, saved
from tests.servers import running

HUGE = [b"\x81" + b"\xff" * 8, b"\x80\xff\xff\xff\xff", b"\x7f\xff", b"\xff" * 4, b"\xc3\x7f\xff\xbf\xff",
        b"*999999999\r\n", b"$999999999999999\r\n", b"\x00" * 4, b"\xfe" * 5]  # fmt: skip
MEMORY = 64 << 20  # bytes above the input's size that no input may take
Attempt = Callable[[bytes], object]


def mutated(data: bytes, rng: Random) -> bytes:
    """A copy with one to four places damaged."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(out) + 1)
        stop = min(len(out), at + rng.choice((1, 2, 8, 100)))
        way = rng.randrange(7)
        if way < 3 and at < len(out):
            out[at] = rng.choice((0, 0xFF, 0x80, 0x7F, out[at] ^ 1 << rng.randrange(8), rng.randrange(256)))
        elif way == 3:
            del out[at:stop]
        elif way == 4:
            out[at:at] = out[at:stop]
        elif way == 5:
            out[at : at + rng.choice((0, 1, 9))] = rng.choice(HUGE)
        elif rng.random() < 0.3:
            del out[at:]
        if not out:
            break
    return bytes(out)


def as_rdb(data: bytes) -> None:
    load(data[:-8] + bytes(8), Collected())


def as_aof(data: bytes) -> None:
    Replay(data, "the file", Collected(), lambda text: None).run()


def as_manifest(data: bytes) -> None:
    parse(data)


def aof_sample() -> bytes:
    words = [b"", b"a", b"\r\n", b"x" * 3000, b"*1\r\n"]
    group = [(b"SET", b"k%d" % n, words[n % 5]) for n in range(40)]
    return encode([*group, (b"MULTI",), *group[:7], (b"EXEC",)]) + b"#TS:1\r\n" + encode(group)


def server_sample(name: str) -> bytes:
    """The dump of a real server that has a value in every encoding."""
    from tests.persist.test_real_files import populate

    with running(name) as server, server.client() as client:
        populate(client, name)
        client.call("DEL", "table", "wide hash", "skiplist", "long list", "plain node", "random")  # keep it small
        client.call("SAVE")
        return (server.directory / "dump.rdb").read_bytes()


def attack(data: bytes, attempt: Attempt, rounds: int, seed: int) -> dict[str, float]:
    """Try ``rounds`` damaged copies. Anything but CorruptFile escapes, with the input noted in the error."""
    rng = Random(seed)
    refused = slowest = most = 0.0
    tracemalloc.start()
    try:
        for _ in range(rounds):
            bad = mutated(data, rng)
            tracemalloc.reset_peak()
            before, start = tracemalloc.get_traced_memory()[0], time.perf_counter()
            try:
                attempt(bad)
            except errors.CorruptFile:
                refused += 1
            except BaseException as error:
                error.add_note(f"input: {bad!r}")
                raise
            taken = tracemalloc.get_traced_memory()[1] - before
            assert taken < len(bad) + MEMORY, f"{taken} bytes for {bad!r}"
            slowest, most = max(slowest, time.perf_counter() - start), max(most, taken)
    finally:
        tracemalloc.stop()
    return {"refused": refused, "seconds": slowest, "bytes": most}


def targets() -> list[tuple[str, bytes, Attempt]]:
    manifest = b'file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile "a b" seq 2 type i\n'
    return [("rdb of valkey", server_sample("valkey"), as_rdb), ("rdb of redtool", saved(sample()), as_rdb),
            ("aof", aof_sample(), as_aof), ("manifest", manifest, as_manifest)]  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    for name, data, attempt in targets():
        print(f"{name:16} {len(data):8} bytes  {attack(data, attempt, given.rounds, given.seed)}", flush=True)


if __name__ == "__main__":
    main()
