"""Union, intersection and difference of sorted sets and sets.

A source is the members and a weight: a sorted set's ``scores``, or a set, whose members all score 1. As in Redis
the sources are taken from the smallest up, which shows in sums of fractions, and a sum or product that is no number
counts as 0.
"""

from __future__ import annotations

from redtool.engine.zsets import ZSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    Source = tuple[Collection[bytes], float]


def _sum(a: float, b: float) -> float:
    total = a + b
    return total if total == total else 0.0


AGGREGATES: dict[bytes, Callable[[float, float], float]] = {b"SUM": _sum, b"MIN": min, b"MAX": max}


def _weighted(source: Source) -> dict[bytes, float]:
    """The scores of a source times its weight; infinity times 0 is no number."""
    members, weight = source
    if not isinstance(members, dict):
        return dict.fromkeys(members, weight)
    if weight == 1.0:
        return members
    return {member: score * weight for member, score in members.items()}


def _numbers(scores: dict[bytes, float]) -> dict[bytes, float]:
    """The scores with 0 for what is no number."""
    if any(score != score for score in scores.values()):
        return {member: score if score == score else 0.0 for member, score in scores.items()}
    return scores


def union(sources: Iterable[Source], aggregate: bytes = b"SUM") -> ZSet:
    """All members of all sources; the scores of a member are aggregated from the smallest source up."""
    combine = AGGREGATES[aggregate]
    total: dict[bytes, float] = {}
    for source in sorted(sources, key=_size):
        scores = _numbers(_weighted(source))
        if not total:
            total = dict(scores)
            continue
        get = total.get
        for member, score in scores.items():
            old = get(member)
            total[member] = score if old is None else combine(old, score)
    return ZSet.of(total)


def intersection(sources: Iterable[Source], aggregate: bytes = b"SUM") -> ZSet:
    """The members that every source has. Of the weighted scores only the smallest source's are made numbers first."""
    combine = AGGREGATES[aggregate]
    first, *others = sorted(sources, key=_size)
    total = _numbers(_weighted(first))
    for source in others:
        total = {m: combine(total[m], s) for m, s in _weighted(_shared(source, total)).items()}
    return ZSet.of(total)


def common(sources: Iterable[Collection[bytes]], limit: int = 0) -> int:
    """Count the members that every source has, up to ``limit`` unless that is 0."""
    first, *others = sorted(sources, key=len)
    count = 0
    for member in first:
        if all(member in other for other in others):
            count += 1
            if count == limit:
                break
    return count


def difference(first: Collection[bytes], others: Iterable[Collection[bytes]]) -> ZSet:
    """The members of the first source that no other has."""
    scores = dict(_weighted((first, 1.0)))
    for other in others:
        if len(other) < len(scores):
            for member in other:
                scores.pop(member, None)
        else:
            scores = {member: score for member, score in scores.items() if member not in other}
    return ZSet.of(scores)


def _size(source: Source) -> int:
    return len(source[0])


def _shared(source: Source, wanted: Collection[bytes]) -> Source:
    """A source cut down to the wanted members, in their order."""
    members, weight = source
    if isinstance(members, dict):
        return {member: members[member] for member in wanted if member in members}, weight
    return [member for member in wanted if member in members], weight
