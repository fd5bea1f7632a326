"""Commands on keys of any type: look, list, rename, copy, move, delete. Expiry is in expiry.py, SORT in sort.py."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.engine.keyspace import copy_of, kind_of
from redtool.globs import matcher
from redtool.numeric import to_cursor, to_int
from redtool.resp import OK, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.engine.keyspace import Keyspace
    from redtool.resp import Reply
    from redtool.session import Session

command = group("generic")

KINDS = frozenset({b"string", b"list", b"hash", b"set", b"zset", b"stream", b"vectorset"})


def found(c: Session, key: bytes) -> Any:
    """The value under a key of any type, its access time left alone; counts a hit or a miss."""
    value = c.db.peek(key)
    if value is None:
        c.missed(key)
    else:
        c.store.hits += 1
    return value


def changed_too(c: Session, db: Keyspace, key: bytes, event: bytes) -> None:
    """Report a second key, maybe of another database, that one change altered."""
    home, c.db = c.db, db
    c.store.touch(db, key)
    c.event(key, event)
    c.db = home


# -- look


@command("EXISTS key [key ...]", "readonly fast", complexity="O(N) keys")
def exists(c: Session, *keys: bytes) -> Reply:
    """Count how many of the keys exist; a key given twice counts twice.

    > MSET user:1 Ada user:2 Grace
    OK
    > EXISTS user:1 user:2 user:3
    (integer) 2
    """
    return sum(found(c, key) is not None for key in keys)


@command("TYPE key", "readonly fast")
def type_(c: Session, key: bytes) -> Reply:
    """Tell the type of the value under a key; "none" when missing.

    > LPUSH jobs mail
    (integer) 1
    > TYPE jobs
    list
    > TYPE nothing
    none
    """
    value = found(c, key)
    return Status(b"none" if value is None else kind_of(value))


@command("TOUCH key [key ...]", "readonly fast", since="3.2.1", complexity="O(N) keys")
def touch(c: Session, *keys: bytes) -> Reply:
    """Note an access to each key; gives how many exist.

    > MSET user:1 Ada user:2 Grace
    OK
    > TOUCH user:1 user:2 user:3
    (integer) 2
    """
    there = 0
    for key in keys:
        if c.db.get(key) is None:
            c.missed(key)
        else:
            there += 1
    c.store.hits += there
    return there


@command("KEYS pattern", "readonly", complexity="O(N) keys in the database")
def keys_(c: Session, pattern: bytes) -> Reply:
    """List all keys that match a pattern.

    > MSET user:1 Ada cart:1 book page:home hits
    OK
    > KEYS cart:*
    1) "cart:1"
    """
    if pattern == b"*":
        return list(c.db.live_keys())
    return list(filter(matcher(pattern), c.db.live_keys()))


@command("SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]", "readonly touches_arbitrary_keys", since="2.8.0",
         complexity="O(1) a call, O(N) for all keys")  # fmt: skip
def scan(c: Session, cursor: bytes, *args: bytes) -> Reply:
    """Go through the keys a page at a time: gives the next cursor and some keys.

    > MSET user:1 Ada cart:1 book
    OK
    > SCAN 0 MATCH user:* COUNT 100
    1) "0"
    2) 1) "user:1"
    """
    start = to_cursor(cursor)
    opt = scan.trailing(args)
    count = to_int(opt.get(b"COUNT", b"10"))
    if count < 1:
        raise errors.SyntaxError_
    kind = opt[b"TYPE"].lower() if b"TYPE" in opt else None
    if kind is not None and kind not in KINDS:
        raise errors.UnknownType(opt[b"TYPE"].partition(b"\0")[0].decode("utf-8", "surrogateescape"))
    following, page = c.db.page(start, count)
    matches = matcher(opt.get(b"MATCH", b"*"))
    # A stale key goes now, after the page was cut: what it moves in the array was on this page or already seen.
    data = c.db.data
    live = [key for key in page if matches(key) and (key not in data or c.db.peek(key) is not None)]
    if kind is not None:
        live = [key for key in live if c.db.kind(key) == kind]
    return [b"%d" % following, live]


@command("RANDOMKEY", "readonly touches_arbitrary_keys")
def randomkey(c: Session) -> Reply:
    """Give a key at random; nil when there is none.

    > RANDOMKEY
    (nil)
    > MSET user:1 Ada user:2 Grace
    OK
    > RANDOMKEY
    "user:…"
    """
    return c.db.random_key(c.store.rng)


# -- delete


@command("DEL key [key ...]", "write", complexity="O(N) keys")
def del_(c: Session, *keys: bytes) -> Reply:
    """Delete keys; gives how many existed.

    > MSET user:1 Ada user:2 Grace
    OK
    > DEL user:1 user:2 user:3
    (integer) 2
    """
    return delete(c, keys)


@command("UNLINK key [key ...]", "write fast", since="4.0.0", complexity="O(1) a key")
def unlink(c: Session, *keys: bytes) -> Reply:
    """Delete keys; for an embedded store the same as DEL.

    > RPUSH log:old one two three
    (integer) 3
    > UNLINK log:old
    (integer) 1
    """
    return delete(c, keys)


def delete(c: Session, keys: tuple[bytes, ...]) -> int:
    """Remove keys and report each; gives how many there were."""
    gone, db = 0, c.db
    for key in keys:
        if db.peek(key) is not None:
            db.remove(key)
            c.changed(key, b"del")
            gone += 1
    return gone


# -- rename, copy, move


@command("RENAME key newkey", "write")
def rename(c: Session, key: bytes, newkey: bytes) -> Reply:
    """Give a key another name, replacing what was there; its expiry goes with it.

    > SET draft "Dear all"
    OK
    > RENAME draft letter
    OK
    > GET letter
    "Dear all"
    """
    if c.db.get(key) is None:
        raise errors.NoSuchKey
    if key != newkey:
        change_name(c, key, newkey)
    return OK


@command("RENAMENX key newkey", "write fast")
def renamenx(c: Session, key: bytes, newkey: bytes) -> Reply:
    """Give a key another name if that one is free.

    > MSET draft "Dear all" letter "Dear Ada"
    OK
    > RENAMENX draft letter
    (integer) 0
    > RENAMENX draft letter:2
    (integer) 1
    """
    if c.db.get(key) is None:
        raise errors.NoSuchKey
    if key == newkey or c.db.peek(newkey) is not None:
        return 0
    change_name(c, key, newkey)
    return 1


def change_name(c: Session, key: bytes, newkey: bytes) -> None:
    c.db.rename(key, newkey)
    c.changed(key, b"rename_from")
    changed_too(c, c.db, newkey, b"rename_to")


@command("COPY source destination [DB destination-db] [REPLACE]", "write denyoom", since="6.2.0",
         complexity="O(N) elements of a collection, O(1) for a string")  # fmt: skip
def copy(c: Session, source: bytes, destination: bytes, *args: bytes) -> Reply:
    """Copy a value and its expiry to another key or database.

    > SET page:home "<h1>Hi</h1>"
    OK
    > COPY page:home page:home:old
    (integer) 1
    > COPY page:home page:home:old
    (integer) 0
    > COPY page:home page:home:old REPLACE
    (integer) 1
    """
    opt = copy.trailing(args)
    target = c.database(opt[b"DB"]) if b"DB" in opt else c.db
    if target is c.db and source == destination:
        raise errors.SameObject
    value = c.db.get(source)
    if value is None:
        c.missed(source)
        return 0
    c.store.hits += 1
    if target.peek(destination) is not None and b"REPLACE" not in opt:
        return 0
    twin = copy_of(value)
    target.vacate(destination)  # which makes it a new key
    target.put(destination, twin)
    target.note_fields(destination, twin)
    if source in c.db.expires:
        target.expire_at(destination, c.db.expires[source])
    home, c.db = c.db, target
    c.changed(destination, b"copy_to")
    c.db = home
    return 1


@command("MOVE key db", "write fast")
def move(c: Session, key: bytes, db: bytes) -> Reply:
    """Move a key to another database, if it has no such key.

    > SET user:1 Ada
    OK
    > MOVE user:1 3
    (integer) 1
    > EXISTS user:1
    (integer) 0
    """
    target = c.database(db)
    if target is c.db:
        raise errors.SameObject
    value = c.db.get(key)
    if value is None or target.peek(key) is not None:
        return 0
    when = c.db.expires.get(key)
    c.db.remove(key)
    target.put(key, value)
    target.note_fields(key, value)
    if when is not None:
        target.expire_at(key, when)
    c.changed(key, b"move_from")
    changed_too(c, target, key, b"move_to")
    return 1
