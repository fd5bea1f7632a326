"""OBJECT ENCODING after random histories, on the embedded engine and on a real server: it must agree at every step.

    python -m tests.encodings --steps 20000 --seed 1 --server valkey

The limits are small and drawn anew for each round, so that values cross them often, in both directions. Lists are not
drawn: between half of what a listpack holds and the whole, theirs depends on the nodes that a server has.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from random import Random

from redtool import errors
from redtool.config import Config
from redtool.session import Session
from redtool.store import Store
from tests import servers

Argv = tuple[bytes, ...]
ROUND = 400
RANDOM = {b"SPOP"}  # what it leaves differs: the key goes after the comparison


class History:
    """Draws commands over a few keys, one type each."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.united = True
        self.kinds: list[Callable[[], Argv]] = [self.hash, self.set, self.popped, self.zset, self.string, self.any]

    def limits(self) -> dict[str, int]:
        draw = self.rng.choice
        limits = {
            "hash-max-listpack-entries": draw((4, 8, 512)),
            "hash-max-listpack-value": draw((10, 20, 64)),
            "set-max-intset-entries": draw((4, 8, 12, 512)),
            "set-max-listpack-entries": draw((4, 8, 128)),
            "set-max-listpack-value": draw((10, 20, 64)),
            "zset-max-listpack-entries": draw((4, 8, 128)),
            "zset-max-listpack-value": draw((10, 20, 64)),
        }
        # Where an intset may hold less than a listpack, what a union is depends on the order within a hash table.
        self.united = limits["set-max-intset-entries"] >= limits["set-max-listpack-entries"]
        return limits

    def command(self) -> Argv:
        return self.rng.choice(self.kinds)()

    def word(self, numbers: float = 0.4) -> bytes:
        rng = self.rng
        chance = rng.random()
        if chance < numbers:
            return b"%d" % rng.choice((rng.randint(-3, 12), rng.randint(0, 9), rng.randint(10**8, 10**11)))
        if chance < numbers + 0.05:
            return rng.choice(b"x y z".split()) * rng.choice((9, 10, 11, 20, 21, 64, 65))
        if chance < numbers + 0.07:
            return rng.choice((b"007", b"+1", b"-0", b"", b"1.5", b"9223372036854775808"))
        return rng.choice(b"abcdefghij".decode()).encode()

    def words(self, numbers: float = 0.4, most: int = 14) -> list[bytes]:
        return [self.word(numbers) for _ in range(self.rng.choice((1, 1, 1, 2, 3, most)))]

    def key(self, kind: bytes) -> bytes:
        return kind + self.rng.choice((b"1", b"2", b"3"))

    def hash(self) -> Argv:
        key, rng = self.key(b"h"), self.rng
        pairs = [word for field in self.words(0.2) for word in (field, self.word(0.2))]
        return rng.choice((
            (b"HSET", key, *pairs), (b"HSET", key, *pairs[:2]), (b"HSETNX", key, *pairs[:2]),
            (b"HDEL", key, *self.words(0.2)), (b"HDEL", key, *self.words(0.2, 30)),
            (b"HINCRBY", key, self.word(0), b"1"), (b"HINCRBYFLOAT", key, self.word(0), b"0.5"),
        ))  # fmt: skip

    def set(self) -> Argv:
        key, other, rng = self.key(b"s"), self.key(b"s"), self.rng
        numbers = rng.choice((0.1, 0.9, 1.0, 1.0))
        some = self.words(numbers)
        store = rng.choice((b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE", b"SDIFFSTORE"))
        if not self.united:
            store = b"SINTERSTORE"
        return rng.choice((
            (b"SADD", key, *some), (b"SADD", key, *some), (b"SADD", key, *some[:1] * rng.choice((1, 5, 9, 13, 130))),
            (b"SREM", key, *self.words(numbers)), (b"SREM", key, *self.words(0.2, 30)),
            (b"SREM", key, *self.words(0.2, 30)), (b"SMOVE", key, other, some[0]),
            (store, key, other, self.key(b"s")), (store, key, other, self.key(b"s"), self.key(b"s")),
        ))  # fmt: skip

    def popped(self) -> Argv:
        """Members that are all alike: which of them SPOP takes must make no difference."""
        rng = self.rng
        number = rng.choice((b"1", b"2", b"3"))
        some = [b"%d" % rng.randint(10, 40) for _ in range(rng.choice((1, 3, 14)))]
        if number == b"1":
            some = [b"m" + word for word in some]
        return rng.choice(((b"SADD", b"p" + number, *some), (b"SPOP", b"p" + number, b"%d" % rng.randint(1, 12))))

    def zset(self) -> Argv:
        key, rng = self.key(b"z"), self.rng
        pairs = [word for member in self.words() for word in (b"%d" % rng.randint(-9, 9), member)]
        # Valkey looks at the length of members that XX does not let in, Redis does not.
        short = [word for pair in zip(pairs[::2], pairs[1::2], strict=True) if len(pair[1]) <= 10 for word in pair]
        return rng.choice((
            (b"ZADD", key, *pairs), (b"ZADD", key, *pairs[:2]), (b"ZADD", key, b"XX", *short),
            (b"ZADD", key, rng.choice((b"NX", b"GT", b"CH")), *pairs), (b"ZINCRBY", key, b"1", self.word()),
            (b"ZREM", key, *self.words()), (b"ZREM", key, *self.words(0.3, 30)), (b"ZPOPMIN", key, b"2"),
            (b"ZREMRANGEBYRANK", key, b"2", b"5"), (b"ZREMRANGEBYSCORE", key, b"-2", b"2"),
            (rng.choice((b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE")), key, b"2", self.key(b"z"), self.key(b"z")),
            (b"ZRANGESTORE", key, self.key(b"z"), b"0", b"%d" % rng.randint(0, 12)),
        ))  # fmt: skip

    def string(self) -> Argv:
        key, rng = self.key(b"t"), self.rng
        text = rng.choice((self.word(), b"%d" % rng.randint(-9, 99)))
        return rng.choice((
            (b"SET", key, text), (b"GETSET", key, text), (b"APPEND", key, text), (b"SETRANGE", key, b"0", text),
            (b"INCR", key), (b"INCRBYFLOAT", key, b"0.25"), (b"SETBIT", key, b"3", b"1"), (b"MSET", key, text),
            (b"BITFIELD", key, b"INCRBY", b"u4", b"0", b"1"), (b"BITOP", b"OR", key, self.key(b"t"), self.key(b"t")),
            (b"PFADD", b"t:hll", text), (b"GETEX", key), (b"SETNX", key, text), (b"GETDEL", key),
        ))  # fmt: skip

    def any(self) -> Argv:
        kind = self.rng.choice((b"h", b"s", b"z", b"t"))
        key = self.key(kind)
        return self.rng.choice((
            (b"COPY", key, self.key(kind), b"REPLACE"), (b"RENAME", key, self.key(kind)), (b"DEL", key),
            (b"DEL", b"t:hll"), (b"SORT", key, b"ALPHA", b"STORE", b"l:sorted"), (b"MOVE", key, b"1"),
        ))  # fmt: skip


def encodings(ask: Callable[..., object]) -> Iterator[tuple[bytes, object]]:
    for key in (kind + number for kind in (b"h", b"s", b"p", b"z", b"t") for number in (b"1", b"2", b"3")):
        yield key, ask(b"OBJECT", b"ENCODING", key)


def alike(server: object, ours: object) -> bool:
    """Valkey decides between embstr and raw by the length of the key, too: Redis's 44 bytes are another matter."""
    return server == ours or {server, ours} == {b"embstr", b"raw"}


def run(server: servers.RealServer, steps: int, seed: int) -> list[str]:
    """Gives a text for the first difference of each round that has one."""
    faults: list[str] = []
    for number in range(-(-steps // ROUND)):
        rng = Random(f"{seed}/{number}")
        history = History(rng)
        limits = history.limits()
        server.flush()
        for name, limit in limits.items():
            server.call("CONFIG", "SET", name, limit)
        store = Store(Config(limits))
        session = Session(store)

        def ours(*argv: bytes, store: Store = store, session: Session = session) -> object:
            try:
                return store.execute(session, argv)
            except errors.ReplyError as error:
                return error

        done: list[Argv] = []
        for _ in range(ROUND):
            argv = history.command()
            done.append(argv)
            reply = ours(*argv)
            server.call(*argv)
            if argv[0] == b"INCRBYFLOAT" and isinstance(reply, bytes) and b"." not in reply:
                # An integer that a server keeps as text till it is stored again; here it is an integer at once.
                ours(b"DEL", argv[1])
                server.call(b"DEL", argv[1])
            pairs = zip(encodings(server.call), encodings(ours), strict=True)
            wrong = [(key, theirs, mine) for (key, theirs), (_, mine) in pairs if not alike(theirs, mine)]
            if wrong:
                key, theirs, mine = wrong[0]
                kind = [argv for argv in done if key[:1] in (word[:1] for word in argv[1:3])]
                past = b"\n    ".join(map(b" ".join, kind))[-1500:].decode()
                faults.append(f"round {seed}/{number}: {key!r} {theirs!r}, ours {mine!r}, {limits} after\n    {past}")
                break
            if argv[0] in RANDOM:
                ours(b"DEL", argv[1])
                server.call(b"DEL", argv[1])
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", default="valkey")
    options = parser.parse_args()
    with servers.running(options.server) as server:
        faults = run(server, options.steps, options.seed)
    for fault in faults[:10]:
        print(fault)
    print(f"{options.steps} steps, {len(faults)} rounds with a difference")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
