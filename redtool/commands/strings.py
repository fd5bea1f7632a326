"""String commands."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.engine.strings import longest_common_subsequence, overlay, slice_of
from redtool.numeric import INT64_MAX, INT64_MIN, add_long_double, to_int
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.resp import Reply
    from redtool.session import Session

command = group("string")

EXPIRE_OPTIONS = (b"EX", b"PX", b"EXAT", b"PXAT")
CONDITIONS = frozenset((b"IFEQ", b"IFNE", b"IFDEQ", b"IFDNE"))


def deadline(c: Session, name: str, word: bytes, text: bytes) -> int:
    """Read the argument of EX, PX, EXAT or PXAT as a deadline in unix ms; refuses zero, negative and overflow."""
    value = to_int(text)
    if value <= 0:
        raise errors.InvalidExpire(name)
    if word in (b"EX", b"EXAT"):
        if value > INT64_MAX // 1000:
            raise errors.InvalidExpire(name)
        value *= 1000
    if word in (b"EX", b"PX"):
        value += c.now
        if value > INT64_MAX:
            raise errors.InvalidExpire(name)
    return value


def chosen_deadline(c: Session, name: str, opt: dict[bytes, Any]) -> int | None:
    """The deadline given by an expire option, None when there is none."""
    for word in EXPIRE_OPTIONS:
        if word in opt:
            return deadline(c, name, word, opt[word])
    return None


def store_until(c: Session, key: bytes, value: bytes, when: int) -> None:
    """Put a string that lives until ``when``; one that has passed leaves no key, as on a server."""
    if c.passed(when):
        if not c.delete(key):
            c.journal()
        return
    c.put(key, value)
    c.db.expire_at(key, when)
    c.journal(b"SET", key, value, b"PXAT", b"%d" % when)
    c.changed(key, b"set")
    c.event(key, b"expire")


@command("SET key value [NX | XX | IFEQ comparison-value | IFNE comparison-value | IFDEQ comparison-digest"
         " | IFDNE comparison-digest] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds"
         " | PXAT unix-time-milliseconds | KEEPTTL]", "write denyoom")  # fmt: skip
def set_(c: Session, key: bytes, value: bytes, *args: bytes) -> Reply:
    """Store a string under a key, with an expiry and on conditions if wanted.

    > SET greeting "good morning" EX 60
    OK
    > TTL greeting
    (integer) 60
    > SET greeting hello NX
    (nil)
    > SET greeting hello XX GET
    "good morning"
    """
    if not args:
        c.db.put(key, value)
        c.changed(key, b"set")
        return OK
    if len(args) == 2 and args[0] in EXPIRE_OPTIONS:  # the usual form
        store_until(c, key, value, deadline(c, "set", args[0], args[1]))
        return OK
    opt = set_.trailing(args)
    when = chosen_deadline(c, "set", opt)
    old = string_at(c, key) if b"GET" in opt else None
    look = c.db.get if b"NX" in opt or b"KEEPTTL" in opt else c.db.peek  # else putting the value counts as the use
    exists = look(key) is not None
    if b"NX" in opt:
        if exists:
            return old
    elif b"XX" in opt:
        if not exists:
            return old
    elif not CONDITIONS.isdisjoint(opt) and not condition_met(c, key, args, opt):
        return old
    if when is not None:
        store_until(c, key, value, when)
    else:
        keep = b"KEEPTTL" in opt
        c.put(key, value, keep_ttl=keep)
        if keep:
            c.journal(b"SET", key, value, b"KEEPTTL")
        else:
            c.journal(b"SET", key, value)
        c.changed(key, b"set")
    return old if b"GET" in opt else OK


def condition_met(c: Session, key: bytes, args: tuple[bytes, ...], opt: dict[bytes, Any]) -> bool:
    """Tell whether the value that SET finds is the one it asks for: IFEQ and the like."""
    from redtool.commands.conditions import met, repeated

    word = next(word for word in opt if word in CONDITIONS)
    if repeated(word, args, opt):
        raise errors.SyntaxError_
    return met(c, key, word, opt[word])


def string_at(c: Session, key: bytes) -> bytes | None:
    """The string under a key as bytes, None when missing."""
    return text_of(c.readable(key, bytes))


def text_of(value: bytes | bytearray | None) -> bytes | None:
    """What is under a key as bytes that stay as they are."""
    return bytes(value) if type(value) is bytearray else value  # type: ignore[return-value]


@command("GET key", "readonly fast")
def get(c: Session, key: bytes) -> Reply:
    """Give the string under a key.

    > SET greeting "good morning"
    OK
    > GET greeting
    "good morning"
    > GET nothing
    (nil)
    """
    value = c.readable(key, bytes)
    return value if type(value) is bytes or value is None else bytes(value)


@command("SETNX key value", "write denyoom fast")
def setnx(c: Session, key: bytes, value: bytes) -> Reply:
    """Store a string only if the key does not exist.

    > SETNX lock:report worker:1
    (integer) 1
    > SETNX lock:report worker:2
    (integer) 0
    > GET lock:report
    "worker:1"
    """
    if c.db.get(key) is not None:
        return 0
    c.put(key, value)
    c.changed(key, b"set")
    return 1


@command("SETEX key seconds value", "write denyoom", since="2.0.0")
def setex(c: Session, key: bytes, seconds: bytes, value: bytes) -> Reply:
    """Store a string that expires after some seconds.

    > SETEX code:ada 300 481516
    OK
    > TTL code:ada
    (integer) 300
    """
    store_until(c, key, value, deadline(c, "setex", b"EX", seconds))
    return OK


@command("PSETEX key milliseconds value", "write denyoom", since="2.6.0")
def psetex(c: Session, key: bytes, milliseconds: bytes, value: bytes) -> Reply:
    """Store a string that expires after some milliseconds.

    > PSETEX lock:report 2900 worker:1
    OK
    > TTL lock:report
    (integer) 3
    """
    store_until(c, key, value, deadline(c, "psetex", b"PX", milliseconds))
    return OK


@command("GETSET key value", "write denyoom fast")
def getset(c: Session, key: bytes, value: bytes) -> Reply:
    """Store a string and give the one that was there.

    > SET visits 41
    OK
    > GETSET visits 0
    "41"
    > GET visits
    "0"
    """
    old = string_at(c, key)
    c.put(key, value)
    c.journal(b"SET", key, value)
    c.changed(key, b"set")
    return old


@command("GETDEL key", "write fast", since="6.2.0")
def getdel(c: Session, key: bytes) -> Reply:
    """Give the string under a key and delete the key.

    > SET code:ada 481516
    OK
    > GETDEL code:ada
    "481516"
    > GETDEL code:ada
    (nil)
    """
    value = string_at(c, key)
    if value is not None:
        c.delete(key)
    return value


@command("GETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
         "write fast", since="6.2.0")  # fmt: skip
def getex(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the string under a key and set or drop its expiry.

    > SET session:81f ada
    OK
    > GETEX session:81f EX 1800
    "ada"
    > TTL session:81f
    (integer) 1800
    > GETEX session:81f PERSIST
    "ada"
    """
    opt = getex.trailing(args)
    value = string_at(c, key)
    if value is None:
        return None
    when = chosen_deadline(c, "getex", opt)
    if b"PERSIST" in opt:
        if c.db.persist(key):
            c.journal(b"PERSIST", key)
            c.changed(key, b"persist")
    elif when is not None:
        c.expire(key, when)
    return value


