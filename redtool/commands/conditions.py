"""String commands that depend on the value there is, or that set several with one expiry: newer than Redis 7."""

from __future__ import annotations

from redtool import errors
from redtool.commands.strings import CONDITIONS, chosen_deadline, string_at, text_of
from redtool.commands.table import group
from redtool.numeric import to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Session

command = group("string")

DIGEST_LENGTH = 16
HEX = b"0123456789abcdefABCDEF"
MOST_KEYS = 2**31 - 1  # the number of keys is read as a C int


def met(c: Session, key: bytes, word: bytes, operand: bytes) -> bool:
    """Tell whether the string under a key is, or is not, this one, or one of this digest. A missing one is none."""
    if word in (b"IFDEQ", b"IFDNE"):
        if len(operand) != DIGEST_LENGTH or operand.translate(None, HEX):
            raise errors.DigestForm
        operand = operand.lower()
    value = text_of(c.writable(key, bytes))
    if word in (b"IFDEQ", b"IFDNE") and value is not None:
        value = digest_of(value)
    return (value == operand) == (word in (b"IFEQ", b"IFDEQ"))


def repeated(word: bytes, args: tuple[bytes, ...], opt: dict[bytes, object]) -> bool:
    """Tell whether a condition stands there twice, which servers take for a mistake."""
    read = sum(1 if value is True else 2 for value in opt.values())
    return read < len(args) and sum(arg.upper() == word for arg in args) > 1


def digest_of(value: bytes) -> bytes:
    """The XXH3 hash of 64 bits, in hexadecimal."""
    from xxhash import xxh3_64_hexdigest

    return xxh3_64_hexdigest(value).encode()


@command("DELIFEQ key value", "write fast", since="9.0.0")
def delifeq(c: Session, key: bytes, value: bytes) -> Reply:
    """Delete a key if it holds exactly this string; gives 1 if it did.

    > SET lock:report worker:1
    OK
    > DELIFEQ lock:report worker:2
    (integer) 0
    > DELIFEQ lock:report worker:1
    (integer) 1
    """
    if text_of(c.writable(key, bytes)) != value:
        return 0
    return int(c.delete(key))


@command("DELEX key [IFEQ comparison-value | IFNE comparison-value | IFDEQ comparison-digest"
         " | IFDNE comparison-digest]", "write fast", since="8.4.0", arity=-2)  # fmt: skip
def delex(c: Session, key: bytes, *args: bytes) -> Reply:
    """Delete a key, if wanted only when its string or its digest compares so.

    > SET lock:report worker:1
    OK
    > DELEX lock:report IFEQ worker:2
    (integer) 0
    > DELEX lock:report IFNE worker:2
    (integer) 1
    """
    if not args:
        return int(c.delete(key))
    if len(args) != 2:
        raise errors.WrongArity("delex")
    word = args[0].upper()
    if word not in CONDITIONS:
        raise errors.DelexCondition
    if c.db.get(key) is None:
        return 0
    try:
        fits = met(c, key, word, args[1])
    except errors.WrongType:
        raise errors.DelexNotString from None
    return int(fits and c.delete(key))


@command("DIGEST key", "readonly fast", since="8.4.0", complexity="O(N) bytes")
def digest(c: Session, key: bytes) -> Reply:
    """Give the XXH3 hash of a string as 16 hexadecimal digits.

    > SET greeting "Hello world"
    OK
    > DIGEST greeting
    "b6acb9d84a38ff74"
    """
    value = string_at(c, key)
    return None if value is None else digest_of(value)


@command("MSETEX numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT unix-time-seconds"
         " | PXAT unix-time-milliseconds | KEEPTTL]", "write denyoom movablekeys", since="8.4.0",
         complexity="O(N) keys")  # fmt: skip
def msetex(c: Session, *args: bytes) -> Reply:
    """Store several strings with one expiry, if wanted only when all or none exist.

    > MSETEX 2 session:1 ada session:2 grace NX EX 60
    (integer) 1
    > TTL session:2
    (integer) 60
    """
    count = to_int(args[0], errors.BadNumkeys)
    if not 1 <= count <= MOST_KEYS:
        raise errors.BadNumkeys
    pairs, options = args[1 : 1 + 2 * count], args[1 + 2 * count :]
    if len(pairs) < 2 * count:
        raise errors.SyntaxError_
    opt = msetex.trailing(options)
    when = chosen_deadline(c, "msetex", opt)
    there = [c.db.get(key) is not None for key in pairs[::2]]
    if (b"NX" in opt and any(there)) or (b"XX" in opt and not all(there)):
        return 0
    keep = b"KEEPTTL" in opt
    if when is None and not keep:
        c.journal(b"MSET", *pairs)
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        c.put(key, value, keep_ttl=keep)
        if when is not None:
            c.db.expire_at(key, when)  # even one that has passed: the key goes when it is looked at, as on a server
            c.journal(b"SET", key, value, b"PXAT", b"%d" % when)
            c.changed(key, b"set")
            c.event(key, b"expire")
            continue
        if keep:
            c.journal(b"SET", key, value, b"KEEPTTL")
        c.changed(key, b"set")
    return 1
