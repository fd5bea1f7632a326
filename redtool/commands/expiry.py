"""When keys end: EXPIRE and its kin, TTL and its kin, PERSIST."""

from __future__ import annotations

from redtool import errors
from redtool.commands.keys import found
from redtool.commands.table import group
from redtool.numeric import INT64_MAX, to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Session

command = group("generic")

CONDITIONS = frozenset({b"NX", b"XX", b"GT", b"LT"})


@command("EXPIRE key seconds [NX | XX | GT | LT]", "write fast")
def expire(c: Session, key: bytes, seconds: bytes, *args: bytes) -> Reply:
    """Let a key end after some seconds; gives 1 when its expiry was set.

    > SET session:81f ada
    OK
    > EXPIRE session:81f 1800
    (integer) 1
    > TTL session:81f
    (integer) 1800
    > EXPIRE session:81f 60 GT
    (integer) 0
    """
    return end_at(c, key, "expire", seconds, 1000, c.now, args)


@command("PEXPIRE key milliseconds [NX | XX | GT | LT]", "write fast", since="2.6.0")
def pexpire(c: Session, key: bytes, milliseconds: bytes, *args: bytes) -> Reply:
    """Let a key end after some milliseconds.

    > SET lock:report me
    OK
    > PEXPIRE lock:report 2900
    (integer) 1
    > TTL lock:report
    (integer) 3
    """
    return end_at(c, key, "pexpire", milliseconds, 1, c.now, args)


@command("EXPIREAT key unix-time-seconds [NX | XX | GT | LT]", "write fast", since="1.2.0")
def expireat(c: Session, key: bytes, seconds: bytes, *args: bytes) -> Reply:
    """Let a key end at a unix time in seconds.

    > SET offer:7 "half price"
    OK
    > EXPIREAT offer:7 4102444800
    (integer) 1
    > EXPIRETIME offer:7
    (integer) 4102444800
    """
    return end_at(c, key, "expireat", seconds, 1000, 0, args)


@command("PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]", "write fast", since="2.6.0")
def pexpireat(c: Session, key: bytes, milliseconds: bytes, *args: bytes) -> Reply:
    """Let a key end at a unix time in milliseconds.

    > SET offer:7 "half price"
    OK
    > PEXPIREAT offer:7 4102444800000
    (integer) 1
    > PEXPIRETIME offer:7
    (integer) 4102444800000
    """
    return end_at(c, key, "pexpireat", milliseconds, 1, 0, args)


def end_at(c: Session, key: bytes, name: str, text: bytes, unit: int, base: int, args: tuple[bytes, ...]) -> int:
    """Set the deadline of a key to ``text`` units after ``base``; one that has passed deletes the key."""
    wanted = conditions(args)
    when = to_int(text)
    if abs(when) > INT64_MAX // unit and unit > 1:
        raise errors.InvalidExpire(name)
    when = when * unit + base
    if when > INT64_MAX:
        raise errors.InvalidExpire(name)
    if c.db.get(key) is None or not permitted(wanted, c.db.expires.get(key), when):
        return 0
    c.expire(key, when)
    return 1


def conditions(args: tuple[bytes, ...]) -> set[bytes]:
    """Read NX, XX, GT, LT: words may be repeated, and XX goes with GT or LT."""
    words = {word.upper(): word for word in args}
    for word, given in words.items():
        if word not in CONDITIONS:
            raise errors.UnsupportedOption(given.partition(b"\0")[0].decode("utf-8", "surrogateescape"))
    if b"NX" in words and len(words) > 1:
        raise errors.NxWithOthers
    if b"GT" in words and b"LT" in words:
        raise errors.GtWithLt
    return set(words)


def permitted(wanted: set[bytes], old: int | None, when: int) -> bool:
    """Tell whether the conditions let ``when`` replace the old deadline; none at all is later than any."""
    if old is None:
        return not wanted & {b"XX", b"GT"}
    if b"NX" in wanted or (b"GT" in wanted and when <= old):
        return False
    return not (b"LT" in wanted and when >= old)


@command("TTL key", "readonly fast")
def ttl(c: Session, key: bytes) -> Reply:
    """Give the seconds a key has left; -1 without expiry, -2 when missing.

    > SET session:81f ada EX 1800
    OK
    > TTL session:81f
    (integer) 1800
    > SET greeting hello
    OK
    > TTL greeting
    (integer) -1
    """
    return left(c, key, 1000, c.now)


@command("PTTL key", "readonly fast", since="2.6.0")
def pttl(c: Session, key: bytes) -> Reply:
    """Give the milliseconds a key has left.

    > SET session:81f ada EX 1800
    OK
    > PTTL session:81f
    (integer) 1…
    > PTTL session:000
    (integer) -2
    """
    return left(c, key, 1, c.now)


@command("EXPIRETIME key", "readonly fast", since="7.0.0")
def expiretime(c: Session, key: bytes) -> Reply:
    """Give the unix time in seconds at which a key ends.

    > SET offer:7 "half price" EXAT 4102444800
    OK
    > EXPIRETIME offer:7
    (integer) 4102444800
    > EXPIRETIME offer:8
    (integer) -2
    """
    return left(c, key, 1000, 0)


@command("PEXPIRETIME key", "readonly fast", since="7.0.0")
def pexpiretime(c: Session, key: bytes) -> Reply:
    """Give the unix time in milliseconds at which a key ends.

    > SET offer:7 "half price" EXAT 4102444800
    OK
    > PEXPIRETIME offer:7
    (integer) 4102444800000
    """
    return left(c, key, 1, 0)


def left(c: Session, key: bytes, unit: int, base: int) -> int:
    """The deadline of a key less ``base``, in units rounded half up."""
    if found(c, key) is None:
        return -2
    when = c.db.expires.get(key)
    return -1 if when is None else (when - base + unit // 2) // unit


@command("PERSIST key", "write fast", since="2.2.0")
def persist(c: Session, key: bytes) -> Reply:
    """Take the expiry from a key; gives 1 when it had one.

    > SET session:81f ada EX 1800
    OK
    > PERSIST session:81f
    (integer) 1
    > TTL session:81f
    (integer) -1
    > PERSIST session:81f
    (integer) 0
    """
    if c.db.get(key) is None or not c.db.persist(key):
        return 0
    c.changed(key, b"persist")
    return 1
