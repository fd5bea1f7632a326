"""List commands, the blocking ones included."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.engine.lists import List
from redtool.numeric import to_int, to_natural, to_signed, to_timeout
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from redtool.resp import Reply
    from redtool.session import Session

command = group("list")

INT32 = 2**31


def is_left(word: bytes) -> bool:
    """Read LEFT or RIGHT."""
    word = word.upper()
    if word != b"LEFT" and word != b"RIGHT":
        raise errors.SyntaxError_
    return word == b"LEFT"


def bounds(size: int, first: int, last: int) -> tuple[int, int]:
    """Turn inclusive indexes, from the end if negative, into a half-open range within ``size`` elements."""
    if first < 0:
        first = max(first + size, 0)
    last = last + size if last < 0 else min(last, size - 1)
    return (first, last + 1) if first <= last else (0, 0)


# -- push and pop


@command("LPUSH key element [element ...]", "write denyoom fast", complexity="O(1) an element")
def lpush(c: Session, key: bytes, *elements: bytes) -> Reply:
    """Put elements at the head of a list, the last outermost; gives the new length.

    > LPUSH recent book
    (integer) 1
    > LPUSH recent lamp chair
    (integer) 3
    > LRANGE recent 0 -1
    1) "chair"
    2) "lamp"
    3) "book"
    """
    value = c.writable(key, List, create=True)
    value.extendleft(elements)
    c.changed(key, b"lpush", len(elements))
    return len(value)


@command("RPUSH key element [element ...]", "write denyoom fast", complexity="O(1) an element")
def rpush(c: Session, key: bytes, *elements: bytes) -> Reply:
    """Put elements at the tail of a list; gives the new length.

    > RPUSH jobs mail:1 mail:2
    (integer) 2
    > RPUSH jobs mail:3
    (integer) 3
    > LRANGE jobs 0 -1
    1) "mail:1"
    2) "mail:2"
    3) "mail:3"
    """
    value = c.writable(key, List, create=True)
    value.extend(elements)
    c.changed(key, b"rpush", len(elements))
    return len(value)


@command("LPUSHX key element [element ...]", "write denyoom fast", since="2.2.0", complexity="O(1) an element")
def lpushx(c: Session, key: bytes, *elements: bytes) -> Reply:
    """Put elements at the head of a list if it exists; gives its length.

    > LPUSHX recent book
    (integer) 0
    > RPUSH recent lamp
    (integer) 1
    > LPUSHX recent book
    (integer) 2
    """
    value = c.writable(key, List)
    if value is None:
        return 0
    value.extendleft(elements)
    c.changed(key, b"lpush", len(elements))
    return len(value)


@command("RPUSHX key element [element ...]", "write denyoom fast", since="2.2.0", complexity="O(1) an element")
def rpushx(c: Session, key: bytes, *elements: bytes) -> Reply:
    """Put elements at the tail of a list if it exists; gives its length.

    > RPUSHX jobs mail:1
    (integer) 0
    > RPUSH jobs mail:2
    (integer) 1
    > RPUSHX jobs mail:3
    (integer) 2
    """
    value = c.writable(key, List)
    if value is None:
        return 0
    value.extend(elements)
    c.changed(key, b"rpush", len(elements))
    return len(value)


@command("LPOP key [count]", "write fast", complexity="O(N) elements given")
def lpop(c: Session, key: bytes, count: bytes | None = None) -> Reply:
    """Remove and give the first element of a list, or the first few.

    > RPUSH jobs mail:1 mail:2 mail:3
    (integer) 3
    > LPOP jobs
    "mail:1"
    > LPOP jobs 5
    1) "mail:2"
    2) "mail:3"
    > LPOP jobs
    (nil)
    """
    return pop(c, key, count, True)


@command("RPOP key [count]", "write fast", complexity="O(N) elements given")
def rpop(c: Session, key: bytes, count: bytes | None = None) -> Reply:
    """Remove and give the last element of a list, or the last few.

    > RPUSH jobs mail:1 mail:2 mail:3
    (integer) 3
    > RPOP jobs
    "mail:3"
    > RPOP jobs 2
    1) "mail:2"
    2) "mail:1"
    """
    return pop(c, key, count, False)


def pop(c: Session, key: bytes, count: bytes | None, left: bool) -> Reply:
    """LPOP and RPOP."""
    wanted = None if count is None else to_natural(count, errors.MustBePositive)
    value = c.writable(key, List)
    if value is None:
        return None if wanted is None else c.no_array
    return take_one(c, key, value, left) if wanted is None else take(c, key, value, wanted, left)


def take_one(c: Session, key: bytes, value: List, left: bool) -> bytes:
    """Remove one element from one end, report it, and drop the list when it is empty."""
    element = value.popleft() if left else value.pop()
    c.changed(key, b"lpop" if left else b"rpop")
    if not value:
        c.drop_if_empty(key, value)
    return element


def take(c: Session, key: bytes, value: List, count: int, left: bool) -> list[bytes]:
    """The same with several elements."""
    taken = value.take(count, left)
    c.changed(key, b"lpop" if left else b"rpop", len(taken))
    c.drop_if_empty(key, value)
    return taken


@command("LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", "write movablekeys", since="7.0.0",
         complexity="O(N+M) keys looked at and elements given")  # fmt: skip
def lmpop(c: Session, *args: bytes) -> Reply:
    """Remove elements from the first list that has some; gives its key and them.

    > RPUSH jobs:low report backup
    (integer) 2
    > LMPOP 2 jobs:high jobs:low LEFT COUNT 2
    1) "jobs:low"
    2) 1) "report"
       2) "backup"
    """
    keys, left, count = several(args)
    return pop_first(c, keys, left, count) or c.no_array


def several(args: Sequence[bytes]) -> tuple[Sequence[bytes], bool, int]:
    """Read ``numkeys key … LEFT|RIGHT [COUNT count]``."""
    number = to_int(args[0], errors.NumkeysNotPositive)
    if number <= 0:
        raise errors.NumkeysNotPositive
    if number + 1 >= len(args):
        raise errors.SyntaxError_
    left, rest, count = is_left(args[number + 1]), args[number + 2 :], 1
    if rest:
        if rest[0].upper() != b"COUNT" or len(rest) == 1:
            raise errors.SyntaxError_
        count = to_int(rest[1], errors.CountNotPositive)
        if count <= 0:
            raise errors.CountNotPositive
        if len(rest) > 2:
            raise errors.SyntaxError_
    return args[1 : number + 1], left, count


def pop_first(c: Session, keys: Sequence[bytes], left: bool, count: int) -> list[Reply] | None:
    """Take from the first of these lists that exists; what is journalled names it."""
    for key in keys:
        value = c.writable(key, List)
        if value is not None:
            taken = take(c, key, value, count, left)
            c.journal(b"LPOP" if left else b"RPOP", key, b"%d" % len(taken))
            return [key, taken]
    return None


# -- read


@command("LLEN key", "readonly fast")
def llen(c: Session, key: bytes) -> Reply:
    """Give the length of a list, 0 when missing.

    > RPUSH jobs mail:1 mail:2
    (integer) 2
    > LLEN jobs
    (integer) 2
    """
    value = c.readable(key, List)
    return 0 if value is None else len(value)


@command("LRANGE key start stop", "readonly", complexity="O(S+N) elements skipped and given")
def lrange(c: Session, key: bytes, start: bytes, stop: bytes) -> Reply:
    """Give the elements from one index to another; negative ones count from the tail.

    > RPUSH steps wake wash eat work
    (integer) 4
    > LRANGE steps 0 1
    1) "wake"
    2) "wash"
    > LRANGE steps -2 -1
    1) "eat"
    2) "work"
    """
    first, last = to_int(start), to_int(stop)
    value = c.readable(key, List)
    return [] if value is None else value.span(*bounds(len(value), first, last))


@command("LINDEX key index", "readonly", complexity="O(N) elements to the nearer end")
def lindex(c: Session, key: bytes, index: bytes) -> Reply:
    """Give the element at an index, from the tail if negative; nil when out of range.

    > RPUSH steps wake wash eat
    (integer) 3
    > LINDEX steps 0
    "wake"
    > LINDEX steps -1
    "eat"
    > LINDEX steps 9
    (nil)
    """
    value = c.readable(key, List)
    if value is None:
        return None
    place = to_int(index)
    return value[place] if -len(value) <= place < len(value) else None


@command("LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]", "readonly", since="6.0.6",
         complexity="O(N) elements compared")  # fmt: skip
def lpos(c: Session, key: bytes, element: bytes, *args: bytes) -> Reply:
    """Find where an element stands: the first index, or with COUNT several.

    > RPUSH throws 6 2 6 1 6
    (integer) 5
    > LPOS throws 6
    (integer) 0
    > LPOS throws 6 RANK 2
    (integer) 2
    > LPOS throws 6 COUNT 0
    1) (integer) 0
    2) (integer) 2
    3) (integer) 4
    """
    rank, count, limit = lpos_options(args)
    value = c.readable(key, List)
    if count is not None:
        return [] if value is None else value.places(element, rank, count, limit)
    found = [] if value is None else value.places(element, rank, 1, limit)
    return found[0] if found else None


def lpos_options(args: Sequence[bytes]) -> tuple[int, int | None, int]:
    """Read RANK, COUNT (None: not given) and MAXLEN; the first that is wrong is reported."""
    rank, count, limit = 1, None, 0
    for i in range(0, len(args), 2):
        word = args[i].upper()
        if word not in (b"RANK", b"COUNT", b"MAXLEN") or i + 1 == len(args):
            raise errors.SyntaxError_
        if word == b"RANK":
            rank = to_signed(args[i + 1])
            if rank == 0:
                raise errors.RankZero
        elif word == b"COUNT":
            count = to_natural(args[i + 1], errors.CountNegative)
        else:
            limit = to_natural(args[i + 1], errors.MaxlenNegative)
    return rank, count, limit


# -- alter


@command("LSET key index element", "write denyoom", complexity="O(N) elements to the nearer end")
def lset(c: Session, key: bytes, index: bytes, element: bytes) -> Reply:
    """Replace the element at an index.

    > RPUSH steps wake wash eat
    (integer) 3
    > LSET steps 1 shower
    OK
    > LRANGE steps 0 -1
    1) "wake"
    2) "shower"
    3) "eat"
    """
    value = c.writable(key, List)
    if value is None:
        raise errors.NoSuchKey
    place = (to_int(index) + INT32) % (2 * INT32) - INT32  # Redis's LSET keeps the index in a C int
    if not -len(value) <= place < len(value):
        raise errors.IndexOutOfRange
    value[place] = element
    c.changed(key, b"lset")
    return OK


@command("LINSERT key <BEFORE | AFTER> pivot element", "write denyoom", since="2.2.0",
         complexity="O(N) elements to the pivot")  # fmt: skip
def linsert(c: Session, key: bytes, where: bytes, pivot: bytes, element: bytes) -> Reply:
    """Put an element before or after the first one equal to pivot.

    > RPUSH steps wake eat
    (integer) 2
    > LINSERT steps BEFORE eat wash
    (integer) 3
    > LRANGE steps 0 -1
    1) "wake"
    2) "wash"
    3) "eat"
    """
    where = where.upper()
    if where != b"BEFORE" and where != b"AFTER":
        raise errors.SyntaxError_
    value = c.writable(key, List)
    if value is None:
        return 0
    if not value.put_beside(pivot, element, where == b"AFTER"):
        return -1
    c.changed(key, b"linsert")
    return len(value)


@command("LREM key count element", "write", complexity="O(N) elements of the list")
def lrem(c: Session, key: bytes, count: bytes, element: bytes) -> Reply:
    """Remove equal elements: the first few, the last few if negative, all for 0.

    > RPUSH basket milk egg milk egg milk
    (integer) 5
    > LREM basket 2 milk
    (integer) 2
    > LRANGE basket 0 -1
    1) "egg"
    2) "egg"
    3) "milk"
    """
    number = to_signed(count)
    value = c.writable(key, List)
    if value is None:
        return 0
    gone = value.cut(element, number)
    c.changed(key, b"lrem", gone)
    c.drop_if_empty(key, value)
    return gone


@command("LTRIM key start stop", "write", complexity="O(N) elements removed")
def ltrim(c: Session, key: bytes, start: bytes, stop: bytes) -> Reply:
    """Keep only the elements from one index to another, both included.

    > RPUSH recent chair lamp book pen
    (integer) 4
    > LTRIM recent 0 1
    OK
    > LRANGE recent 0 -1
    1) "chair"
    2) "lamp"
    """
    first, last = to_int(start), to_int(stop)
    value = c.writable(key, List)
    if value is not None:
        value.trim(*bounds(len(value), first, last))
        c.changed(key, b"ltrim")
        c.drop_if_empty(key, value)
    return OK


# -- move


@command("LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>", "write denyoom", since="6.2.0")
def lmove(c: Session, source: bytes, destination: bytes, whence: bytes, whither: bytes) -> Reply:
    """Take an element from an end of a list and put it at an end of another.

    > RPUSH jobs mail:1 mail:2
    (integer) 2
    > LMOVE jobs working LEFT RIGHT
    "mail:1"
    > LRANGE working 0 -1
    1) "mail:1"
    """
    return move(c, source, destination, is_left(whence), is_left(whither))


@command("RPOPLPUSH source destination", "write denyoom", since="1.2.0")
def rpoplpush(c: Session, source: bytes, destination: bytes) -> Reply:
    """Take the last element of a list and put it at the head of another.

    > RPUSH jobs mail:1 mail:2
    (integer) 2
    > RPOPLPUSH jobs working
    "mail:2"
    > LRANGE jobs 0 -1
    1) "mail:1"
    """
    return move(c, source, destination, False, True)


def move(c: Session, source: bytes, destination: bytes, from_left: bool, to_left: bool) -> bytes | None:
    """Move one element between lists, or round in one list."""
    value = c.writable(source, List)
    if value is None:
        return None
    target = c.writable(destination, List, create=True)
    element: bytes = value.popleft() if from_left else value.pop()
    (target.appendleft if to_left else target.append)(element)
    c.changed(destination, b"lpush" if to_left else b"rpush")
    c.changed(source, b"lpop" if from_left else b"rpop")
    c.drop_if_empty(source, value)
    return element


# -- wait


@command("BLPOP key [key ...] timeout", "write blocking", since="2.0.0", complexity="O(N) keys")
def blpop(c: Session, *args: bytes) -> Reply:
    """Remove the first element of the first list that has one; waits for one.

    > RPUSH jobs mail:1 mail:2
    (integer) 2
    > BLPOP jobs:urgent jobs 5
    1) "jobs"
    2) "mail:1"
    """
    return wait_pop(c, args, True)


@command("BRPOP key [key ...] timeout", "write blocking", since="2.0.0", complexity="O(N) keys")
def brpop(c: Session, *args: bytes) -> Reply:
    """Remove the last element of the first list that has one; waits for one.

    > RPUSH jobs mail:1 mail:2
    (integer) 2
    > BRPOP jobs 5
    1) "jobs"
    2) "mail:2"
    """
    return wait_pop(c, args, False)


def wait_pop(c: Session, args: Sequence[bytes], left: bool) -> Reply:
    """BLPOP and BRPOP."""
    keys, timeout = args[:-1], to_timeout(args[-1])
    for key in keys:
        value = c.writable(key, List)
        if value is not None:
            element = take_one(c, key, value, left)
            c.journal(b"LPOP" if left else b"RPOP", key)
            return [key, element]
    return c.wait(keys, timeout, List)


@command("BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]", "write blocking movablekeys",
         since="7.0.0", complexity="O(N+M) keys looked at and elements given")  # fmt: skip
def blmpop(c: Session, timeout: bytes, *args: bytes) -> Reply:
    """Remove elements from the first list that has some; waits while all are empty.

    > RPUSH jobs mail:1 mail:2 mail:3
    (integer) 3
    > BLMPOP 5 2 jobs:urgent jobs LEFT COUNT 2
    1) "jobs"
    2) 1) "mail:1"
       2) "mail:2"
    """
    keys, left, count = several(args)
    seconds = to_timeout(timeout)
    return pop_first(c, keys, left, count) or c.wait(keys, seconds, List)


@command("BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout", "write denyoom blocking", since="6.2.0")
def blmove(c: Session, source: bytes, destination: bytes, whence: bytes, whither: bytes, timeout: bytes) -> Reply:
    """Take an element from one list and put it into another; waits for one.

    > RPUSH jobs mail:1 mail:2
    (integer) 2
    > BLMOVE jobs working LEFT RIGHT 5
    "mail:1"
    """
    from_left, to_left, seconds = is_left(whence), is_left(whither), to_timeout(timeout)
    element = move(c, source, destination, from_left, to_left)
    if element is None:
        return None if c.deny_block else c.wait((source,), seconds, List)
    c.journal(b"LMOVE", source, destination, whence, whither)
    return element


@command("BRPOPLPUSH source destination timeout", "write denyoom blocking", since="2.2.0")
def brpoplpush(c: Session, source: bytes, destination: bytes, timeout: bytes) -> Reply:
    """Move the last element of a list to the head of another; waits for one.

    > RPUSH jobs mail:1 mail:2
    (integer) 2
    > BRPOPLPUSH jobs working 5
    "mail:2"
    """
    seconds = to_timeout(timeout)
    element = move(c, source, destination, False, True)
    if element is None:
        return None if c.deny_block else c.wait((source,), seconds, List)
    c.journal(b"RPOPLPUSH", source, destination)
    return element
