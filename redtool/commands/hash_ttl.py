"""When fields of a hash end: HEXPIRE and its kin, HTTL and its kin, HPERSIST; HGETEX, HSETEX, HGETDEL.

What is journalled is what came of it: HPEXPIREAT, HPERSIST, HSET and HDEL, the least of what servers know.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.expiry import permitted
from redtool.commands.table import group
from redtool.engine.hashes import Hash
from redtool.numeric import INT64_MAX, to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redtool.resp import Reply
    from redtool.session import Session

command = group("hash")

LAST = (1 << 46) - 1  # the latest deadline, in unix ms, that Redis keeps of a field
INT32_MAX = (1 << 31) - 1
CONDITIONS = frozenset({b"NX", b"XX", b"GT", b"LT"})
UNITS = {b"EX": (1000, True), b"PX": (1, True), b"EXAT": (1000, False), b"PXAT": (1, False)}  # ms, from now on
MISSING, UNCHANGED, SET, DELETED = -2, 0, 1, 2  # what HEXPIRE says of a field
ENDLESS = -1


# -- set a deadline


@command("HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", "write denyoom fast",
         since="7.4.0", complexity="O(N) fields named")  # fmt: skip
def hexpire(c: Session, key: bytes, seconds: bytes, *args: bytes) -> Reply:
    """Let fields of a hash end after some seconds; for each 1, 0, 2 or -2.

    > HSET session:7 token abc cart full
    (integer) 2
    > HEXPIRE session:7 60 FIELDS 2 token nofield
    1) (integer) 1
    2) (integer) -2
    > HTTL session:7 FIELDS 2 token cart
    1) (integer) 60
    2) (integer) -1
    """
    return end_at(c, key, "hexpire", seconds, 1000, c.now, args)


@command("HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]", "write denyoom fast",
         since="7.4.0", complexity="O(N) fields named")  # fmt: skip
def hpexpire(c: Session, key: bytes, milliseconds: bytes, *args: bytes) -> Reply:
    """Let fields of a hash end after some milliseconds.

    > HSET session:7 token abc
    (integer) 1
    > HPEXPIRE session:7 1500 FIELDS 1 token
    1) (integer) 1
    """
    return end_at(c, key, "hpexpire", milliseconds, 1, c.now, args)


@command("HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
         "write denyoom fast", since="7.4.0", complexity="O(N) fields named")  # fmt: skip
def hexpireat(c: Session, key: bytes, seconds: bytes, *args: bytes) -> Reply:
    """Let fields of a hash end at a unix time in seconds.

    > HSET session:7 token abc
    (integer) 1
    > HEXPIREAT session:7 4102444800 FIELDS 1 token
    1) (integer) 1
    """
    return end_at(c, key, "hexpireat", seconds, 1000, 0, args)


@command("HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
         "write denyoom fast", since="7.4.0", complexity="O(N) fields named")  # fmt: skip
def hpexpireat(c: Session, key: bytes, milliseconds: bytes, *args: bytes) -> Reply:
    """Let fields of a hash end at a unix time in ms; a past one removes them.

    > HSET session:7 token abc
    (integer) 1
    > HPEXPIREAT session:7 1 FIELDS 1 token
    1) (integer) 2
    > EXISTS session:7
    (integer) 0
    """
    return end_at(c, key, "hpexpireat", milliseconds, 1, 0, args)


def end_at(c: Session, key: bytes, name: str, text: bytes, unit: int, base: int, args: tuple[bytes, ...]) -> list[int]:
    """Set the deadline of fields to ``text`` units after ``base``, where the condition allows; one passed removes."""
    hash_ = c.writable(key, Hash)
    when = moment(name, text, unit, base)
    wanted = {args[0].upper()} & CONDITIONS
    fields = named(args[len(wanted) :], errors.NumFieldsTooSmall)
    c.journal()
    if hash_ is None:
        return [MISSING] * len(fields)
    passed = c.passed(when)
    out: list[int] = []
    done: list[bytes] = []
    for field in fields:
        if field not in hash_:
            out.append(MISSING)
        elif not permitted(wanted, hash_.deadlines.get(field) if hash_.deadlines else None, when):
            out.append(UNCHANGED)
        else:
            done.append(field)
            if passed:
                hash_.take((field,))
            else:
                hash_.expire_at(field, when)
            out.append(DELETED if passed else SET)
    if passed:
        removed(c, key, hash_, done)
    else:
        timed(c, key, hash_, done, when)
    return out


def moment(name: str, text: bytes, unit: int, base: int) -> int:
    """Read a time as a deadline in unix ms."""
    value = to_int(text)
    if value < 0:
        raise errors.NegativeExpire
    if value > INT64_MAX // unit or value * unit + base > LAST:
        raise errors.InvalidExpire(name)
    return value * unit + base


def named(args: Sequence[bytes], too_small: type[errors.ReplyError] | None = None) -> Sequence[bytes]:
    """Read ``FIELDS numfields field …``, which must be all there is."""
    if args[0].upper() != b"FIELDS":
        raise errors.FieldsMissing
    error = too_small or errors.FieldCount
    if len(args) < 2 or to_int(args[1], error) < 1:
        raise error
    if to_int(args[1]) != len(args) - 2:
        raise errors.FieldCountDiffers
    return args[2:]


def timed(c: Session, key: bytes, hash_: Hash, fields: Sequence[bytes], when: int) -> None:
    """Report fields that were given a deadline."""
    if fields:
        c.db.note_fields(key, hash_)
        c.journal(b"HPEXPIREAT", key, b"%d" % when, b"FIELDS", b"%d" % len(fields), *fields)
        c.changed(key, b"hexpire", len(fields))


def removed(c: Session, key: bytes, hash_: Hash, fields: Sequence[bytes]) -> None:
    """Report fields that were removed, and the key that went with the last."""
    if fields:
        c.journal(b"HDEL", key, *fields)
        c.changed(key, b"hdel", len(fields))
        c.drop_if_empty(key, hash_)


# -- ask for a deadline, take it away


@command("HTTL key FIELDS numfields field [field ...]", "readonly fast", since="7.4.0", complexity="O(N) fields named")
def httl(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the seconds that fields have left; -1 without a deadline, -2 when missing.

    > HSETEX session:7 EX 60 FIELDS 1 token abc
    (integer) 1
    > HTTL session:7 FIELDS 2 token nofield
    1) (integer) 60
    2) (integer) -2
    """
    return left(c, key, args, 1000, c.now)


