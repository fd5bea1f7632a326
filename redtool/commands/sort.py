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
    from collections.abc import Sequence

    from redtool.resp import Reply
    from redtool.session import Session

command = group("generic")


class Request:
    """What the words after the key ask for."""

    __slots__ = ("alpha", "by", "count", "descending", "gets", "offset", "store")

    def __init__(self) -> None:
        self.by: bytes | None = None
        self.offset, self.count = 0, -1
        self.gets: list[bytes] = []
        self.descending = self.alpha = False
        self.store: bytes | None = None

    @property
    def unsorted(self) -> bool:
        """A BY without ``*`` is the same for every element: the native order is kept."""
        return self.by is not None and b"*" not in self.by


@command("SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]"
         " [STORE destination]", "write denyoom movablekeys", complexity="O(N+M*log(M)) elements, returned")  # fmt: skip
def sort(c: Session, key: bytes, *args: bytes) -> Reply:
    """Order a list, set or sorted set by number, text or other keys; STORE keeps the outcome as a list."""
    wanted = read(args, may_store=True)
    rows = ordered(c, key, wanted)
    if wanted.store is None:
        return rows
    if rows:
        c.put(wanted.store, List([b"" if row is None else row for row in rows]))
        c.changed(wanted.store, b"sortstore", len(rows))
    elif c.db.peek(wanted.store) is not None:
        c.remove(wanted.store)
        c.changed(wanted.store, b"del")
    return len(rows)


@command("SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
         "readonly movablekeys", since="7.0.0", complexity="O(N+M*log(M)) elements, returned")  # fmt: skip
def sort_ro(c: Session, key: bytes, *args: bytes) -> Reply:
    """SORT without STORE, for where writing is not allowed."""
    return ordered(c, key, read(args, may_store=False))


def read(args: Sequence[bytes], may_store: bool) -> Request:
    """Read the options in any order and number: the last ASC or DESC counts, each GET adds a column."""
    wanted = Request()
    words = iter(range(len(args)))
    for i in words:
        word, left = args[i].upper(), len(args) - i - 1
        if word in (b"ASC", b"DESC"):
            wanted.descending = word == b"DESC"
        elif word == b"ALPHA":
            wanted.alpha = True
        elif word == b"LIMIT" and left >= 2:
            wanted.offset, wanted.count = to_int(args[next(words)]), to_int(args[next(words)])
        elif word == b"BY" and left:
            wanted.by = args[next(words)]
        elif word == b"GET" and left:
            wanted.gets.append(args[next(words)])
        elif word == b"STORE" and left and may_store:
            wanted.store = args[next(words)]
        else:
            raise errors.SyntaxError_
    return wanted


def ordered(c: Session, key: bytes, wanted: Request) -> list[bytes | None]:
    """The elements asked for, or in their place what the GET patterns find."""
    value = source(c, key)
    start, stop = span(len(value), wanted)
    if wanted.unsorted and not (wanted.store is not None and type(value) is Set):
        items = native(c, value)
        if wanted.descending and type(value) is not Set:
            items.reverse()
    elif wanted.unsorted:  # what is stored must not depend on a set's order
        items = sorted(value, reverse=wanted.descending)
    else:
        items = by_weight(c, native(c, value), wanted)
    items = items[start:stop]
    if not wanted.gets:
        return list(items)
    return [substituted(c, pattern, item) for item in items for pattern in wanted.gets]


def source(c: Session, key: bytes) -> List | Set | ZSet:
    """The collection to sort; a missing one is an empty list."""
    value = c.db.get(key)
    if value is None:
        c.store.misses += 1
        return List()
    c.store.hits += 1
    if isinstance(value, List | Set | ZSet):
        return value
    raise errors.WrongType


def native(c: Session, value: List | Set | ZSet) -> list[bytes]:
    """The elements in their own order."""
    return value.listed(c.config) if type(value) is Set else list(value)


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
    """Read a number as the real server does here: no blanks, no hex, up to a NUL, and none too large or small."""
    text = text.partition(b"\0")[0]
    if not text or b"_" in text or text != text.strip():
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
        c.store.misses += 1
        return None
    c.store.hits += 1
    if arrow:
        return value.get(field) if isinstance(value, Hash) else None
    return bytes(value) if isinstance(value, bytes | bytearray) else None
