"""Set commands."""

from __future__ import annotations

from redtool import errors
from redtool.commands.picks import drawn, page, scan_options, to_draws
from redtool.commands.table import group
from redtool.engine.sets import LISTPACK, NAMES, Set, listed
from redtool.numeric import to_cursor, to_int, to_natural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from redtool.resp import Reply
    from redtool.session import Session

    Operand = Set | frozenset[bytes]

command = group("set")


def members(c: Session, found: AbstractSet[bytes]) -> Reply:
    """The reply that is a set: a set in RESP3, a list in RESP2."""
    return set(found) if c.proto == 3 else listed(found, c.config)


# -- one set


@command("SADD key member [member ...]", "write denyoom fast", complexity="O(1) a member")
def sadd(c: Session, key: bytes, *members: bytes) -> Reply:
    """Add members to a set; gives how many are new.

    > SADD tags:7 red blue
    (integer) 2
    > SADD tags:7 red green
    (integer) 1
    > SCARD tags:7
    (integer) 3
    """
    added: int = c.writable(key, Set, create=True).put(members)
    c.changed(key, b"sadd", added)
    return added


@command("SREM key member [member ...]", "write fast", complexity="O(1) a member")
def srem(c: Session, key: bytes, *members: bytes) -> Reply:
    """Remove members from a set; gives how many there were.

    > SADD tags:7 red blue
    (integer) 2
    > SREM tags:7 blue pink
    (integer) 1
    > SMEMBERS tags:7
    1) "red"
    """
    value = c.writable(key, Set)
    if value is None:
        return 0
    gone: int = value.take(members)
    c.changed(key, b"srem", gone)
    c.drop_if_empty(key, value)
    return gone


@command("SMEMBERS key", "readonly", complexity="O(N) members")
def smembers(c: Session, key: bytes) -> Reply:
    """Give all members.

    > SADD lucky 7 3 21
    (integer) 3
    > SMEMBERS lucky
    1) "3"
    2) "7"
    3) "21"
    """
    return members(c, c.readable(key, Set) or frozenset())


@command("SISMEMBER key member", "readonly fast")
def sismember(c: Session, key: bytes, member: bytes) -> Reply:
    """Tell whether the set has this member: 1 or 0.

    > SADD online ada grace
    (integer) 2
    > SISMEMBER online ada
    (integer) 1
    > SISMEMBER online alan
    (integer) 0
    """
    value = c.readable(key, Set)
    return 1 if value is not None and member in value else 0


@command("SMISMEMBER key member [member ...]", "readonly fast", since="6.2.0", complexity="O(N) members asked for")
def smismember(c: Session, key: bytes, *members: bytes) -> Reply:
    """Tell for each of several members whether the set has it.

    > SADD online ada grace
    (integer) 2
    > SMISMEMBER online ada alan grace
    1) (integer) 1
    2) (integer) 0
    3) (integer) 1
    """
    value = c.readable(key, Set) or frozenset()
    return [1 if member in value else 0 for member in members]


@command("SCARD key", "readonly fast")
def scard(c: Session, key: bytes) -> Reply:
    """Give the number of members, 0 when missing.

    > SADD online ada grace
    (integer) 2
    > SCARD online
    (integer) 2
    """
    value = c.readable(key, Set)
    return 0 if value is None else len(value)


@command("SMOVE source destination member", "write fast")
def smove(c: Session, source: bytes, destination: bytes, member: bytes) -> Reply:
    """Move a member from one set to another; gives 1 when it was there.

    > SADD online ada grace
    (integer) 2
    > SMOVE online away ada
    (integer) 1
    > SMEMBERS away
    1) "ada"
    """
    value = c.writable(source, Set)
    if value is None:
        return 0
    target = c.writable(destination, Set)
    if member not in value:
        return 0
    if value is target:
        return 1
    value.take((member,))
    c.changed(source, b"srem")
    c.drop_if_empty(source, value)
    if target is None:
        target = c.writable(destination, Set, create=True)
    c.changed(destination, b"sadd", target.put((member,)))
    return 1


# -- at random