@command("HPTTL key FIELDS numfields field [field ...]", "readonly fast", since="7.4.0", complexity="O(N) fields named")
def hpttl(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the milliseconds that fields have left.

    > HSETEX session:7 EX 60 FIELDS 1 token abc
    (integer) 1
    > HPTTL session:7 FIELDS 1 token
    1) (integer) …
    """
    return left(c, key, args, 1, c.now)


@command("HEXPIRETIME key FIELDS numfields field [field ...]", "readonly fast", since="7.4.0",
         complexity="O(N) fields named")  # fmt: skip
def hexpiretime(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the unix time in seconds at which fields end.

    > HSETEX session:7 EXAT 4102444800 FIELDS 1 token abc
    (integer) 1
    > HEXPIRETIME session:7 FIELDS 1 token
    1) (integer) 4102444800
    """
    return left(c, key, args, 1000, 0)


@command("HPEXPIRETIME key FIELDS numfields field [field ...]", "readonly fast", since="7.4.0",
         complexity="O(N) fields named")  # fmt: skip
def hpexpiretime(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the unix time in milliseconds at which fields end.

    > HSETEX session:7 EXAT 4102444800 FIELDS 1 token abc
    (integer) 1
    > HPEXPIRETIME session:7 FIELDS 1 token
    1) (integer) 4102444800000
    """
    return left(c, key, args, 1, 0)


def left(c: Session, key: bytes, args: Sequence[bytes], unit: int, base: int) -> list[int]:
    """The deadlines of fields less ``base``, in units rounded up, as Redis does; Valkey rounds half up."""
    hash_ = c.readable(key, Hash)
    fields = named(args)
    if hash_ is None:
        return [MISSING] * len(fields)
    deadlines = hash_.deadlines or {}
    out = []
    for field in fields:
        when = deadlines.get(field)
        if when is not None:
            out.append((when - base + unit - 1) // unit)
        else:
            out.append(ENDLESS if field in hash_ else MISSING)
    return out


@command("HPERSIST key FIELDS numfields field [field ...]", "write fast", since="7.4.0", complexity="O(N) fields named")
def hpersist(c: Session, key: bytes, *args: bytes) -> Reply:
    """Take the deadline from fields; for each 1, -1 (it had none) or -2 (missing).

    > HSETEX session:7 EX 60 FIELDS 1 token abc
    (integer) 1
    > HPERSIST session:7 FIELDS 2 token nofield
    1) (integer) 1
    2) (integer) -2
    """
    hash_ = c.writable(key, Hash)
    fields = named(args)
    c.journal()
    if hash_ is None:
        return [MISSING] * len(fields)
    out = [MISSING if field not in hash_ else SET if hash_.persist(field) else ENDLESS for field in fields]
    persisted(c, key, [field for field, found in zip(fields, out, strict=True) if found == SET])
    return out


def persisted(c: Session, key: bytes, fields: Sequence[bytes]) -> None:
    """Report fields that have lost their deadline."""
    if fields:
        c.journal(b"HPERSIST", key, b"FIELDS", b"%d" % len(fields), *fields)
        c.changed(key, b"hpersist", len(fields))


# -- read or write, and set a deadline


@command("HGETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]"
         " FIELDS numfields field [field ...]", "write fast", since="8.0.0",
         complexity="O(N) fields named")  # fmt: skip
def hgetex(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the values of fields and set or drop their deadline.

    > HSET session:7 token abc cart full
    (integer) 2
    > HGETEX session:7 EX 60 FIELDS 2 token cart
    1) "abc"
    2) "full"
    > HTTL session:7 FIELDS 1 token
    1) (integer) 60
    """
    hash_ = c.writable(key, Hash)
    word, when = args[0].upper(), None
    rest = args
    if word in UNITS:
        when = deadline(c, "hgetex", word, args[1])
        rest = args[2:]
    elif word == b"PERSIST":
        rest = args[1:]
    fields = named(rest or (b"",))
    c.journal()
    if hash_ is None:
        return [None] * len(fields)
    if when is not None and c.passed(when):
        return taken(c, key, hash_, fields)
    values = [hash_.get(field) for field in fields]
    if when is not None:
        there = [field for field in fields if field in hash_]
        for field in there:
            hash_.expire_at(field, when)
        timed(c, key, hash_, there, when)
    elif word == b"PERSIST":
        persisted(c, key, [field for field in fields if hash_.persist(field)])
    return values


