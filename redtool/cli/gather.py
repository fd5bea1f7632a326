"""The data of a server key by key, with SCAN, DUMP and PTTL: for servers that do not send their dump.

It is not the state of one moment: what is written meanwhile may be in it or not, each key by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import time
from typing import Any

from redtool import errors
from redtool.cli.facts import info, number
from redtool.persist.payload import unpack, unpack_functions
from redtool.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend

    Entries = Iterator[tuple[bytes, Any, int | None]]

PAGE = 500  # keys that are asked for at a time


def databases(backend: Backend, advance: Callable[[int], None]) -> Iterator[tuple[int, int, int, Entries]]:
    """What a snapshot is written from. Raises ReplyError for what the server refuses, StoreError for odd values."""
    done = 0

    def counted(entries: Entries) -> Entries:
        nonlocal done
        for entry in entries:
            done += 1
            advance(done)
            yield entry

    for name, text in info(backend, b"keyspace").items():
        counts = dict(part.partition("=")[::2] for part in text.split(","))
        if name[:2] == "db" and name[2:].isdigit():
            db = int(name[2:])
            yield db, number(counts, "keys"), number(counts, "expires"), counted(_entries(backend, db))


def functions(backend: Backend) -> list[bytes]:
    """The code of the server's libraries; none where it has no functions."""
    try:
        payload = backend.execute(b"FUNCTION", b"DUMP")
    except errors.ReplyError as error:
        if error.code == "NOPERM":
            raise
        return []
    return unpack_functions(payload) if isinstance(payload, bytes) else []


def _entries(backend: Backend, db: int) -> Entries:
    """Every key of a database once, though SCAN may give one twice."""
    backend.execute(b"SELECT", b"%d" % db)
    seen: set[bytes] = set()
    cursor = b"0"
    while True:
        reply: Any = backend.execute(b"SCAN", cursor, b"COUNT", b"%d" % PAGE)
        cursor, found = reply
        keys = [key for key in dict.fromkeys(found) if key not in seen]
        seen.update(keys)
        yield from _values(backend, keys)
        if cursor == b"0":
            return


def _values(backend: Backend, keys: list[bytes]) -> Entries:
    ask = [words for key in keys for words in ((b"DUMP", key), (b"PTTL", key))]
    replies: list[Any] = []
    while len(replies) < len(ask):
        replies += backend.pipeline(ask[len(replies) :])
    now = int(time() * 1000)
    for at, key in enumerate(keys):
        payload, ttl = replies[2 * at : 2 * at + 2]
        for reply in (payload, ttl):
            if isinstance(reply, errors.ReplyError):
                raise reply
        if not isinstance(payload, bytes):
            continue  # gone meanwhile
        try:
            value = unpack(payload)
        except errors.ReplyError as error:
            raise errors.StoreError(f"the value of {quote(key).decode()} cannot be read: {error.message}") from None
        yield key, value, now + ttl if ttl >= 0 else None
