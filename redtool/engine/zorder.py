"""The order of a sorted set: members by (score, member), in blocks, with positions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence

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
        from redtool.engine.memory import NUMBER, PAIR, container

        size = sum(map(container, (self, self.members, self.scores, self.fences, self.counts, *self.members)))
        return size + sum(map(container, self.scores)) + len(self.fences) * (PAIR + NUMBER)


def _array(scores: Iterable[float]) -> MutableSequence[float]:
    from array import array  # here: small sets do without, and its first import takes milliseconds

    return array("d", scores)