def deadline(c: Session, name: str, word: bytes, text: bytes) -> int:
    """Read the argument of EX, PX, EXAT or PXAT as a deadline in unix ms."""
    unit, relative = UNITS[word]
    return moment(name, text, unit, c.now if relative else 0)


def taken(c: Session, key: bytes, hash_: Hash, fields: Sequence[bytes]) -> list[bytes | None]:
    """Remove fields and give their values; of one that is named twice, once."""
    values: list[bytes | None] = []
    gone: list[bytes] = []
    for field in fields:
        values.append(hash_.get(field))
        if hash_.take((field,)):
            gone.append(field)
    removed(c, key, hash_, gone)
    return values


@command("HGETDEL key FIELDS numfields field [field ...]", "write fast", since="8.0.0", complexity="O(N) fields named")
def hgetdel(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the values of fields and remove them.

    > HSET session:7 token abc cart full
    (integer) 2
    > HGETDEL session:7 FIELDS 2 token nofield
    1) "abc"
    2) (nil)
    > HKEYS session:7
    1) "cart"
    """
    hash_ = c.writable(key, Hash)
    fields = named(args)
    c.journal()
    return [None] * len(fields) if hash_ is None else taken(c, key, hash_, fields)


class SetRequest:
    """What HSETEX asks for, read in any order up to FIELDS."""

    __slots__ = ("expiry", "if_fields", "if_key", "pairs")

    def __init__(self, c: Session, args: Sequence[bytes]) -> None:
        self.if_key = self.if_fields = b""  # NX or XX, which only Valkey has; FNX or FXX
        self.expiry = (b"", b"")  # EX, PX, EXAT, PXAT or KEEPTTL, and the time
        at = 0
        while (word := args[at].upper()) != b"FIELDS":
            if word in (b"NX", b"XX"):
                if self.if_key:
                    raise errors.SyntaxError_
                self.if_key = word
            elif word in (b"FNX", b"FXX"):
                if self.if_fields:
                    raise errors.FieldConditionTwice
                self.if_fields = word
            elif word in UNITS or word == b"KEEPTTL":
                if self.expiry[0]:
                    raise errors.FieldExpiryTwice
                at += word != b"KEEPTTL"
                self.expiry = word, args[at] if at < len(args) else b""
                if word in UNITS and not on_key(args):  # Redis refuses a wrong time before anything that follows
                    deadline(c, "hsetex", *self.expiry)
            else:
                raise errors.UnknownArgument(args[at].partition(b"\0")[0].decode("utf-8", "surrogateescape"))
            at += 1
            if at >= len(args):
                raise errors.WrongArity("hsetex")
        count = to_int(args[at + 1], errors.InvalidFieldCount) if at + 1 < len(args) else 0
        if not 1 <= count <= INT32_MAX:
            raise errors.InvalidFieldCount
        self.pairs = args[at + 2 :]
        if len(self.pairs) != 2 * count:
            raise errors.WrongArity("hsetex")

    def allows_fields(self, hash_: Hash | None) -> bool:
        """Whether the condition on all fields holds."""
        there: Mapping[bytes, bytes] = hash_ or {}
        return not self.if_fields or all((field in there) == (self.if_fields == b"FXX") for field in self.pairs[::2])


def on_key(args: Sequence[bytes]) -> bool:
    """Whether HSETEX has a condition on the key: Valkey looks at that before it reads the time."""
    for word in args:
        upper = word.upper()
        if upper in (b"NX", b"XX"):
            return True
        if upper == b"FIELDS":
            break
    return False


@command("HSETEX key [NX | XX] [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds"
         " | PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]",
         "write denyoom fast", since="8.0.0", complexity="O(N) fields named")  # fmt: skip
def hsetex(c: Session, key: bytes, *args: bytes) -> Reply:
    """Set fields of a hash with a deadline, on conditions; gives 1, or 0 if unmet.

    > HSETEX session:7 EX 60 FIELDS 2 token abc cart full
    (integer) 1
    > HSETEX session:7 FNX FIELDS 1 token def
    (integer) 0
    > HTTL session:7 FIELDS 2 token cart
    1) (integer) 60
    2) (integer) 60
    """
    wanted = SetRequest(c, args)
    if wanted.if_key and (wanted.if_key == b"NX") != (c.writable(key, Hash) is None):
        c.journal()
        return 0
    word, text = wanted.expiry
    when = deadline(c, "hsetex", word, text) if word in UNITS else None
    hash_ = c.writable(key, Hash)
    c.journal()
    if not wanted.allows_fields(hash_):
        return 0
    fields = list(dict.fromkeys(wanted.pairs[::2]))
    if when is not None and c.passed(when):
        if hash_ is None:
            c.event(key, b"new")
        c.event(key, b"hset")
        there = [] if hash_ is None else [field for field in fields if field in hash_]
        if hash_ is not None and there:
            hash_.take(there)
            removed(c, key, hash_, there)
        else:  # a server sets them and deletes them again
            c.event(key, b"hdel")
            if hash_ is None:
                c.event(key, b"del")
        return 1
    if hash_ is None:
        hash_ = c.writable(key, Hash, create=True)
    kept = {}
    if word == b"KEEPTTL" and hash_.deadlines:
        kept = {field: hash_.deadlines[field] for field in fields if field in hash_.deadlines}
    hash_.put(wanted.pairs)
    c.journal(b"HSET", key, *wanted.pairs)
    c.changed(key, b"hset", len(wanted.pairs) >> 1)
    if when is not None:
        kept = dict.fromkeys(fields, when)
        c.event(key, b"hexpire")
    renew(c, key, hash_, kept)
    return 1


def renew(c: Session, key: bytes, hash_: Hash, deadlines: dict[bytes, int]) -> None:
    """Give fields just set their deadlines, and journal these, those that end at one time together."""
    together: dict[int, list[bytes]] = {}
    for field, when in deadlines.items():
        hash_.expire_at(field, when)
        together.setdefault(when, []).append(field)
    c.db.note_fields(key, hash_)
    for when, fields in together.items():
        c.journal(b"HPEXPIREAT", key, b"%d" % when, b"FIELDS", b"%d" % len(fields), *fields)
