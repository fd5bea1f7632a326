"""SORT and SORT_RO: order the elements of a list, set or sorted set, by themselves or by other keys."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.engine.hashes import Hash
from redtool.engine.lists import List
from redtool.engine.sets import Set
from redtool.engine.zsets import ZSet
from redtool.numeric import to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.commands.table import Command
    from redtool.resp import Reply
    from redtool.session import Session

command = group("generic")


class Request:
    """What the options ask for: the last of each, and every GET."""

    __slots__ = ("alpha", "by", "count", "descending", "gets", "offset", "store")

    def __init__(self, opt: dict[bytes, Any]) -> None:
        self.by: bytes | None = opt.get(b"BY")
        self.gets: tuple[bytes, ...] = opt.get(b"GET", ())
        self.store: bytes | None = opt.get(b"STORE")
        self.descending, self.alpha = b"DESC" in opt, b"ALPHA" in opt
        offset, count = opt.get(b"LIMIT", (b"0", b"-1"))
        self.offset, self.count = to_int(offset), to_int(count)

    @property
    def unsorted(self) -> bool:
        """A BY without ``*`` is the same for every element: the native order is kept."""
        return self.by is not None and b"*" not in self.by


@command("SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]"
         " [STORE destination]", "write denyoom movablekeys", complexity="O(N+M*log(M)) elements, replies")  # fmt: skip
def sort(c: Session, key: bytes, *args: bytes) -> Reply:
    """Order a list, set or sorted set by number, text or other keys.

    > RPUSH team 3 1 2
    (integer) 3
    > MSET age:1 36 age:2 85 age:3 41
    OK
    > SORT team DESC
    1) "3"
    2) "2"
    3) "1"
    > SORT team BY age:* GET # GET age:* LIMIT 0 2
    1) "1"
    2) "36"
    3) "3"
    4) "41"
    """
    wanted = Request(sort.trailing(args))
    may_look(c, sort, wanted)
    rows = ordered(c, key, wanted)
    if wanted.store is None:
        return rows
    if rows:
        c.put(wanted.store, List([b"" if row is None else row for row in rows]))
        c.changed(wanted.store, b"sortstore", len(rows))
    elif c.remove(wanted.store):
        c.changed(wanted.store, b"del")
    return len(rows)


@command("SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
         "readonly movablekeys", since="7.0.0", complexity="O(N+M*log(M)) elements, replies")  # fmt: skip
def sort_ro(c: Session, key: bytes, *args: bytes) -> Reply:
    """Order as SORT does, without STORE, for where writing is not allowed.

    > RPUSH names Grace Ada Alan
    (integer) 3
    > SORT_RO names ALPHA
    1) "Ada"
    2) "Alan"
    3) "Grace"
    """
    wanted = Request(sort_ro.trailing(args))
    may_look(c, sort_ro, wanted)
    return ordered(c, key, wanted)


def may_look(c: Session, running: Command, wanted: Request) -> None:
    """Refuse BY and GET, which may read any key, to a user who may not."""
    if c.user is None or c.user.unlimited or not (wanted.gets or (wanted.by is not None and b"*" in wanted.by)):
        return
    from redtool.acl.checks import may_read_all

    if not may_read_all(c.user, running, ()):
        raise errors.SortDenied("BY" if wanted.by is not None and b"*" in wanted.by else "GET")


def ordered(c: Session, key: bytes, wanted: Request) -> list[bytes | None]:
    """The elements asked for, or in their place what the GET patterns find."""
    value = source(c, key)
    start, stop = span(len(value), wanted)
    settled = type(value) is not Set or wanted.store is not None
    # What is stored must not depend on a set's order: replayed from the journal it would come out differently.
    items = sorted(value) if type(value) is Set and settled else list(value)
    if not wanted.unsorted:
        items = by_weight(c, items, wanted)
    elif wanted.descending and settled:
        items.reverse()
    items = items[start:stop]
    if not wanted.gets:
        return list(items)
    return [substituted(c, pattern, item) for item in items for pattern in wanted.gets]


def source(c: Session, key: bytes) -> List | Set | ZSet:
    """The collection to sort; a missing one is an empty list."""
    value = c.db.get(key)
    if value is None:
        c.missed(key)
        return List()
    c.store.hits += 1
    if type(value) is ZSet:
        value.upgraded = True  # a server turns it into a skiplist for this, and leaves it so
    if isinstance(value, List | Set | ZSet):
        return value
    raise errors.WrongType


def span(size: int, wanted: Request) -> tuple[int, int]:
    """LIMIT as a slice: a negative offset is 0, a negative count means all the rest."""
    start = min(max(wanted.offset, 0), size)
    return start, size if wanted.count < 0 else min(start + wanted.count, size)


def by_weight(c: Session, items: list[bytes], wanted: Request) -> list[bytes]:
    """Sort by the elements themselves or by what BY finds for each.

    Numbers: a missing weight is 0, equal ones are ordered by the elements. Text: a missing weight comes before all,
    equal ones stay as they were.
    """
    weights: list[bytes | None] = [*items]
    if wanted.by is not None:
        weights = [substituted(c, wanted.by, item) for item in items]
    if wanted.alpha:
        texts = [(weight is not None, weight or b"", place) for place, weight in enumerate(weights)]
        texts.sort(key=lambda text: text[:2], reverse=wanted.descending)
        return [items[place] for _, _, place in texts]
    numbers = [0.0 if weight is None else to_weight(weight) for weight in weights]
    return [item for _, item in sorted(zip(numbers, items, strict=True), reverse=wanted.descending)]


def to_weight(text: bytes) -> float:
    """Read a number as the real server does here: no blanks, no hex, up to a NUL, and none too large or small.

    No text at all is 0, as in Redis; Valkey 9 refuses it.
    """
    text = text.partition(b"\0")[0]
    if not text:
        return 0.0
    if b"_" in text or text != text.strip():
        raise errors.NotNumbers
    try:
        value = float(text)
    except ValueError:
        raise errors.NotNumbers from None
    infinite = value in (float("inf"), float("-inf")) and b"n" not in text.lower()
    vanished = not value and any(digit in text.lower().partition(b"e")[0] for digit in b"123456789")
    if value != value or infinite or vanished:
        raise errors.NotNumbers
    return value


def substituted(c: Session, pattern: bytes, item: bytes) -> bytes | None:
    """What a BY or GET pattern finds for an element: ``#`` itself, ``w_*`` a string, ``h_*->f`` a hash field."""
    if pattern == b"#":
        return item
    before, star, after = pattern.partition(b"*")
    if not star:
        return None
    after, arrow, field = after.partition(b"->")
    if arrow and not field:  # no field: the arrow is part of the name
        after, arrow = after + arrow, b""
    value = c.db.get(before + item + after)
    if value is None:
        c.missed(before + item + after)
        return None
    c.store.hits += 1
    if arrow:
        return value.get(field) if isinstance(value, Hash) else None
    return bytes(value) if isinstance(value, bytes | bytearray) else None