@command("MGET key [key ...]", "readonly fast", complexity="O(N) keys")
def mget(c: Session, *keys: bytes) -> Reply:
    """Give the strings under several keys; nil for a missing key or another type.

    > MSET user:1 Ada user:2 Grace
    OK
    > MGET user:1 user:3 user:2
    1) "Ada"
    2) (nil)
    3) "Grace"
    """
    out: list[bytes | None] = []
    for key in keys:
        value = c.db.get(key)
        kind = type(value)
        if kind is bytes:
            c.store.hits += 1
            out.append(value)
        elif kind is bytearray:
            c.store.hits += 1
            out.append(bytes(value))
        else:
            if value is None:
                c.missed(key)
            out.append(None)
    return out


@command("MSET key value [key value ...]", "write denyoom", since="1.0.1", complexity="O(N) keys")
def mset(c: Session, *pairs: bytes) -> Reply:
    """Store several strings at once.

    > MSET user:1 Ada user:2 "Grace Hopper"
    OK
    > GET user:2
    "Grace Hopper"
    """
    if len(pairs) % 2:
        raise errors.WrongArity("mset")
    put_pairs(c, pairs)
    return OK


@command("MSETNX key value [key value ...]", "write denyoom", since="1.0.1", complexity="O(N) keys")
def msetnx(c: Session, *pairs: bytes) -> Reply:
    """Store several strings at once, only if none of the keys exists.

    > MSETNX user:1 Ada user:2 Grace
    (integer) 1
    > MSETNX user:2 Alan user:3 Barbara
    (integer) 0
    > EXISTS user:3
    (integer) 0
    """
    if len(pairs) % 2:
        raise errors.WrongArity("msetnx")
    if any(c.db.get(key) is not None for key in pairs[::2]):
        return 0
    put_pairs(c, pairs)
    return 1