@command("SPOP key [count]", "write fast", complexity="O(N) members given", arity=-2)
def spop(c: Session, key: bytes, count: bytes | None = None, *rest: bytes) -> Reply:
    """Remove and give a member at random, or count different ones.

    > SADD raffle 11 12 13
    (integer) 3
    > SPOP raffle
    "1…"
    > SCARD raffle
    (integer) 2
    """
    if rest:
        raise errors.SyntaxError_
    number = 1 if count is None else to_natural(count, errors.MustBePositive)
    value = c.writable(key, Set)
    if value is None:
        return None if count is None else members(c, frozenset())
    gone = [value.pick(c.store.rng)] if count is None else drawn(c, value, number)
    # A server that is to take nearly all moves the few that stay into a new set.
    moved = (len(value) - len(gone)) * 5 <= len(gone) and value.encoding(c.config)
    value.take(gone)
    if moved:
        value.floor = 0 if moved == b"intset" else LISTPACK
    c.changed(key, b"spop", len(gone))
    if c.drop_if_empty(key, value) and count is not None:
        c.journal(b"DEL", key)
    elif gone:
        c.journal(b"SREM", key, *gone)
    if count is None:
        return gone[0]
    return set(gone) if c.proto == 3 else gone


@command("SRANDMEMBER key [count]", "readonly", complexity="O(N) members given", arity=-2)
def srandmember(c: Session, key: bytes, count: bytes | None = None, *rest: bytes) -> Reply:
    """Give a member at random, or count different ones, or -count that may repeat.

    > SADD raffle 11 12 13
    (integer) 3
    > SRANDMEMBER raffle
    "1…"
    > SRANDMEMBER raffle 2
    1) "1…"
    2) "1…"
    > SCARD raffle
    (integer) 3
    """
    if rest:
        raise errors.SyntaxError_
    number = None if count is None else to_draws(count)
    value = c.readable(key, Set)
    if number is None:
        return None if value is None else value.pick(c.store.rng)
    return [] if value is None else drawn(c, value, number)


@command("SSCAN key cursor [MATCH pattern] [COUNT count]", "readonly", since="2.8.0",
         complexity="O(1) a call, O(N) for all members")  # fmt: skip
def sscan(c: Session, key: bytes, cursor: bytes, *args: bytes) -> Reply:
    """Go through the members a page at a time: next cursor, and some of them.

    > SADD lucky 7 3 21
    (integer) 3
    > SSCAN lucky 0
    1) "0"
    2) 1) "3"
       2) "7"
       3) "21"
    """
    start = to_cursor(cursor)
    value = c.readable(key, Set)
    if value is None:
        return [b"0", []]
    pattern, count, _ = scan_options(args)
    following, found = page(c, value, start, pattern, count)
    return [b"%d" % following, found]


# -- several sets


def operands(c: Session, keys: Sequence[bytes]) -> list[Operand]:
    """The sets under these keys, an empty one for each that is missing."""
    return [c.readable(key, Set) or frozenset() for key in keys]


def intersection(sets: list[Operand]) -> AbstractSet[bytes]:
    """What all have in common, from the smallest on."""
    first, *rest = sorted(sets, key=len)
    return first.intersection(*rest) if first else first


def union(sets: list[Operand]) -> AbstractSet[bytes]:
    """What any has."""
    return sets[0].union(*sets[1:])


def difference(sets: list[Operand]) -> AbstractSet[bytes]:
    """What the first has and no other."""
    return sets[0].difference(*sets[1:])


def keep(c: Session, key: bytes, event: bytes, found: AbstractSet[bytes], floor: int = 0) -> int:
    """Store a result in place of whatever is under the key; an empty one removes the key.

    ``floor`` is the least encoding that the way to the result has left to it.
    """
    if found:
        value = Set(found)
        if floor and not value.floor:
            value.floor = floor
        c.put(key, value)
        c.changed(key, event)
    elif c.remove(key):
        c.changed(key, b"del")
    return len(found)


@command("SINTER key [key ...]", "readonly", complexity="O(N*M) smallest set, sets")
def sinter(c: Session, *keys: bytes) -> Reply:
    """Give the members that all sets have.

    > SADD likes:ada jazz chess
    (integer) 2
    > SADD likes:alan chess running
    (integer) 2
    > SINTER likes:ada likes:alan
    1) "chess"
    """
    return members(c, intersection(operands(c, keys)))


