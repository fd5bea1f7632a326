"""Snapshots in slices under random programs: ``python -m tests.persist.frozen --count 100 --seed 1``.

Each program runs random commands of all kinds. At a random one a BGSAVE or a BGREWRITEAOF begins, and a key of it is
written now and then while the program goes on. The snapshot must hold the data of the moment at which it began; of
the journal, the store's copy at any moment must open with the data of that moment.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from redtool import slices
from redtool.commands.table import Command, load_all
from redtool.engine.frozen import own
from redtool.engine.streams import Stream
from redtool.engine.vectors import VectorSet
from redtool.persist import rdb
from redtool.persistence import Persistence
from redtool.saving import REWRITE, SAVE
from redtool.store import Store
from tests.cold import chill
from tests.embedded import Client
from tests.persist.datasets import Collected, plain
from tests.program import DRAWN, EXCLUDED, PLACED, Program

DAY = 86_400 * 10**9  # ns: what programs do lies in the past, for a replay takes no time from the future
POLICIES = ("noeviction", "allkeys-lru", "allkeys-lfu")  # what a snapshot tells of the uses of keys
LENGTH = 200  # commands of a program
State = dict[tuple[int, bytes], tuple[Any, int | None]]


def commands() -> list[Command]:
    """What programs are made of: commands on data, and those on whole databases."""
    leaves = [leaf for command in load_all().values() for leaf in (command.subs or {"": command}).values()]
    return [
        leaf
        for leaf in leaves
        if not {leaf.name, leaf.name.split()[0]} & (EXCLUDED.keys() | PLACED | DRAWN)
        and not {"write", "readonly"}.isdisjoint(leaf.flags)
    ]


def value_of(value: Any) -> Any:
    """A value as plain data, but for when a consumer was seen: the journal does not tell."""
    if isinstance(value, Stream):
        *history, groups = plain(value)
        return history, {name: (*group[:3], set(group[3])) for name, group in groups.items()}
    if isinstance(value, VectorSet):
        nodes = value.nodes.items()
        return {name: (value.quant.to_bytes(node.data, value.dim), node.length, node.attribute) for name, node in nodes}
    return plain(value)


def state(store: Store) -> State:
    """Every key with its value and deadline."""
    return {
        (db.index, key): (value_of(own(value)), when)
        for db in store.databases
        for key, value, when in db.items()
    }


def saved(path: Path) -> State:
    """The same of a file."""
    found = Collected()
    rdb.load(path.read_bytes(), found)
    return {
        (number, key): (value_of(value), expires.get(key))
        for number, (data, expires) in found.databases.items()
        for key, value in data.items()
    }


@contextmanager
def opened(home: Path, client_ns: int = 0) -> Iterator[tuple[Persistence, Client]]:
    """A store whose clock stands still, with one client."""
    files = Persistence.open(str(home))
    client = Client(files.store)
    client.ns = client_ns or client.ns - DAY
    files.store.time_ns = client.time_ns
    try:
        yield files, client
    finally:
        files.close()


class Fine:
    """Slices of one key each, while this is entered."""

    def __enter__(self) -> None:
        self.before = slices.SLICE, slices.PARTS
        slices.SLICE, slices.PARTS = 0.0, 1

    def __exit__(self, *exc: object) -> None:
        slices.SLICE, slices.PARTS = self.before


def check(number: int, seed: int, task: str, cold: bool) -> int:
    """Run one program with one snapshot in it; gives how many commands ran while that was written."""
    rng = Random(f"{seed}/{number}")
    program = Program(rng, commands())
    begins = rng.randrange(20, LENGTH)
    with tempfile.TemporaryDirectory() as folder, Fine():
        home, during = Path(folder) / "store", 0
        with opened(home) as (files, client):
            client.call("CONFIG", "SET", "maxmemory-policy", rng.choice(POLICIES))
            then: State = {}
            for at, (_, argv) in enumerate(program.steps(LENGTH)):
                client.call(*argv)
                client.advance(rng.choice((0, 1, 50, 3000)))
                if at == begins:
                    files.saved_at = 0
                    client.call("DISCARD")
                    if cold:
                        chill(files.store)
                    then = state(files.store)
                    client.call("BGSAVE" if task == SAVE else "BGREWRITEAOF")
                    assert files.task == task
                elif files.job is not None and rng.random() < 0.4:
                    files.poll()
                    during += 1
                    for db in files.store.databases:
                        db.thaw(rng.randrange(2))
                    if task == REWRITE and rng.random() < 0.1:
                        killed(files, client, home)
            client.call("DISCARD")
            files.poll(block=True)
            if task == SAVE:
                assert files.last_save_ok
                if files.saved_at:  # else FLUSHALL has put an end to it
                    assert saved(home / "dump.rdb") == then
            else:
                assert files.last_rewrite_ok
                killed(files, client, home)
        return during


def killed(files: Persistence, client: Client, home: Path) -> None:
    """What lies on the disk now is the data of now: no command has been acknowledged that is not there."""
    if client.session.queue is not None:
        return
    files.store.flush()
    copy = home.parent / "killed"
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("redtool.sock"))
    for db in files.store.databases:
        db.expire_cycle(1 << 30)
        db.field_cycle(1 << 30)
    with opened(copy, client.ns) as (again, _):
        again.store.clock.ns = client.ns
        for db in again.store.databases:
            db.expire_cycle(1 << 30)
            db.field_cycle(1 << 30)
        assert state(again.store) == state(files.store)
    shutil.rmtree(copy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    during = 0
    for number in range(given.count):
        for task in (SAVE, REWRITE):
            during += check(number, given.seed, task, cold=bool(number % 2))
    print(f"{given.count * 2} snapshots in slices, {during} slices between commands: each the data of its moment")


if __name__ == "__main__":
    main()