def put_pairs(c: Session, pairs: tuple[bytes, ...]) -> None:
    keys, values = pairs[::2], pairs[1::2]
    if not c.put_unseen(keys, values):
        for key, value in zip(keys, values, strict=True):
            c.put(key, value)
            c.changed(key, b"set")


@command("APPEND key value", "write denyoom fast", since="2.0.0")
def append(c: Session, key: bytes, value: bytes) -> Reply:
    """Add to the end of a string; gives its new length.

    > APPEND log "up;"
    (integer) 3
    > APPEND log "down;"
    (integer) 8
    > GET log
    "up;down;"
    """
    old = c.writable(key, bytes)
    size = len(value) + (0 if old is None else len(old))
    check_length(c, size)
    if old is None:
        c.put(key, value)
    elif type(old) is bytearray:
        old.extend(value)
    else:
        c.put(key, bytearray(old + value), keep_ttl=True)
    c.changed(key, b"append")
    return size


@command("STRLEN key", "readonly fast", since="2.2.0")
def strlen(c: Session, key: bytes) -> Reply:
    """Give the length of a string in bytes.

    > SET name Zoë
    OK
    > STRLEN name
    (integer) 4
    """
    value = c.readable(key, bytes)
    return 0 if value is None else len(value)


@command("GETRANGE key start end", "readonly", since="2.4.0", complexity="O(N) bytes returned")
def getrange(c: Session, key: bytes, start: bytes, end: bytes) -> Reply:
    """Give part of a string; both ends included, negative from the end.

    > SET isbn 978-3-16-148410-0
    OK
    > GETRANGE isbn 0 2
    "978"
    > GETRANGE isbn -1 -1
    "0"
    """
    first, last = to_int(start), to_int(end)
    value = c.readable(key, bytes)
    return b"" if value is None else slice_of(value, first, last)


@command("SUBSTR key start end", "readonly", complexity="O(N) bytes returned")
def substr(c: Session, key: bytes, start: bytes, end: bytes) -> Reply:
    """Give part of a string; the old name of GETRANGE.

    > SET greeting "good morning"
    OK
    > SUBSTR greeting 5 -1
    "morning"
    """
    return getrange.handler(c, key, start, end)  # type: ignore[misc]


@command("SETRANGE key offset value", "write denyoom", since="2.2.0")
def setrange(c: Session, key: bytes, offset: bytes, value: bytes) -> Reply:
    """Overwrite part of a string from an offset; gives the new length.

    > SET greeting "good morning"
    OK
    > SETRANGE greeting 5 evening
    (integer) 12
    > GET greeting
    "good evening"
    """
    at = to_int(offset)
    if at < 0:
        raise errors.OffsetOutOfRange
    old = c.writable(key, bytes)
    if not value:
        return len(old or b"")
    check_length(c, at + len(value))
    new = overlay(old, at, value)
    if new is not old:
        c.put(key, new, keep_ttl=True)
    c.changed(key, b"setrange")
    return len(new)


def check_length(c: Session, size: int) -> None:
    """Refuse a string longer than proto-max-bulk-len."""
    if size > c.config.get("proto-max-bulk-len", 536870912):
        raise errors.StringTooLong