@command("SUNION key [key ...]", "readonly", complexity="O(N) members of all sets")
def sunion(c: Session, *keys: bytes) -> Reply:
    """Give the members that any of the sets has.

    > SADD shifts:mon 1 2
    (integer) 2
    > SADD shifts:tue 2 3
    (integer) 2
    > SUNION shifts:mon shifts:tue
    1) "1"
    2) "2"
    3) "3"
    """
    return members(c, union(operands(c, keys)))


@command("SDIFF key [key ...]", "readonly", complexity="O(N) members of all sets")
def sdiff(c: Session, *keys: bytes) -> Reply:
    """Give the members of the first set that no other has.

    > SADD invited ada alan grace
    (integer) 3
    > SADD answered ada grace
    (integer) 2
    > SDIFF invited answered
    1) "alan"
    """
    return members(c, difference(operands(c, keys)))


@command("SINTERSTORE destination key [key ...]", "write denyoom", complexity="O(N*M) smallest set, sets")
def sinterstore(c: Session, destination: bytes, *keys: bytes) -> Reply:
    """Store the members that all sets have; gives how many.

    > SADD likes:ada jazz chess
    (integer) 2
    > SADD likes:alan chess running
    (integer) 2
    > SINTERSTORE likes:both likes:ada likes:alan
    (integer) 1
    > SMEMBERS likes:both
    1) "chess"
    """
    found = intersection(operands(c, keys))
    floor = LISTPACK if len(found) > c.config["set-max-intset-entries"] else 0
    return keep(c, destination, b"sinterstore", found, floor)


@command("SUNIONSTORE destination key [key ...]", "write denyoom", complexity="O(N) members of all sets")
def sunionstore(c: Session, destination: bytes, *keys: bytes) -> Reply:
    """Store the members that any of the sets has; gives how many.

    > SADD shifts:mon 1 2
    (integer) 2
    > SADD shifts:tue 2 3
    (integer) 2
    > SUNIONSTORE shifts:all shifts:mon shifts:tue
    (integer) 3
    """
    return keep(c, destination, b"sunionstore", union(operands(c, keys)))


@command("SDIFFSTORE destination key [key ...]", "write denyoom", complexity="O(N) members of all sets")
def sdiffstore(c: Session, destination: bytes, *keys: bytes) -> Reply:
    """Store the members of the first set that no other has; gives how many.

    > SADD invited ada alan grace
    (integer) 3
    > SADD answered ada grace
    (integer) 2
    > SDIFFSTORE missing invited answered
    (integer) 1
    > SMEMBERS missing
    1) "alan"
    """
    sets = operands(c, keys)
    floor = 0
    if sum(map(len, sets)) < len(sets[0]) * sum(map(bool, sets)) // 2:
        # A server takes the others' members out of a copy of the first set, which keeps the encoding it had.
        floor = NAMES.index(Set(sets[0]).encoding(c.config))
    return keep(c, destination, b"sdiffstore", difference(sets), floor)


@command("SINTERCARD numkeys key [key ...] [LIMIT limit]", "readonly movablekeys", since="7.0.0",
         complexity="O(N*M) smallest set, sets")  # fmt: skip
def sintercard(c: Session, *args: bytes) -> Reply:
    """Count the members that all sets have, up to a limit (0: none).

    > SADD likes:ada jazz chess go
    (integer) 3
    > SADD likes:alan chess go running
    (integer) 3
    > SINTERCARD 2 likes:ada likes:alan
    (integer) 2
    > SINTERCARD 2 likes:ada likes:alan LIMIT 1
    (integer) 1
    """
    number = to_int(args[0], errors.NumkeysNotPositive)
    if number <= 0:
        raise errors.NumkeysNotPositive
    if number >= len(args):
        raise errors.TooManyKeys
    limit, options = 0, args[number + 1 :]
    for i in range(0, len(options), 2):
        if options[i].upper() != b"LIMIT" or i + 1 == len(options):
            raise errors.SyntaxError_
        limit = to_natural(options[i + 1], errors.LimitNegative)
    found = len(intersection(operands(c, args[1 : number + 1])))
    return min(found, limit) if limit else found
