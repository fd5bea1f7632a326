"""Hash commands."""

from __future__ import annotations

from redtool import errors
from redtool.commands.picks import drawn, page, scan_options, to_draws
from redtool.commands.table import group
from redtool.engine.hashes import Hash
from redtool.engine.packed import join
from redtool.numeric import INT64_MAX, INT64_MIN, add_long_double, to_cursor, to_float, to_int
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from redtool.resp import Reply
    from redtool.session import Session

command = group("hash")
PACK_FROM = 8  # fields and values in a command from which a new hash is worth packing


@command("HSET key field value [field value ...]", "write denyoom fast", since="2.0.0", complexity="O(1) a field")
def hset(c: Session, key: bytes, *pairs: bytes) -> Reply:
    """Set fields of a hash; gives how many are new.

    > HSET user:1 name Ada born 1815
    (integer) 2
    > HSET user:1 name "Ada Lovelace" city London
    (integer) 1
    > HGETALL user:1
    1) "name"
    2) "Ada Lovelace"
    3) "born"
    4) "1815"
    5) "city"
    6) "London"
    """
    if len(pairs) & 1:
        raise errors.WrongArity("hset")
    added = fill(c, key, pairs)
    c.changed(key, b"hset", len(pairs) >> 1)
    return added


def fill(c: Session, key: bytes, pairs: Sequence[bytes]) -> int:
    """Set fields; gives how many are new. A new hash of some small fields lies packed until it is touched."""
    hash_ = c.writable(key, Hash)
    if hash_ is None:
        if len(pairs) >= PACK_FROM and (packed := join(pairs)) is not None:
            c.put(key, packed)
            c.db.packed = True
            return len(pairs) >> 1
        hash_ = Hash()
        c.put(key, hash_)
    added: int = hash_.put(pairs)
    return added


@command("HMSET key field value [field value ...]", "write denyoom fast", since="2.0.0", complexity="O(1) a field")
def hmset(c: Session, key: bytes, *pairs: bytes) -> Reply:
    """Set fields of a hash; the older form of HSET.

    > HMSET user:1 name Ada born 1815
    OK
    > HGET user:1 born
    "1815"
    """
    if len(pairs) & 1:
        raise errors.WrongArity("hmset")
    fill(c, key, pairs)
    c.changed(key, b"hset", len(pairs) >> 1)
    return OK


@command("HSETNX key field value", "write denyoom fast", since="2.0.0")
def hsetnx(c: Session, key: bytes, field: bytes, value: bytes) -> Reply:
    """Set a field unless it exists; gives 1 when it was set.

    > HSETNX user:1 name Ada
    (integer) 1
    > HSETNX user:1 name Grace
    (integer) 0
    > HGET user:1 name
    "Ada"
    """
    hash_ = c.writable(key, Hash, create=True)
    if field in hash_:
        return 0
    hash_.put((field, value))
    c.changed(key, b"hset")
    return 1


@command("HDEL key field [field ...]", "write fast", since="2.0.0", complexity="O(1) a field")
def hdel(c: Session, key: bytes, *fields: bytes) -> Reply:
    """Remove fields of a hash; gives how many there were.

    > HSET user:1 name Ada born 1815
    (integer) 2
    > HDEL user:1 born email
    (integer) 1
    > HKEYS user:1
    1) "name"
    """
    hash_ = c.writable(key, Hash)
    if hash_ is None:
        return 0
    gone: int = hash_.take(fields)
    c.changed(key, b"hdel", gone)
    c.drop_if_empty(key, hash_)
    return gone


# -- count up


@command("HINCRBY key field increment", "write denyoom fast", since="2.0.0")
def hincrby(c: Session, key: bytes, field: bytes, increment: bytes) -> Reply:
    """Add an integer to a field, which counts as 0 when missing; gives the sum.

    > HSET cart:9 apples 2
    (integer) 1
    > HINCRBY cart:9 apples 3
    (integer) 5
    > HINCRBY cart:9 pears 1
    (integer) 1
    """
    step = to_int(increment)
    hash_ = c.writable(key, Hash)
    total = step + (0 if hash_ is None else to_int(hash_.get(field, b"0"), errors.HashNotInteger))
    if not INT64_MIN <= total <= INT64_MAX:
        raise errors.Overflow
    c.writable(key, Hash, create=True).alter(field, b"%d" % total)
    c.changed(key, b"hincrby")
    return total


@command("HINCRBYFLOAT key field increment", "write denyoom fast", since="2.6.0")
def hincrbyfloat(c: Session, key: bytes, field: bytes, increment: bytes) -> Reply:
    """Add a decimal number to a field, which counts as 0 when missing; gives the sum.

    > HSET account:3 balance 10.5
    (integer) 1
    > HINCRBYFLOAT account:3 balance -0.25
    "10.25"
    """
    to_float(increment)
    if b"inf" in increment.lower():
        raise errors.NotFinite
    hash_ = c.writable(key, Hash)
    before = b"0" if hash_ is None else hash_.get(field, b"0")
    total = add_long_double(before, increment, errors.HashNotFloat)
    c.writable(key, Hash, create=True).alter(field, total)
    c.changed(key, b"hincrbyfloat")
    c.journal(b"HSET", key, field, total)
    when = hash_.deadlines.get(field) if hash_ is not None and hash_.deadlines else None
    if when is not None:  # which HSET takes away
        c.journal(b"HPEXPIREAT", key, b"%d" % when, b"FIELDS", b"1", field)
    return total


# -- read


