"""What reading and writing keys both ask of a backend, whatever it is."""

from __future__ import annotations

from redtool.errors import ReplyError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from redtool.backends import Backend

    Batch = Sequence[Sequence[bytes]]


def ask(backend: Backend, batch: Batch) -> list[Any]:
    """Run commands in as few round trips as the backend needs; errors are values, a reply each."""
    replies: list[Any] = backend.pipeline(batch)
    while len(replies) < len(batch):
        replies += backend.pipeline(batch[len(replies) :])
    return replies


def forbidden(reply: object, name: str) -> bool:
    """Whether a reply says that this command cannot be had at all: hosted servers take some away."""
    if not isinstance(reply, ReplyError):
        return False
    text = reply.message.lower()
    return name in text and (reply.code == "NOPERM" or "unknown command" in text or "not allowed" in text)


def databases(backend: Backend) -> list[tuple[int, int]]:
    """(number, keys) of every database in use. Where INFO is not to be had, of the one selected."""
    try:
        reply = backend.execute(b"INFO", b"keyspace")
    except ReplyError:
        return [(backend.db, count_of(backend))]
    found: list[tuple[int, int]] = []
    for line in bytes(reply).split() if isinstance(reply, bytes) else ():
        name, _, counts = line.partition(b":keys=")
        if name[:2] == b"db" and name[2:].isdigit():
            found.append((int(name[2:]), int(counts.partition(b",")[0])))
    return sorted(found)


def count_of(backend: Backend) -> int:
    """How many keys the selected database has; 0 where that is not told."""
    try:
        reply = backend.execute(b"DBSIZE")
    except ReplyError:
        return 0
    return reply if isinstance(reply, int) else 0


def select(backend: Backend, db: int) -> None:
    """Go to a database. StoreError where there is none of this number."""
    if backend.db == db:
        return
    try:
        backend.execute(b"SELECT", b"%d" % db)
    except ReplyError as error:
        raise StoreError(f"{backend.name} has no database {db}: {error.message}") from None