@command("INCR key", "write denyoom fast")
def incr(c: Session, key: bytes) -> Reply:
    """Add one to the integer under a key.

    > INCR visits
    (integer) 1
    > INCR visits
    (integer) 2
    """
    return add(c, key, 1)


@command("DECR key", "write denyoom fast")
def decr(c: Session, key: bytes) -> Reply:
    """Take one from the integer under a key.

    > SET stock:pens 10
    OK
    > DECR stock:pens
    (integer) 9
    """
    return add(c, key, -1)


@command("INCRBY key increment", "write denyoom fast")
def incrby(c: Session, key: bytes, increment: bytes) -> Reply:
    """Add to the integer under a key.

    > INCRBY score:ada 50
    (integer) 50
    > INCRBY score:ada -8
    (integer) 42
    """
    return add(c, key, to_int(increment))


@command("DECRBY key decrement", "write denyoom fast")
def decrby(c: Session, key: bytes, decrement: bytes) -> Reply:
    """Take from the integer under a key.

    > SET stock:pens 10
    OK
    > DECRBY stock:pens 4
    (integer) 6
    """
    amount = to_int(decrement)
    if amount == INT64_MIN:
        raise errors.DecrementOverflow
    return add(c, key, -amount)


def add(c: Session, key: bytes, amount: int) -> int:
    """Add to the integer under ``key`` (0 when missing) and give the sum; the TTL stays."""
    old = c.writable(key, bytes)
    total = amount if old is None else to_int(old if type(old) is bytes else bytes(old)) + amount
    if not INT64_MIN <= total <= INT64_MAX:
        raise errors.Overflow
    db = c.db
    if db.careful or db.noting:
        db.put(key, b"%d" % total, True)
    else:
        db.data[key] = b"%d" % total  # what put comes to in the usual case, without the call
    c.changed(key, b"incrby")
    return total


@command("INCRBYFLOAT key increment", "write denyoom fast", since="2.6.0")
def incrbyfloat(c: Session, key: bytes, increment: bytes) -> Reply:
    """Add to the number under a key, in long double precision.

    > SET balance 10.5
    OK
    > INCRBYFLOAT balance 0.1
    "10.6"
    """
    old = c.writable(key, bytes)
    total = add_long_double(b"0" if old is None else bytes(old), increment)
    c.put(key, total, keep_ttl=True)
    c.journal(b"SET", key, total, b"KEEPTTL")
    c.changed(key, b"incrbyfloat")
    return total


@command("LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]", "readonly", since="7.0.0",
         complexity="O(N*M) lengths", keys=(1, 2, 1))  # fmt: skip
def lcs(c: Session, key1: bytes, key2: bytes, *args: bytes) -> Reply:
    """Give the longest common subsequence of two strings, its length or places.

    > MSET old "red fish" new "rude dish"
    OK
    > LCS old new
    "rd ish"
    > LCS old new LEN
    (integer) 6
    """
    values = []
    for key in (key1, key2):  # both are looked at before one is refused
        try:
            values.append(string_at(c, key) or b"")
        except errors.WrongType:
            continue
    if len(values) < 2:
        raise errors.LcsNotString
    a, b = values
    opt = lcs.trailing(args)
    least = max(to_int(opt[b"MINMATCHLEN"]), 0) if b"MINMATCHLEN" in opt else 0
    if b"IDX" in opt and b"LEN" in opt:
        raise errors.LcsOptions
    if 4 * (len(a) + 1) * (len(b) + 1) > c.config.get("proto-max-bulk-len", 536870912):
        raise errors.LcsTooLarge
    common, ranges = longest_common_subsequence(a, b, least)
    if b"LEN" in opt:
        return len(common)
    if b"IDX" not in opt:
        return common
    matches: list[Reply] = []
    for a_from, a_to, b_from, b_to in ranges:
        match: list[Reply] = [[a_from, a_to], [b_from, b_to]]
        if b"WITHMATCHLEN" in opt:
            match.append(a_to - a_from + 1)
        matches.append(match)
    return {b"matches": matches, b"len": len(common)}
