"""Sorted sets: members with scores, in the order of (score, member).

``ZSet.scores`` is the dict that answers most questions. The order beside it is built when the first question about
order is asked, so a bulk load fills a dict and nothing else, and is kept in step from then on. All range questions
are one notion: a *span* ``(start, stop)`` of ranks, half open, found from scores or members and then sliced,
counted or removed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import inf, nextafter
from sys import getsizeof

from redtool.engine.sampling import KeyArray, positions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence

    from redtool.engine.sampling import Random

    Pair = tuple[bytes, float]
    Span = tuple[int, int]

FULL = 2048  # a block is split above this: inserting moves half of it, 8 KB, which costs less than one more bisection
SPARSE = 256  # and joined with its neighbour below this
GROUP = 32  # blocks counted together; a position sums lengths within a group and counts before it


class Order:
    """Members in the order of (score, member), in blocks, with positions.

    A block is a list of members and an array of their scores: searching an array touches little memory, which is
    what a search among a million costs. (A lone block has a list of scores instead.) ``fences[i]``, a (score, member),
    lies above all of block ``i`` and not above any of block ``i + 1``; it need not be an element, so adding and
    removing leave it alone. ``counts`` has the number of members in each ``GROUP`` blocks: a position is the sum of a
    few counts and a few lengths, a change touches one count. Small sets are one block, no fences.
    """

    __slots__ = ("counts", "fences", "members", "scores")

    def __init__(self, scores: Mapping[bytes, float]) -> None:
        flat = sorted(scores)
        flat.sort(key=scores.__getitem__)  # two sorts of plain keys are quicker than one of tuples
        step = FULL // 2 if len(flat) > FULL else FULL
        self.members = [flat[i : i + step] for i in range(0, len(flat) or 1, step)]
        pack: Callable[[Iterable[float]], MutableSequence[float]] = list if len(self.members) == 1 else _array
        self.scores = [pack(map(scores.__getitem__, block)) for block in self.members]
        self.fences = [self._low(i) for i in range(1, len(self.members))]
        self._count()

    def _low(self, i: int) -> tuple[float, bytes]:
        return self.scores[i][0], self.members[i][0]

    def _count(self) -> None:
        blocks = self.members
        self.counts = [sum(map(len, blocks[i : i + GROUP])) for i in range(0, len(blocks), GROUP)]

    def __iter__(self) -> Iterator[Pair]:
        for members, scores in zip(self.members, self.scores, strict=True):
            yield from zip(members, scores, strict=True)

    def _find(self, i: int, score: float, member: bytes) -> int:
        """The place of a member in block ``i``, or where it would be."""
        scores, members = self.scores[i], self.members[i]
        at = bisect_left(scores, score)
        if at < len(scores) and scores[at] == score and members[at] < member:
            return bisect_left(members, member, at + 1, bisect_right(scores, score, at + 1))
        return at

    def add(self, member: bytes, score: float) -> None:
        """Put in a member that is not there."""
        i = bisect_right(self.fences, (score, member))
        at = self._find(i, score, member)
        members = self.members[i]
        members.insert(at, member)
        self.scores[i].insert(at, score)
        self.counts[i // GROUP] += 1
        if len(members) > FULL:
            self._split(i)
            self._count()

    def remove(self, member: bytes, score: float) -> bytes:
        """Take out a member that is there; give the stored one, which is the dict's own object."""
        i = bisect_right(self.fences, (score, member))
        at = self._find(i, score, member)
        members = self.members[i]
        del self.scores[i][at]
        stored = members.pop(at)
        self.counts[i // GROUP] -= 1
        if len(members) < SPARSE and self.fences:
            self._join(i)
            self._count()
        return stored

    def index(self, score: float, member: bytes = b"") -> int:
        """Count the members that lie before (score, member); without one, those of lower scores."""
        i = bisect_right(self.fences, (score, member))
        at = self._find(i, score, member)
        return at + self._before(i) if i else at

    def score_span(self, low: float, high: float) -> Span:
        """The indexes of two scores, ``low`` not above ``high``; quick when they are near each other."""
        fences = self.fences
        i = bisect_right(fences, (low, b""))
        scores = self.scores[i]
        start = bisect_left(scores, low)
        before = self._before(i) if i else 0
        if i == len(fences) or (high, b"") < fences[i]:
            return before + start, before + bisect_left(scores, high, start)
        return before + start, self.index(high)

    def _before(self, i: int) -> int:
        """Count the members in the blocks before this one."""
        group = i // GROUP
        return sum(self.counts[:group]) + sum(map(len, self.members[group * GROUP : i]))

    def place(self, index: int) -> tuple[int, int]:
        """Give the block of the member at ``index``, which must exist, and its place in there."""
        if not self.fences:
            return 0, index
        counts, blocks = self.counts, self.members
        group = 0
        while index >= counts[group]:
            index -= counts[group]
            group += 1
        i = group * GROUP
        while index >= len(blocks[i]):
            index -= len(blocks[i])
            i += 1
        return i, index

    def at(self, index: int) -> Pair:
        """Give the member at ``index``, which must exist, and its score."""
        i, at = self.place(index)
        return self.members[i][at], self.scores[i][at]

    def pieces(self, start: int, stop: int) -> list[tuple[int, int, int]]:
        """Give the span, which must lie inside, as (block, start, stop) in one or more blocks."""
        if start >= stop:
            return []
        i, at = self.place(start)
        left = stop - start
        if left <= len(self.members[i]) - at:
            return [(i, at, at + left)]
        out = []
        while left > len(self.members[i]) - at:
            end = len(self.members[i])
            out.append((i, at, end))
            left -= end - at
            i, at = i + 1, 0
        out.append((i, at, at + left))
        return out

    def pairs(self, start: int, stop: int) -> list[Pair]:
        """Give the members of a span, which must lie inside, with their scores."""
        return self._read(self.pieces(start, stop))

    def _read(self, pieces: list[tuple[int, int, int]]) -> list[Pair]:
        out: list[Pair] = []
        for i, at, end in pieces:
            out += zip(self.members[i][at:end], self.scores[i][at:end])  # noqa: B905  # strict costs a tenth of a small range
        return out

    def cut(self, start: int, stop: int) -> list[Pair]:
        """Take out the members of a span, which must lie inside; give them with their scores."""
        pieces = self.pieces(start, stop)
        gone = self._read(pieces)
        for i, at, end in pieces:
            del self.members[i][at:end], self.scores[i][at:end]
            self.counts[i // GROUP] -= end - at
        if pieces and self.fences:
            self._tidy(pieces[0][0], pieces[-1][0])
        return gone

    def _tidy(self, first: int, last: int) -> None:
        """After a cut: drop the emptied blocks between the outer two and join sparse ones."""
        dropped = last - first > 1
        if dropped:
            del self.members[first + 1 : last], self.scores[first + 1 : last], self.fences[first + 1 : last]
        joined = False
        for i in (first + 1, first):
            if self.fences and i < len(self.members) and len(self.members[i]) < SPARSE:
                self._join(i)
                joined = True
        if dropped or joined:
            self._count()

    def _split(self, i: int) -> None:
        members, scores = self.members[i], self.scores[i]
        if type(scores) is list:
            scores = self.scores[i] = _array(scores)
        half = len(members) // 2
        self.members.insert(i + 1, members[half:])
        self.scores.insert(i + 1, scores[half:])
        del members[half:], scores[half:]
        self.fences.insert(i, self._low(i + 1))

    def _join(self, i: int) -> None:
        """Join a sparse block with a neighbour, splitting the outcome if it is too full."""
        i = min(i, len(self.fences) - 1)
        self.members[i] += self.members.pop(i + 1)
        self.scores[i] += self.scores.pop(i + 1)
        del self.fences[i]
        if len(self.members[i]) > FULL:
            self._split(i)

    @property
    def nbytes(self) -> int:
        """Bytes held, the members and the score objects of the dict excepted."""
        blocks = sum(map(getsizeof, self.members)) + sum(map(getsizeof, self.scores))
        return blocks + getsizeof(self.members) + getsizeof(self.scores) + len(self.fences) * getsizeof((0.0, b""))


def _array(scores: Iterable[float]) -> MutableSequence[float]:
    from array import array  # here: small sets do without, and its first import takes milliseconds

    return array("d", scores)


class ZSet:
    """A sorted set. Change it through its methods; read ``scores`` freely."""

    __slots__ = ("_keys", "_order", "scores")
    kind = b"zset"

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self._order: Order | None = None
        self._keys: KeyArray | None = None

    @classmethod
    def of(cls, pairs: Iterable[tuple[bytes, float]] | Mapping[bytes, float]) -> ZSet:
        """Build from (member, score) pairs or from a mapping. No score may be NaN."""
        zset = cls()
        zset.scores = dict(pairs)
        return zset

    def __len__(self) -> int:
        return len(self.scores)

    def __contains__(self, member: object) -> bool:
        return member in self.scores

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.members((0, len(self.scores))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ZSet) and self.scores == other.scores

    __hash__ = None  # type: ignore[assignment]  # a value that changes

    @property
    def order(self) -> Order:
        if self._order is None:
            self._order = Order(self.scores)
        return self._order

    def copy(self) -> ZSet:
        return ZSet.of(self.scores)

    def put(self, member: bytes, score: float) -> bool:
        """Add ``member`` or move it to ``score``; tell whether that was news. -0 is stored as 0, as in a listpack."""
        score += 0.0
        old = self.scores.get(member)
        if old == score:
            return False
        if self._keys is not None and old is None:
            self._keys.add(member)
        if self._order is not None:
            if old is not None:
                member = self._order.remove(member, old)
            self._order.add(member, score)
        self.scores[member] = score
        return True

    def remove(self, member: bytes) -> bool:
        """Take ``member`` out; tell whether it was there."""
        score = self.scores.pop(member, None)
        if score is None:
            return False
        if self._order is not None:
            self._order.remove(member, score)
        if self._keys is not None:
            self._keys.discard(member)
        return True

    def rank(self, member: bytes, reverse: bool = False) -> int | None:
        """Count the members before this one (behind it, in reverse); None when it is not there."""
        score = self.scores.get(member)
        if score is None:
            return None
        rank = (self._order or self.order).index(score, member)
        return len(self.scores) - 1 - rank if reverse else rank

    def rank_span(self, start: int, stop: int, reverse: bool = False) -> Span:
        """The span from rank ``start`` to rank ``stop`` inclusive, negative ones counted from the end."""
        n = len(self.scores)
        if start < 0:
            start = max(start + n, 0)
        stop = min(stop + n if stop < 0 else stop, n - 1) + 1
        if start >= stop:
            return 0, 0
        return (n - stop, n - start) if reverse else (start, stop)

    def score_span(self, low: float | None, high: float | None) -> Span:
        """The span of scores from ``low`` to below ``high``; None lies above every score (see ``above``)."""
        n = len(self.scores)
        if low is None or (high is not None and low >= high):
            return 0, 0
        if high is None:
            return (0 if low == -inf else self.order.index(low)), n
        return (self._order or self.order).score_span(low, high)

    def lex_span(self, low: bytes | None, high: bytes | None, reverse: bool = False) -> Span:
        """The span of members from ``low`` to below ``high``; None lies above every member.

        It means something when all scores are equal. When they are not, the span starts at the first member not below
        ``low`` (in reverse, ends at the last one below ``high``) and goes on while the other bound holds, as the
        walk through a listpack does in Redis.
        """
        n = len(self.scores)
        if not n or low is None or (high is not None and low >= high):
            return 0, 0
        order = self.order
        score = order.scores[0][0]
        if score == order.scores[-1][-1]:
            return order.index(score, low), n if high is None else order.index(score, high)
        return _walk(list(self), low, high, reverse)

    def slice(self, span: Span, reverse: bool = False) -> list[Pair]:
        """The (member, score) pairs of a span, the highest first in reverse."""
        pairs = (self._order or self.order).pairs(*span)
        if reverse:
            pairs.reverse()
        return pairs

    def members(self, span: Span, reverse: bool = False) -> list[bytes]:
        """The members of a span, the highest first in reverse."""
        order = self._order or self.order
        members: list[bytes] = []
        for i, start, stop in order.pieces(*span):
            members += order.members[i][start:stop]
        if reverse:
            members.reverse()
        return members

    def cut(self, span: Span) -> list[Pair]:
        """Take out a span; give its pairs in ascending order."""
        gone = self.order.cut(*span)
        if len(gone) == len(self.scores):
            self.scores, self._order, self._keys = {}, None, None
            return gone
        scores, keys = self.scores, self._keys
        for member, _ in gone:
            del scores[member]
            if keys is not None:
                keys.discard(member)
        return gone

    def pop_min(self, count: int = 1) -> list[Pair]:
        """Take out the lowest ``count`` pairs, or all; lowest first."""
        return self.cut((0, min(count, len(self.scores))))

    def pop_max(self, count: int = 1) -> list[Pair]:
        """Take out the highest ``count`` pairs, or all; highest first."""
        n = len(self.scores)
        return self.cut((max(n - count, 0), n))[::-1]

    def pick(self, rng: Random) -> Pair:
        """One pair at random. Raises IndexError when there are none."""
        if not self.scores:
            raise IndexError("no member to pick")
        return self.order.at(int(rng.random() * len(self.scores)))

    def sample(self, rng: Random, count: int) -> list[Pair]:
        """``count`` different pairs at random, or all of them when there are fewer."""
        n, order = len(self.scores), self.order
        if count * 3 >= n:
            pairs = list(order)
            return [pairs[i] for i in positions(rng, n, count)]
        return [order.at(index) for index in positions(rng, n, count)]

    def page(self, cursor: int, count: int) -> tuple[int, list[Pair]]:
        """A page of a scan (see ``sampling.KeyArray.page``) as pairs."""
        if self._keys is None:
            self._keys = KeyArray(self.scores)
        cursor, members = self._keys.page(cursor, count)
        return cursor, [(member, self.scores[member]) for member in members]

    def encoding(self, limits: Mapping[str, int]) -> bytes:
        """What OBJECT ENCODING answers under the given limits."""
        if len(self.scores) > _limit(limits, "entries", 128):
            return b"skiplist"
        longest = max(map(len, self.scores), default=0)
        return b"skiplist" if longest > _limit(limits, "value", 64) else b"listpack"

    def nbytes(self, samples: int = 5) -> int:
        """Bytes held; ``samples`` members are measured and the rest taken to be like them, 0 measures all."""
        n = len(self.scores)
        size = getsizeof(self) + getsizeof(self.scores)
        if self._order is not None:
            size += self._order.nbytes
        if self._keys is not None:
            size += getsizeof(self._keys.items) + getsizeof(self._keys.places) + n * getsizeof(1 << 20)
        if not n:
            return size
        wanted = min(samples or n, n)
        measured = sum(getsizeof(member) for member, _ in zip(self.scores, range(wanted), strict=False))
        return size + measured * n // wanted + n * getsizeof(0.0)


def _limit(limits: Mapping[str, int], what: str, default: int) -> int:
    """A listpack limit, under its name or the one it had before Redis 7."""
    value = limits.get(f"zset-max-listpack-{what}")
    return value if value is not None else limits.get(f"zset-max-ziplist-{what}", default)


def above(score: float) -> float | None:
    """The next higher score: the bound of a span that excludes ``score`` below it, or includes it."""
    return None if score == inf else nextafter(score, inf)


def _walk(members: list[bytes], low: bytes, high: bytes | None, reverse: bool) -> Span:
    """The lexical span of members that are not in lexical order."""
    n = len(members)
    if members[-1] < low or (high is not None and members[0] >= high):
        return 0, 0
    if reverse:
        stop = next((i for i in range(n, 0, -1) if high is None or members[i - 1] < high), 0)
        start = next((i for i in range(stop, 0, -1) if members[i - 1] < low), 0)
    else:
        start = next((i for i in range(n) if members[i] >= low), n)
        stop = n if high is None else next((i for i in range(start, n) if members[i] >= high), n)
    return start, stop