@command("HGET key field", "readonly fast", since="2.0.0")
def hget(c: Session, key: bytes, field: bytes) -> Reply:
    """Give the value of a field; nil when missing.

    > HSET user:1 name Ada
    (integer) 1
    > HGET user:1 name
    "Ada"
    > HGET user:1 email
    (nil)
    """
    hash_ = c.readable(key, Hash)
    return None if hash_ is None else hash_.get(field)


@command("HMGET key field [field ...]", "readonly fast", since="2.0.0", complexity="O(N) fields asked for")
def hmget(c: Session, key: bytes, *fields: bytes) -> Reply:
    """Give the values of several fields, nil for each that is missing.

    > HSET user:1 name Ada born 1815
    (integer) 2
    > HMGET user:1 name email born
    1) "Ada"
    2) (nil)
    3) "1815"
    """
    hash_ = c.readable(key, Hash)
    return [None] * len(fields) if hash_ is None else list(map(hash_.get, fields))


@command("HGETALL key", "readonly", since="2.0.0", complexity="O(N) fields")
def hgetall(c: Session, key: bytes) -> Reply:
    """Give all fields and values.

    > HSET user:1 name Ada born 1815
    (integer) 2
    > HGETALL user:1
    1) "name"
    2) "Ada"
    3) "born"
    4) "1815"
    > HGETALL user:2
    (empty array)
    """
    hash_ = c.readable(key, Hash)
    return {} if hash_ is None else dict(hash_)


@command("HKEYS key", "readonly", since="2.0.0", complexity="O(N) fields")
def hkeys(c: Session, key: bytes) -> Reply:
    """Give all field names.

    > HSET user:1 name Ada born 1815
    (integer) 2
    > HKEYS user:1
    1) "name"
    2) "born"
    """
    hash_ = c.readable(key, Hash)
    return [] if hash_ is None else list(hash_)


@command("HVALS key", "readonly", since="2.0.0", complexity="O(N) fields")
def hvals(c: Session, key: bytes) -> Reply:
    """Give all values.

    > HSET user:1 name Ada born 1815
    (integer) 2
    > HVALS user:1
    1) "Ada"
    2) "1815"
    """
    hash_ = c.readable(key, Hash)
    return [] if hash_ is None else list(hash_.values())


@command("HLEN key", "readonly fast", since="2.0.0")
def hlen(c: Session, key: bytes) -> Reply:
    """Give the number of fields, 0 when missing.

    > HSET user:1 name Ada born 1815
    (integer) 2
    > HLEN user:1
    (integer) 2
    """
    hash_ = c.readable(key, Hash)
    return 0 if hash_ is None else len(hash_)


@command("HEXISTS key field", "readonly fast", since="2.0.0")
def hexists(c: Session, key: bytes, field: bytes) -> Reply:
    """Tell whether a field exists: 1 or 0.

    > HSET user:1 name Ada
    (integer) 1
    > HEXISTS user:1 name
    (integer) 1
    > HEXISTS user:1 email
    (integer) 0
    """
    hash_ = c.readable(key, Hash)
    return 1 if hash_ is not None and field in hash_ else 0


@command("HSTRLEN key field", "readonly fast", since="3.2.0")
def hstrlen(c: Session, key: bytes, field: bytes) -> Reply:
    """Give the length of a field's value in bytes, 0 when missing.

    > HSET user:1 name Ada
    (integer) 1
    > HSTRLEN user:1 name
    (integer) 3
    """
    hash_ = c.readable(key, Hash)
    return 0 if hash_ is None else len(hash_.get(field, b""))


@command("HRANDFIELD key [count [WITHVALUES]]", "readonly", since="6.2.0", complexity="O(N) fields given")
def hrandfield(c: Session, key: bytes, count: bytes | None = None, *rest: bytes) -> Reply:
    """Give a field at random, or count different ones, or -count that may repeat.

    > HSET wheel red 1 green 2 blue 3
    (integer) 3
    > HRANDFIELD wheel
    "…"
    > HRANDFIELD wheel 2 WITHVALUES
    1) "…"
    2) "…"
    3) "…"
    4) "…"
    """
    if count is None:
        hash_ = c.readable(key, Hash)
        return None if hash_ is None else hash_.pick(c.store.rng)
    number = to_draws(count)
    if rest and (len(rest) > 1 or rest[0].upper() != b"WITHVALUES"):
        raise errors.SyntaxError_
    if rest and not INT64_MIN // 2 < number <= INT64_MAX // 2:
        raise errors.OutOfRange
    hash_ = c.readable(key, Hash)
    if hash_ is None:
        return []
    fields = drawn(c, hash_, number)
    if not rest:
        return fields
    if c.proto == 3:
        return [[field, hash_[field]] for field in fields]
    return [text for field in fields for text in (field, hash_[field])]


@command("HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]", "readonly", since="2.8.0",
         complexity="O(1) a call, O(N) for all fields")  # fmt: skip
def hscan(c: Session, key: bytes, cursor: bytes, *args: bytes) -> Reply:
    """Go through fields and values a page at a time: next cursor, and some of them.

    > HSET user:1 name Ada born 1815
    (integer) 2
    > HSCAN user:1 0
    1) "0"
    2) 1) "name"
       2) "Ada"
       3) "born"
       4) "1815"
    > HSCAN user:1 0 MATCH b*
    1) "0"
    2) 1) "born"
       2) "1815"
    """
    start = to_cursor(cursor)
    hash_ = c.readable(key, Hash)
    if hash_ is None:
        return [b"0", []]
    pattern, count, bare = scan_options(args, b"NOVALUES")
    following, fields = page(c, hash_, start, pattern, count)
    if not bare:
        fields = [text for field in fields for text in (field, hash_[field])]
    return [b"%d" % following, fields]
