"""A day's work in a few minutes: every kind of load at once on a server, which must make no error and not grow.

    python -m tests.server.soak --minutes 20 --rate 10000 --server redtool --server redis7

Random commands on all types (``tests.server.load``) under maxmemory, with expiry, BGSAVE, BGREWRITEAOF, blocked
clients, subscribers, a monitor now and then, connections that are killed or dropped, new ones instead. A line every
tenth of the time; at the end how memory went, and the latency that a client beside all that saw. Ends with 1 when
something was wrong: an error reply, a message or an element that was lost, or memory that grew by more than a twentieth
after the first quarter.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

from redtool import errors
from tests.server.load import batch
from tests.server.standin import started
from tests.server.witness import Witness
from tests.servers import RealServer, Word

OPTIONS = ["--appendonly", "yes", "--maxmemory", "16mb", "--maxmemory-policy", "allkeys-lru"]
BATCH = 40
CLIENTS = 20
BUSY = ("in progress", "Another child process")
ALLOWED = 1.05  # how much more memory than after the first quarter


class Soak:
    """The clients of one server, and what they count."""

    def __init__(self, server: RealServer, seed: int) -> None:
        self.server, self.rng = server, Random(seed)
        self.clients = [server.client(3 if number % 3 == 0 else 2) for number in range(CLIENTS)]
        self.waiting = [server.client() for _ in range(6)]
        self.listening = [server.client() for _ in range(4)]
        self.admin = server.client()
        self.commands = self.killed = self.published = self.served = 0
        self.trouble: dict[str, int] = {}
        for number, client in enumerate(self.listening):
            client.call(*(("PSUBSCRIBE", "new*") if number % 2 else ("SUBSCRIBE", "news")))

    def wrong(self, what: object) -> None:
        self.trouble[str(what)[:200]] = self.trouble.get(str(what)[:200], 0) + 1

    def fill(self, rounds: int) -> None:
        """Load it until memory is full and keys are dropped."""
        while rounds and (rounds % 100 or self.info("stats", "evicted_keys") < 1000):
            self.mixed()
            rounds -= 1
        self.commands = 0

    def mixed(self) -> None:
        """A pipeline of random commands from one client; none may be refused."""
        at = self.rng.randrange(len(self.clients))
        argvs = batch(self.rng, self.rng.choice((1, 5, BATCH, BATCH)))
        self.clients[at].send_all(argvs)
        for argv, reply in zip(argvs, self.clients[at].receive_all(len(argvs)), strict=True):
            if isinstance(reply, errors.ReplyError):
                self.wrong(f"{' '.join(map(str, argv))[:100]}: {reply}")
        self.commands += len(argvs)

    def news(self) -> None:
        """A message that every subscriber gets."""
        self.published += 1
        body = f"{self.published}".encode()
        got = self.admin.call("PUBLISH", "news", body)
        messages = [client.receive_all(1)[0] for client in self.listening]
        if got != len(self.listening) or any(message[-1] != body for message in messages):
            self.wrong(f"message {body!r}: {got} {messages}")

    def wait(self) -> None:
        """Clients wait for a list, a sorted set and a stream; each gets the one element that comes."""
        keys = [f"wait:{number}" for number in range(3)]
        self.admin.call("DEL", *keys)
        asks: list[tuple[Word, ...]] = [("BLPOP", keys[0], 0), ("BZPOPMIN", keys[1], 0),
                                        ("XREAD", "BLOCK", 0, "STREAMS", keys[2], "$")]  # fmt: skip
        for client, ask in zip(self.waiting, asks * 2, strict=True):
            client.send(*ask)
        while self.info("clients", "blocked_clients") < len(self.waiting):
            continue
        for argv in (("RPUSH", keys[0], "a", "b"), ("ZADD", keys[1], 1, "a", 2, "b"), ("XADD", keys[2], "*", "f", "a")):
            self.admin.call(*argv)
        for client in self.waiting:
            reply = client.receive_all(1)[0]
            if not reply or isinstance(reply, errors.ReplyError):
                self.wrong(f"waiting client got {reply!r}")
            self.served += 1

    def kill(self) -> None:
        """Clients are killed by another, or go in the middle of a pipeline or of a wait; new ones come."""
        at = self.rng.randrange(len(self.clients))
        client = self.clients[at]
        if self.rng.random() < 0.5:
            number = client.call("CLIENT", "ID")
            if self.admin.call("CLIENT", "KILL", "ID", number) != 1:
                self.wrong(f"client {number} could not be killed")
        else:
            client.send_all(batch(self.rng, BATCH))
            if self.rng.random() < 0.5:
                client.send("BLPOP", "never", 0)
        client.close()
        self.clients[at] = self.server.client(self.rng.choice((2, 3)))
        self.killed += 1

    def watch(self) -> None:
        """Somebody looks on with MONITOR, somebody caches what it reads."""
        with self.server.client() as onlooker, self.server.client(3) as cache:
            onlooker.call("MONITOR")
            cache.call("CLIENT", "TRACKING", "ON")
            cache.send_all(batch(self.rng, 10))
            for _ in range(5):
                self.mixed()

    def save(self) -> None:
        self._start("BGSAVE")

    def compact(self) -> None:
        self._start("BGREWRITEAOF")

    def _start(self, what: str) -> None:
        """Begin it, unless one of them is under way."""
        reply = self.admin.call(what)
        if isinstance(reply, errors.ReplyError) and not any(words in str(reply) for words in BUSY):
            self.wrong(f"{what}: {reply}")

    def info(self, section: str, name: str) -> int:
        lines = self.admin.call("INFO", section).decode().splitlines()
        return int(dict(line.split(":", 1) for line in lines if ":" in line)[name])

    def saved(self) -> None:
        """The latest snapshot and rewrite have gone well."""
        text = self.admin.call("INFO", "persistence")
        for name in (b"rdb_last_bgsave_status", b"aof_last_bgrewrite_status", b"aof_last_write_status"):
            if name + b":ok" not in text:
                self.wrong(f"{name.decode()} is not ok")

    def resident(self) -> float:
        """Megabytes of the server's own process."""
        with open(f"/proc/{self.server.pid}/statm") as file:
            return int(file.read().split()[1]) / 256

    def close(self) -> None:
        for client in (*self.clients, *self.waiting, *self.listening, self.admin):
            client.close()


