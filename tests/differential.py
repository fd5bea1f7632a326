"""Random commands on the embedded engine and on a real server: replies, errors, events and datasets must agree.

    python -m tests.differential --count 50000 --seed 1 --server valkey

Commands are drawn (``tests.program``) from the syntax tree of every command in TABLE, ``EXCLUDED`` apart, over a few
keys of all types, in rounds that begin with empty databases, RESP2 and RESP3 in turn, some within a script or MULTI.
Replies are compared byte for byte, after dropping what a server does not promise (``tests.sameness``) and what this
one words in its own way (``tests.dialects``); every few commands, and at the end of a round, so are keyspace events,
all keys, values and expiries. With ``--cold`` all keys of the engine go into an indexed snapshot then, from which they
come in again when they are looked at. A round that shows a difference is run again with ever fewer commands, and the
shortest history is printed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from redtool.engine.sets import Set
from redtool.engine.zsets import ZSet
from tests import cold, embedded, servers, wire
from tests.dialects import dialect_of
from tests.program import CARRY, RANDOM, SCANS, SCRIPTS, Argv, Program, Step, lexical, program
from tests.sameness import (
    RULES,
    Events,
    bare,
    dataset,
    entry_text,
    has_scores,
    leaves,
    name_of,
    ordered,
    reply_of,
    rule_of,
    same_entry,
    settled,
    shown,
    tolerated,
)
from tests.wire import Tree

OPTIONS = ("--hz", "500", "--enable-debug-command", "yes")  # so that a wait of a millisecond ends after about one
CHECK_EVERY = 25


# -- running


@dataclass
class Difference:
    """What was found, after which steps."""

    what: str
    history: list[Step]
    ours: str
    theirs: str

    @property
    def name(self) -> str:
        argv = self.history[-1][1]
        return name_of(argv) if argv else ""

    @property
    def kind(self) -> tuple[str, str]:
        return self.what, self.name

    def __str__(self) -> str:
        lines = [f"{self.what}: {self.name}"]
        lines += [f"  {client}> {' '.join(map(shown, argv))}" for client, argv in self.history]
        return "\n".join([*lines, f"  engine  {self.ours}", f"  server  {self.theirs}"])


class Pair:
    """Two clients of an engine and two of a server, in step."""

    def __init__(self, server: servers.RealServer, proto: int, chilled: bool = False) -> None:
        server.flush()
        self.proto, self.chilled = proto, chilled
        first = embedded.Client(proto=proto, frozen=False)
        self.engine: list[Any] = [first, *(embedded.Client(first.store, proto, False) for _ in range(2))]
        self.server: list[Any] = [server.client(proto) for _ in range(3)]
        self.queued: list[list[Argv]] = [[], []]
        self.dialect = dialect_of(server)
        self.events = Events(first.store, server, self.dialect)

    def close(self) -> None:
        for client in self.server:
            client.close()
        self.events.close()

    def step(self, step: Step) -> Difference | None:
        """Run one step on both sides and compare the replies."""
        client, argv = step
        if argv[0] == CARRY:
            return self.carry(step)
        if lexical(argv) and len(bare(argv)) > 2 and self.uneven(client, bare(argv)):
            return None
        name = name_of(argv)
        vague = self.is_vague(client, argv) if name in ("SORT", "SORT_RO") else False
        self.events.vague |= vague
        ours = mine = reply_of(name, self.engine[client].wire(*argv))
        theirs = other = reply_of(name, self.server[client].wire(*argv))
        if ours != theirs:
            ours, theirs = (self.dialect.plain(tree, has_scores(name)) for tree in (ours, theirs))
        if name == "EXEC":
            same = self.same_exec(client, ours, theirs)
        elif theirs == ("+", b"QUEUED"):
            self.queued[client].append(argv)
            same = ours == theirs
        else:
            same = ours == theirs or self.same(client, argv, ours, theirs, vague)
            if name == "SPOP" and same and not wire.is_error(theirs):
                self.resynchronise(client, argv, mine, other)
        if name in ("EXEC", "DISCARD") or (name == "MULTI" and not wire.is_error(theirs)):
            self.queued[client] = []
        return None if same else Difference("reply", [step], wire.show(ours), wire.show(theirs))

    def carry(self, step: Step) -> Difference | None:
        """Restore on each side what the other one dumps."""
        client, (_, source, *rest) = step
        mine, other = self.engine[client].call("DUMP", source), self.server[client].call("DUMP", source)
        if None in (mine, other):
            return None if mine == other else Difference("reply", [step], str(mine), str(other))
        key, ttl, *options = rest
        ours = wire.parse(self.engine[client].wire("RESTORE", key, ttl, other, *options))
        theirs = wire.parse(self.server[client].wire("RESTORE", key, ttl, mine, *options))
        if theirs[1] == b"ERR DUMP payload version or checksum are wrong":
            # Valkey does not read hashes with deadlines as Redis writes them.
            theirs = wire.parse(self.server[client].wire("RESTORE", key, ttl, other, *options))
        return None if ours == theirs else Difference("reply", [step], wire.show(ours), wire.show(theirs))

    def same_exec(self, client: int, ours: Tree, theirs: Tree) -> bool:
        if theirs[0] != "*" or ours[0] != "*" or len(ours[1]) != len(theirs[1]):
            return ours == theirs
        replies = zip(self.queued[client], ours[1], theirs[1], strict=True)
        return all(left == right or self.same(client, argv, left, right) for argv, left, right in replies)

    def same(self, client: int, argv: Argv, ours: Tree, theirs: Tree, vague: bool = False) -> bool:
        """Whether two replies that are not equal are as good as equal for this command."""
        name = name_of(argv)
        if wire.is_error(ours) or wire.is_error(theirs):
            return tolerated(name, argv, ours, theirs, self.dialect)
        if name in SCANS:
            return self.sweep(self.engine[client], argv, name) == self.sweep(self.server[client], argv, name)
        if name in RANDOM:
            return self.same_picks(client, argv, name, ours, theirs)
        if vague:
            limited = any(word.upper() == b"LIMIT" for word in argv)
            return wire.shape(ours)[:2] == wire.shape(theirs)[:2] if limited else ordered(ours) == ordered(theirs)
        if argv[0] == b"EVAL" and argv[1] == SCRIPTS[1] and settled(ours) == settled(theirs):
            return True  # a map is a table then, whose order is Lua's
        if rule_of(argv) == "OBJECT ENCODING":  # a snapshot does not tell what was larger once
            return self.chilled or any({ours[1], theirs[1]} <= alike for alike in self.dialect.encodings)
        rule = RULES.get(rule_of(argv))
        return rule is not None and rule(ours, theirs)

    def is_vague(self, client: int, argv: Argv) -> bool:
        """Whether a SORT has no order of its own: a set left as it is, or weights that may be equal texts."""
        upper = [word.upper() for word in argv]
        if b"BY" not in upper or len(argv) < 2:
            return False
        pattern = argv[len(upper) - upper[::-1].index(b"BY") :][:1]
        is_set = type(self.peek(client, argv[1])) is Set
        return b"ALPHA" in upper or (is_set and b"*" not in b"".join(pattern))

    def uneven(self, client: int, argv: Argv) -> bool:
        """Whether the sorted set that a line is about has different scores."""
        value = self.peek(client, argv[1 + (argv[0].upper() == b"ZRANGESTORE")])
        return type(value) is ZSet and len(set(value.scores.values())) > 1

    def peek(self, client: int, key: bytes) -> Any:
        """What the engine has under a key, and so the server; looking is no access that events tell of."""
        return self.engine[client].session.db.peek(key)

    def sweep(self, client: Any, argv: Argv, name: str) -> set[str]:
        """Everything that a whole scan gives."""
        place = SCANS[name]
        seen: set[str] = set()
        paired = name in ("HSCAN", "ZSCAN") and not {b"NOVALUES", b"NOSCORES"} & {word.upper() for word in argv}
        width = 1 + paired
        cursor = b"0"
        while True:
            tree = wire.parse(client.wire(*argv[:place], cursor, *argv[place + 1 :]))
            cursor, items = tree[1][0][1], tree[1][1][1]
            if name == "ZSCAN" and paired:  # the digits of a score depend on the encoding
                items = [float(item[1]) + 0.0 if i % 2 else item for i, item in enumerate(items)]
            seen.update(repr(items[i : i + width]) for i in range(0, len(items), width))
            if cursor == b"0":
                return seen

    def same_picks(self, client: int, argv: Argv, name: str, ours: Tree, theirs: Tree) -> bool:
        """Random elements: as many, of the same form, and all of them elements."""
        if name == "SPOP":
            return bool(wire.shape(ours) == wire.shape(theirs))
        ask: Argv = {
            "SRANDMEMBER": (b"SMEMBERS", *argv[1:2]),
            "HRANDFIELD": (b"HGETALL", *argv[1:2]),
            "ZRANDMEMBER": (b"ZRANGE", *argv[1:2], b"0", b"-1", b"WITHSCORES"),
            "RANDOMKEY": (b"KEYS", b"*"),
        }[name]
        known = leaves(self.dialect.plain(wire.parse(self.server[client].wire(*ask)), has_scores(name)))
        return bool(wire.shape(ours) == wire.shape(theirs)) and leaves(ours) <= known

    def resynchronise(self, client: int, argv: Argv, ours: Tree, theirs: Tree) -> None:
        """After SPOP, let the engine's set be the server's."""
        mine, taken = leaves(ours), leaves(theirs)
        told = list(self.events.ours.session.inbox)
        if back := mine - taken:
            self.engine[client].call("SADD", argv[1], *(member for _, member in back))
            self.engine[client].call("SREM", argv[1], *(member for _, member in taken - mine))
            self.events.ours.session.inbox.clear()
            self.events.ours.session.inbox.extend(told)

    def compare(self, history: list[Step]) -> Difference | None:
        """The keyspace events since the last time, and a digest of all data; where it differs, key by key."""
        ours, theirs = self.events.take()
        if ours != theirs:
            at = next((i for i, (left, right) in enumerate(zip(ours, theirs, strict=False)) if left != right),
                      min(len(ours), len(theirs)))  # fmt: skip
            return Difference("events", history, *(f"… {' '.join(each[at : at + 6])}" for each in (ours, theirs)))
        same = self.engine[2].wire("DEBUG", "DIGEST") == self.server[2].wire("DEBUG", "DIGEST")
        found = None if same else self.compare_datasets(history)
        if self.chilled:
            cold.chill(self.engine[0].store)
        return found

    def compare_datasets(self, history: list[Step]) -> Difference | None:
        ours, theirs = dataset(self.engine[2]), dataset(self.server[2])
        for key in sorted({*ours, *theirs}):
            left, right = ours.get(key), theirs.get(key)
            if left is None or right is None or not same_entry(left, right, self.dialect):
                where = f"db {key[0]} {shown(key[1])} = "
                return Difference("dataset", history, f"{where}{entry_text(left)}", f"{where}{entry_text(right)}")
        return None


def run(server: servers.RealServer, steps: Sequence[Step], proto: int, every: int,
        chilled: bool = False) -> Difference | None:  # fmt: skip
    """Run steps on empty databases; give the first difference, with the steps up to it."""
    pair = Pair(server, proto, chilled)
    try:
        for i, step in enumerate(steps):
            found = pair.step(step)
            if found is None and i % every == every - 1:
                found = pair.compare([])
            if found is not None:
                found.history = list(steps[: i + 1])
                return found
        return pair.compare(list(steps)) or pair.compare_datasets(list(steps))
    finally:
        pair.close()


def shrink(server: servers.RealServer, found: Difference, proto: int, tries: int = 400) -> Difference:
    """Leave out steps as long as a difference of the same kind remains."""
    size = len(found.history) // 2
    while size and tries:
        start = 0
        while start < len(found.history) and tries:
            shorter = found.history[:start] + found.history[start + size :]
            tries -= 1
            again = run(server, shorter, proto, len(shorter) + 1) if shorter else None
            if again is not None and again.what == found.what and (again.what != "reply" or again.name == found.name):
                found = again
            else:
                start += size
        size = min(size // 2, len(found.history) // 2)
    return found


def differences(server: servers.RealServer, count: int, seed: int, *, length: int = 250, only: Sequence[str] = (),
                progress: Callable[[int], None] = lambda done: None,
                chilled: bool = False) -> Iterator[Difference]:  # fmt: skip
    """Run ``count`` random commands in rounds; give each difference, the first of its kind with a short history."""
    drawing: Program = program(server, only)
    done = 0
    seen: set[tuple[str, str]] = set()
    while done < count:
        drawing.reset(Random(f"{seed}/{done}"))
        steps = drawing.steps(min(length, count - done))
        proto = 2 + (done // length) % 2
        found = run(server, steps, proto, CHECK_EVERY, chilled)
        if found is not None:
            if found.kind not in seen:
                seen.add(found.kind)
                if not chilled:
                    found = shrink(server, found, proto)
            yield found
        done += len(steps)
        progress(done)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=10000, help="how many commands to run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", default="valkey", choices=list(servers.named_servers()))
    parser.add_argument("--cold", action="store_true", help="send all keys to a file now and then")
    parser.add_argument("--only", action="append", default=[], metavar="COMMAND", help="draw this command alone")
    parser.add_argument("--keep-going", type=int, default=20, metavar="N", help="stop after N kinds of difference")
    options = parser.parse_args(argv)
    seen: dict[tuple[str, str], int] = {}
    started = time.monotonic()
    with servers.running(options.server, *OPTIONS) as server:
        only = [name.upper() for name in options.only]
        progress = Progress(options.count)
        for found in differences(server, options.count, options.seed, only=only, progress=progress,
                                 chilled=options.cold):  # fmt: skip
            seen[found.kind] = seen.get(found.kind, 0) + 1
            if seen[found.kind] == 1:
                print(found, flush=True)
            if len(seen) >= options.keep_going:
                break
        took = time.monotonic() - started
        print(f"{options.server}, seed {options.seed}: {progress.done} commands in {took:.0f} s,"
              f" {sum(seen.values())} differences of {len(seen)} kinds")  # fmt: skip
    return 1 if seen else 0


class Progress:
    """Tells a terminal how far the run is."""

    def __init__(self, count: int) -> None:
        self.count, self.done = count, 0

    def __call__(self, done: int) -> None:
        self.done = done
        if sys.stderr.isatty():
            print(f"\r{done}/{self.count}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
