"""Sorted sets: members with scores, in the order of (score, member).

``ZSet.scores`` is the dict that answers most questions. The order beside it is built when the first question about
order is asked, so a bulk load fills a dict and nothing else, and is kept in step from then on. All range questions
are one notion: a *span* ``(start, stop)`` of ranks, half open, found from scores or members and then sliced,
counted or removed.
"""

from __future__ import annotations

from math import inf, nextafter

from redtool.engine import limits as sizes
from redtool.engine.sampling import KeyArray, positions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from redtool.engine.sampling import Random
    from redtool.engine.zorder import Order, Pair, Span


class ZSet:
    """A sorted set. Change it through its methods; read ``scores`` freely."""

    __slots__ = ("__dict__", "_keys", "_order", "scores")
    kind = b"zset"
    upgraded = False  # was too large for a listpack once; a class default costs those nothing that never were

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
            from redtool.engine.zorder import Order

            self._order = Order(self.scores)
        return self._order

    def copy(self) -> ZSet:
        twin = ZSet.of(self.scores)
        if self.upgraded:
            twin.upgraded = True
        return twin

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
        if len(self.scores) >= sizes.zset_entries or len(member) > sizes.zset_value:
            self.upgraded = True
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
        if len(self.scores) > sizes.zset_entries or any(len(member) > sizes.zset_value for member, _ in gone):
            self.upgraded = True
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
        if self.upgraded or len(self.scores) > _limit(limits, "entries", 128):
            return b"skiplist"
        longest = max(map(len, self.scores), default=0)
        return b"skiplist" if longest > _limit(limits, "value", 64) else b"listpack"

    def settle(self) -> None:
        """Remember that it is too large for a listpack, before the limits change."""
        self.upgraded = self.encoding(sizes.CURRENT) == b"skiplist"

    def nbytes(self, samples: int = 5) -> int:
        """Bytes held; ``samples`` members are measured and the rest taken to be like them, 0 measures all."""
        from redtool.engine.memory import ATTRIBUTES, NUMBER, array, container, strings

        n = len(self.scores)
        size = container(self) + container(self.scores) + strings(self.scores, n, samples) + n * NUMBER
        if self._order is not None:
            size += self._order.nbytes
        return size + array(self._keys) + (ATTRIBUTES if self.upgraded else 0)


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