# What is done and how often, in thousandths; a round of ``mixed`` belongs to each.
DOINGS: dict[Callable[[Soak], None], int] = {
    Soak.news: 60, Soak.wait: 8, Soak.kill: 20, Soak.watch: 2, Soak.save: 1, Soak.compact: 1,
}  # fmt: skip


def one_round(soak: Soak) -> None:
    soak.mixed()
    for doing, share in DOINGS.items():
        if soak.rng.random() < share / 1000:
            doing(soak)


def run(name: str, seconds: float, rate: int, seed: int, rounds: int = sys.maxsize,
        tell: Callable[[str], object] = print) -> list[str]:  # fmt: skip
    """Load one server for a time, or for so many rounds; gives what went wrong."""
    with started(name, *OPTIONS) as server:
        soak, witness = Soak(server, seed), Witness(server.socket)
        sizes: list[tuple[float, float]] = []
        soak.fill(rounds)
        start = tenth = time.monotonic()
        try:
            while (now := time.monotonic() - start) < seconds and rounds:
                rounds -= 1
                one_round(soak)
                if now - (sizes[-1][0] if sizes else -1) > min(1, seconds / 100):
                    sizes.append((now, soak.resident()))
                if time.monotonic() - tenth > seconds / 10:
                    tenth = time.monotonic()
                    tell(progress(name, soak, sizes))
                ahead = soak.commands / rate - now
                if ahead > 0.01:
                    time.sleep(ahead)
            soak.saved()
        except Exception as error:  # the report is what is wanted
            soak.wrong(f"{type(error).__name__}: {error}")
        seen = witness.report()
        witness.close()
        with suppress(OSError):
            soak.close()
        tell(f"{name}: {soak.commands} commands, {soak.published} messages, {soak.served} waits, {soak.killed} killed; "
             f"p50 {seen['p50']:.3f} p99 {seen['p99']:.3f} p99.9 {seen['p999']:.3f} max {seen['max']:.1f} ms "
             f"of {seen['count']}")  # fmt: skip
        if seen["wrong"]:
            soak.wrong(f"witness: {seen['wrong']}")
        if server.process.poll() is not None:
            soak.wrong(f"the server ended with {server.process.returncode}")
        grown = growth(sizes)
        tell(f"{name}: memory {grown:.3f} times that after the first quarter")
        if seconds < sys.maxsize and grown > ALLOWED:
            soak.wrong(f"memory grew by {grown - 1:.1%}")
        return [f"{name}: {count} x {what}" for what, count in soak.trouble.items()]


def progress(name: str, soak: Soak, sizes: list[tuple[float, float]]) -> str:
    now, size = sizes[-1]
    used = soak.info("memory", "used_memory") >> 20
    return (f"{name} {now:6.0f} s {soak.commands:9} commands, {size:6.1f} MB, {used} MB used, "
            f"{soak.admin.call('DBSIZE')} keys, {soak.info('stats', 'evicted_keys')} evicted, "
            f"{soak.info('stats', 'expired_keys')} expired, {len(soak.trouble)} troubles")  # fmt: skip


def growth(sizes: list[tuple[float, float]]) -> float:
    """Mean size in the last quarter of the time against that in the second."""
    quarter = max(len(sizes) // 4, 1)
    second, last = sizes[quarter : 2 * quarter] or sizes, sizes[-quarter:]
    return (sum(size for _, size in last) / len(last)) / (sum(size for _, size in second) / len(second))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rate", type=int, default=10000, help="commands a second, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", action="append", help="redtool, redis7, valkey")
    given = parser.parse_args()
    trouble = [line for name in given.server or ["redtool", "redis7"]
               for line in run(name, given.minutes * 60, given.rate, given.seed)]  # fmt: skip
    print(*trouble, sep="\n", end="\n" if trouble else "")
    return bool(trouble)


if __name__ == "__main__":
    sys.exit(main())
