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
    from collections.abc import Iterable, Iterator, Mapping

    from redtool.engine.sampling import Random

    Pair = tuple[float, bytes]
    Span = tuple[int, int]

FULL = 2048  # a block is split above this: inserting moves half of it, 8 KB, which costs less than one more bisection
SPARSE = 256  # and joined with its neighbour below this
GROUP = 32  # blocks counted together; at a million members both levels of counts have about this many entries


class Order:
    """Sorted (score, member) pairs in blocks, with positions.

    ``fences[i]`` lies above all of ``blocks[i]`` and not above any of ``blocks[i + 1]``; it need not be an element,
    so adding and removing leave it alone. ``counts`` has the number of elements in each ``GROUP`` blocks: a position
    is the sum of a few counts and a few lengths, a change touches one count. Small sets are one block, no fences.
    """

    __slots__ = ("blocks", "counts", "fences")

    def __init__(self, pairs: Iterable[Pair]) -> None:
        flat = sorted(pairs)
        half = FULL // 2
        self.blocks = [flat[i : i + half] for i in range(0, len(flat), half)] if len(flat) > FULL else [flat]
        self.fences = [block[0] for block in self.blocks[1:]]
        self._count()

    def _count(self) -> None:
        blocks = self.blocks
        self.counts = [sum(map(len, blocks[i : i + GROUP])) for i in range(0, len(blocks), GROUP)]

    def __iter__(self) -> Iterator[Pair]:
        for block in self.blocks:
            yield from block

    def add(self, pair: Pair) -> None:
        """Put in a pair that is not there."""
        i = bisect_right(self.fences, pair)
        block = self.blocks[i]
        block.insert(bisect_left(block, pair), pair)
        self.counts[i // GROUP] += 1
        if len(block) > FULL:
            self._split(i)
            self._count()

    def remove(self, pair: Pair) -> Pair:
        """Take out a pair that is there; give the stored one, whose member is the dict's own object."""
        i = bisect_right(self.fences, pair)
        block = self.blocks[i]
        stored = block.pop(bisect_left(block, pair))
        self.counts[i // GROUP] -= 1
        if len(block) < SPARSE and self.fences:
            self._join(i)
            self._count()
        return stored

    def index(self, cut: tuple[float] | Pair) -> int:
        """Count the pairs below ``cut``: a pair, or ``(score,)``, which lies before all pairs of that score."""
        i = bisect_right(self.fences, cut)
        below = bisect_left(self.blocks[i], cut)
        if not i:
            return below
        group = i // GROUP
        return below + sum(self.counts[:group]) + sum(map(len, self.blocks[group * GROUP : i]))

    def place(self, index: int) -> tuple[int, int]:
        """Give the block and the offset in it of the pair at ``index``, which must exist."""
        counts, blocks = self.counts, self.blocks
        group = 0
        while index >= counts[group]:
            index -= counts[group]
            group += 1
        i = group * GROUP
        while index >= len(blocks[i]):
            index -= len(blocks[i])
            i += 1
        return i, index

    def slice(self, start: int, stop: int) -> list[Pair]:
        """Give the pairs of a span, which must lie inside."""
        if start >= stop:
            return []
        i, offset = self.place(start)
        out = self.blocks[i][offset : offset + stop - start]
        while len(out) < stop - start:
            i += 1
            out += self.blocks[i][: stop - start - len(out)]
        return out

    def cut(self, start: int, stop: int) -> list[Pair]:
        """Take out the pairs of a span, which must lie inside."""
        gone = self.slice(start, stop)
        if not gone:
            return gone
        first, offset = self.place(start)
        i, left = first, len(gone)
        while left:
            block = self.blocks[i]
            took = min(left, len(block) - offset)
            del block[offset : offset + took]
            i, left, offset = i + 1, left - took, 0
        if i - first > 2:  # the blocks between the outer two are empty
            del self.blocks[first + 1 : i - 1], self.fences[first + 1 : i - 1]
        for i in (first + 1, first):
            if i < len(self.blocks) and self.fences and len(self.blocks[i]) < SPARSE:
                self._join(i)
        self._count()
        return gone

    def _split(self, i: int) -> None:
        block = self.blocks[i]
        half = len(block) // 2
        self.blocks.insert(i + 1, block[half:])
        self.fences.insert(i, block[half])
        del block[half:]

    def _join(self, i: int) -> None:
        """Join a sparse block with a neighbour, splitting the outcome if it is too full."""
        i = min(i, len(self.fences) - 1)
        self.blocks[i] += self.blocks.pop(i + 1)
        del self.fences[i]
        if len(self.blocks[i]) > FULL:
            self._split(i)

    @property
    def nbytes(self) -> int:
        """Bytes held, the members and the score objects of the dict excepted."""
        pairs = sum(map(len, self.blocks)) * getsizeof((0.0, b""))
        return pairs + sum(map(getsizeof, self.blocks)) + getsizeof(self.fences) + getsizeof(self.blocks)


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
        return (member for _, member in self.order)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ZSet) and self.scores == other.scores

    __hash__ = None  # type: ignore[assignment]  # a value that changes

    @property
    def order(self) -> Order:
        if self._order is None:
            self._order = Order(zip(self.scores.values(), self.scores, strict=True))
        return self._order

    def copy(self) -> ZSet:
        return ZSet.of(self.scores)

    def put(self, member: bytes, score: float) -> None:
        """Add ``member`` or move it to ``score``. An equal score (0 and -0 are) leaves the old one."""
        old = self.scores.get(member)
        if old == score:
            return
        if self._keys is not None and old is None:
            self._keys.add(member)
        if self._order is not None:
            if old is not None:
                member = self._order.remove((old, member))[1]
            self._order.add((score, member))
        self.scores[member] = score

    def remove(self, member: bytes) -> bool:
        """Take ``member`` out; tell whether it was there."""
        score = self.scores.pop(member, None)
        if score is None:
            return False
        if self._order is not None:
            self._order.remove((score, member))
        if self._keys is not None:
            self._keys.discard(member)
        return True

    def rank(self, member: bytes, reverse: bool = False) -> int | None:
        """Count the members before this one (behind it, in reverse); None when it is not there."""
        score = self.scores.get(member)
        if score is None:
            return None
        rank = self.order.index((score, member))
        return len(self.scores) - 1 - rank if reverse else rank

    def rank_span(self, start: int, stop: int, reverse: bool = False) -> Span:
        """The span from rank ``start`` to rank ``stop`` inclusive, negative ones counted from the end."""
        n = len(self.scores)
        start = max(start + n, 0) if start < 0 else min(start, n)
        stop = min(stop + n if stop < 0 else stop, n - 1) + 1
        if start >= stop:
            return 0, 0
        return (n - stop, n - start) if reverse else (start, stop)

    def score_span(self, low: float | None, high: float | None) -> Span:
        """The span of scores from ``low`` to below ``high``; None lies above every score (see ``above``)."""
        n = len(self.scores)
        start = n if low is None else 0 if low == -inf else self.order.index((low,))
        stop = n if high is None else self.order.index((high,))
        return (start, stop) if start < stop else (0, 0)

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
        score = order.blocks[0][0][0]
        if score == order.blocks[-1][-1][0]:
            start = order.index((score, low)) if low else 0
            stop = n if high is None else order.index((score, high))
            return (start, stop) if start < stop else (0, 0)
        return _walk(list(self), low, high, reverse)

    def slice(self, span: Span, reverse: bool = False) -> list[Pair]:
        """The (score, member) pairs of a span, the highest first in reverse."""
        start, stop = span
        pairs = list(self.order) if stop - start == len(self.scores) else self.order.slice(start, stop)
        if reverse:
            pairs.reverse()
        return pairs

    def cut(self, span: Span) -> list[Pair]:
        """Take out a span; give its pairs in ascending order."""
        gone = self.order.cut(*span)
        if len(gone) == len(self.scores):
            self.scores, self._order, self._keys = {}, None, None
            return gone
        scores, keys = self.scores, self._keys
        for _, member in gone:
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
        i, offset = self.order.place(int(rng.random() * len(self.scores)))
        return self.order.blocks[i][offset]

    def sample(self, rng: Random, count: int) -> list[Pair]:
        """``count`` different pairs at random, or all of them when there are fewer."""
        n, order = len(self.scores), self.order
        if count * 3 >= n:
            pairs = list(order)
            return [pairs[i] for i in positions(rng, n, count)]
        return [order.blocks[i][offset] for i, offset in map(order.place, positions(rng, n, count))]

    def page(self, cursor: int, count: int) -> tuple[int, list[Pair]]:
        """A page of a scan (see ``sampling.KeyArray.page``) as pairs."""
        if self._keys is None:
            self._keys = KeyArray(self.scores)
        cursor, members = self._keys.page(cursor, count)
        return cursor, [(self.scores[member], member) for member in members]

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
