"""Values of every type and encoding, copied from every server to every other and a store; prints what passes.

    python -m tests.transfer.pairs [SERVER ...]

Each pair is tried with DUMP and RESTORE, and with users who may not run one of them, so that commands take their
place. What is read on both sides, element by element, must be equal then, and ``diff`` must find nothing.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import redtool
from redtool import errors
from redtool.backends import open_backend
from redtool.transfer.asking import databases
from redtool.transfer.comparing import Comparison
from redtool.transfer.copying import Copy
from redtool.transfer.items import Reader
from tests.persist.exchange import same_hash
from tests.persist.matrix import Row, Side, has_fields, rows, without_times
from tests.servers import RealServer, named_servers, running

if TYPE_CHECKING:
    from redtool.backends import Backend

STORE = "store"
WITH_FIELDS = (STORE, "valkey", "redis74", "redis8")  # where fields of hashes have deadlines
WITH_VECTORS = (STORE, "redis8")
OLD = ("redis6",)  # knows no history of streams
LIMITED = "limited"  # the user who may not run a command


@contextmanager
def end(name: str, server: RealServer | None, without: str = "") -> Iterator[Backend]:
    """One end of a copy, emptied: a server by a user who lacks a command, or a new store."""
    if server is None:
        with tempfile.TemporaryDirectory() as home, redtool.open(home) as store:
            store.execute("HELLO", "3")
            yield store
        return
    server.flush()
    server.call("ACL", "SETUSER", LIMITED, "reset", "on", "nopass", "~*", "&*", "+@all", f"-{without or 'monitor'}")
    backend = open_backend(f"unix://{LIMITED}:any@{server.socket}")
    try:
        yield backend
    finally:
        backend.close()
        server.call("ACL", "DELUSER", LIMITED)


def side_of(backend: Any) -> Side:
    def ask(*words: Any) -> Any:
        try:
            return backend.execute(*words)
        except errors.ReplyError as error:
            return error

    return Side(ask)


def unfit(name: str, row: Row) -> bool:
    """Whether a server has no place for a value."""
    fields = has_fields(row) and not any(line[0] == "HPERSIST" for line in row[2])
    return (fields and name not in WITH_FIELDS) or (has_vectors(row) and name not in WITH_VECTORS)


def has_vectors(row: Row) -> bool:
    return any(line[0] == "VADD" for line in row[2])


def exchanged(source: Backend, target: Backend, ends: tuple[str, str], done: list[Row], spelled: bool) -> list[str]:
    """Copy everything, and tell what went wrong. An old server tells deadlines less exactly, no stream's history."""
    name, old = ends[1], not {*ends}.isdisjoint(OLD)
    copy = Copy(Reader(source), target, keep_going=True)
    copy.run([(db, db) for db, _ in databases(source)])
    wanted = [row for row in done if not unfit(name, row) and not (spelled and name != STORE and has_vectors(row))]
    left = {each.key: each.why for each in copy.counts.left}
    expected = {_key(row) for row in done if row not in wanted}
    wrong = [f"{key!r}: {why}" for key, why in left.items() if key not in expected]
    wrong += [f"{key!r} was copied" for key in expected - left.keys()]
    if copy.counts.copied != len(wanted):
        wrong.append(f"{copy.counts.copied} copied of {len(wanted)}")
    one, other = side_of(source), side_of(target)
    for row in wanted:
        values = one.value(row), other.value(row)
        if spelled or old:
            values = without_times(values[0]), without_times(values[1])
        if not same_hash(*values):
            wrong.append(f"value of {row[1]!r}")
        if not old and one.deadline(row) != other.deadline(row):
            wrong.append(f"deadline of {row[1]!r}")
    if not old:
        found = Comparison(Reader(source), Reader(target), 1000).run([(db, db) for db, _ in databases(source)])
        wrong += [f"diff: {apart}" for _, apart in found if apart.key not in expected]
    return wrong


def _key(row: Row) -> bytes:
    return row[1] if isinstance(row[1], bytes) else str(row[1]).encode()


def tried(ends: tuple[str, str], servers: dict[str, RealServer], without: str = "") -> list[str]:
    """Copy the dataset from one to the other by users who may not run ``without``; gives what went wrong."""
    one, other = ends
    with end(one, servers.get(one), "dump" if without == "dump" else "") as source:
        done = side_of(source).fill([row for row in rows() if without != "dump" or not has_vectors(row)])
        with end(other, servers.get(other), without) as target:
            return exchanged(source, target, ends, done, spelled=without == "restore")


def main() -> int:
    names = sys.argv[1:] or [*named_servers(), STORE]
    code = 0
    with ExitStack() as stack:
        servers = {name: stack.enter_context(running(name)) for name in names if name != STORE}
        for one in names:
            for other in names:
                if one == other:
                    continue
                for without in ("", "restore", "dump"):
                    wrong = tried((one, other), servers, without)
                    code |= bool(wrong)
                    how = f"without {without.upper()}" if without else ""
                    print(f"{one:8} -> {other:8} {how:16} {'; '.join(wrong)[:300] or 'equal'}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
