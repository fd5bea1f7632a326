"""Sorted-set commands on ranges: by rank, by score, by member; read, count, store, remove."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.commands.zsets import keep, scored
from redtool.engine.zsets import ZSet, above
from redtool.numeric import to_float, to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.engine.zorder import Span
    from redtool.resp import Reply
    from redtool.session import Session

    Bounds = tuple[Any, Any]  # two of: ranks, scores, members

command = group("sorted_set")

BY = {b"BYSCORE": "score", b"BYLEX": "lex"}


def score_bound(text: bytes, upper: bool) -> float | None:
    """Read ``1.5``, ``(1.5`` or ``-inf`` as an end of ``ZSet.score_span``."""
    excluded = text[:1] == b"("
    # strtod reads it: spaces before are skipped, a NUL ends it, and nothing at all is 0.
    text = (text[1:] if excluded else text).partition(b"\0")[0]
    value = to_float(text.lstrip(b" \t\n\v\f\r"), errors.BoundNotFloat) if text else 0.0
    return value if excluded == upper else above(value)


def lex_bound(text: bytes, upper: bool) -> bytes | None:
    """Read ``[member``, ``(member``, ``-`` or ``+`` as an end of ``ZSet.lex_span``."""
    if text in (b"-", b"+"):
        return b"" if text == b"-" else None
    if text[:1] not in (b"[", b"("):
        raise errors.BoundNotString
    # The next member in the order of bytes is the same with a NUL behind it.
    return text[1:] if (text[:1] == b"(") == upper else text[1:] + b"\0"


def bounds(by: str, low: bytes, high: bytes) -> Bounds:
    """Read both ends of a range."""
    if by == "rank":
        return to_int(low), to_int(high)
    if by == "score":
        return score_bound(low, False), score_bound(high, True)
    return lex_bound(low, False), lex_bound(high, True)


class Range:
    """What the words of one of the ZRANGE commands ask for.

    Commands of the old kind give ``by`` and ``reverse``, ZRANGE and ZRANGESTORE read them from options.
    """

    __slots__ = ("bounds", "by", "count", "offset", "reverse", "with_scores")

    def __init__(
        self, words: tuple[bytes, ...], by: str = "", reverse: bool | None = None, store: bool = False
    ) -> None:
        self.by, self.reverse = by, reverse
        self.with_scores = False
        self.offset, self.count = 0, -1
        if len(words) > 2:
            self._read(words[2:], store)
        self.by = self.by or "rank"
        if self.count != -1 and self.by == "rank":  # LIMIT 0 -1 passes, as it does on a server
            raise errors.LimitNeedsBy
        if self.with_scores and self.by == "lex":
            raise errors.ScoresWithLex
        low, high = words[:2]
        if self.reverse and self.by != "rank":
            low, high = high, low
        self.bounds = bounds(self.by, low, high)

    def _read(self, words: tuple[bytes, ...], store: bool) -> None:
        rest = iter(words)
        for word in rest:
            word = word.upper()
            if word == b"WITHSCORES" and not store:
                self.with_scores = True
            elif word == b"LIMIT":
                offset, count = next(rest, None), next(rest, None)
                if offset is None or count is None:
                    raise errors.SyntaxError_
                self.offset, self.count = to_int(offset), to_int(count)
            elif word == b"REV" and self.reverse is None:
                self.reverse = True
            elif word in BY and not self.by:
                self.by = BY[word]
            else:
                raise errors.SyntaxError_

    def span(self, zset: ZSet) -> Span:
        """Find the range in a sorted set, cut to LIMIT."""
        low, high = self.bounds
        reverse = bool(self.reverse)
        if self.by == "rank":
            return zset.rank_span(low, high, reverse)
        start, stop = zset.score_span(low, high) if self.by == "score" else zset.lex_span(low, high, reverse)
        if self.offset < 0:
            return 0, 0
        if reverse:
            stop -= self.offset
            start = start if self.count < 0 else max(start, stop - self.count)
        else:
            start += self.offset
            stop = stop if self.count < 0 else min(stop, start + self.count)
        return (start, stop) if start < stop else (0, 0)


# -- read


@command("ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]", "readonly", since="1.2.0",
         complexity="O(log N + M) for M members given")  # fmt: skip
def zrange(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the members of a range of ranks, scores or members.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZRANGE leaderboard 0 1 REV WITHSCORES
    1) "ada"
    2) "90"
    3) "grace"
    4) "82"
    > ZRANGE leaderboard 80 +inf BYSCORE
    1) "grace"
    2) "ada"
    """
    return read(c, key, Range(args))


@command("ZREVRANGE key start stop [WITHSCORES]", "readonly", since="1.2.0",
         complexity="O(log N + M) for M members given")  # fmt: skip
def zrevrange(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the members of a range of ranks, the highest score first.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZREVRANGE leaderboard 0 1
    1) "ada"
    2) "grace"
    """
    return read(c, key, Range(args, "rank", True))


@command("ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]", "readonly", since="1.0.5",
         complexity="O(log N + M) for M members given")  # fmt: skip
def zrangebyscore(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the members of a range of scores.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZRANGEBYSCORE leaderboard 75 90
    1) "alan"
    2) "grace"
    3) "ada"
    > ZRANGEBYSCORE leaderboard (75 +inf WITHSCORES LIMIT 0 1
    1) "grace"
    2) "82"
    """
    return read(c, key, Range(args, "score", False))


@command("ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]", "readonly", since="2.2.0",
         complexity="O(log N + M) for M members given")  # fmt: skip
def zrevrangebyscore(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give the members of a range of scores, the highest first.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZREVRANGEBYSCORE leaderboard 85 -inf
    1) "grace"
    2) "alan"
    """
    return read(c, key, Range(args, "score", True))


@command("ZRANGEBYLEX key min max [LIMIT offset count]", "readonly", since="2.8.9",
         complexity="O(log N + M) for M members given")  # fmt: skip
def zrangebylex(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give a range of members that all have one score, by their bytes.

    > ZADD names 0 ada 0 alan 0 barbara 0 grace
    (integer) 4
    > ZRANGEBYLEX names [al [c
    1) "alan"
    2) "barbara"
    > ZRANGEBYLEX names (barbara +
    1) "grace"
    """
    return read(c, key, Range(args, "lex", False))


@command("ZREVRANGEBYLEX key max min [LIMIT offset count]", "readonly", since="2.8.9",
         complexity="O(log N + M) for M members given")  # fmt: skip
def zrevrangebylex(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give a range of members that all have one score, by their bytes, last first.

    > ZADD names 0 ada 0 alan 0 barbara 0 grace
    (integer) 4
    > ZREVRANGEBYLEX names + [b
    1) "grace"
    2) "barbara"
    """
    return read(c, key, Range(args, "lex", True))


def read(c: Session, key: bytes, wanted: Range) -> Reply:
    """The reply of all of these."""
    zset = c.readable(key, ZSet)
    if zset is None:
        return []
    span, reverse = wanted.span(zset), bool(wanted.reverse)
    return scored(c, zset.slice(span, reverse)) if wanted.with_scores else zset.members(span, reverse)


@command("ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]", "write denyoom", since="6.2.0",
         complexity="O(log N + M) for M members stored")  # fmt: skip
def zrangestore(c: Session, destination: bytes, source: bytes, *args: bytes) -> Reply:
    """Store what ZRANGE would give as a sorted set; gives how many members.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZRANGESTORE podium leaderboard 0 1 REV
    (integer) 2
    > ZRANGE podium 0 -1 WITHSCORES
    1) "grace"
    2) "82"
    3) "ada"
    4) "90"
    """
    wanted = Range(args, store=True)
    zset = c.readable(source, ZSet)
    found = ZSet() if zset is None else ZSet.of(zset.slice(wanted.span(zset)))
    return keep(c, destination, b"zrangestore", found)


# -- count


@command("ZCOUNT key min max", "readonly fast", since="2.0.0", complexity="O(log N)")
def zcount(c: Session, key: bytes, low: bytes, high: bytes) -> Reply:
    """Count the members in a range of scores.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZCOUNT leaderboard 80 90
    (integer) 2
    > ZCOUNT leaderboard -inf (82
    (integer) 1
    """
    return count(c, key, Range((low, high), "score"))


@command("ZLEXCOUNT key min max", "readonly fast", since="2.8.9", complexity="O(log N)")
def zlexcount(c: Session, key: bytes, low: bytes, high: bytes) -> Reply:
    """Count a range of members that all have one score.

    > ZADD names 0 ada 0 alan 0 barbara 0 grace
    (integer) 4
    > ZLEXCOUNT names [a (b
    (integer) 2
    """
    return count(c, key, Range((low, high), "lex"))


def count(c: Session, key: bytes, wanted: Range) -> int:
    """ZCOUNT and ZLEXCOUNT."""
    zset = c.readable(key, ZSet)
    if zset is None:
        return 0
    start, stop = wanted.span(zset)
    return stop - start


# -- remove


@command("ZREMRANGEBYRANK key start stop", "write", since="2.0.0", complexity="O(log N + M) for M members removed")
def zremrangebyrank(c: Session, key: bytes, start: bytes, stop: bytes) -> Reply:
    """Remove the members of a range of ranks; gives how many.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZREMRANGEBYRANK leaderboard 0 0
    (integer) 1
    > ZRANGE leaderboard 0 -1
    1) "grace"
    2) "ada"
    """
    return remove(c, key, Range((start, stop), "rank"), b"zremrangebyrank")


@command("ZREMRANGEBYSCORE key min max", "write", since="1.2.0", complexity="O(log N + M) for M members removed")
def zremrangebyscore(c: Session, key: bytes, low: bytes, high: bytes) -> Reply:
    """Remove the members of a range of scores; gives how many.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZREMRANGEBYSCORE leaderboard -inf (85
    (integer) 2
    > ZRANGE leaderboard 0 -1
    1) "ada"
    """
    return remove(c, key, Range((low, high), "score"), b"zremrangebyscore")


@command("ZREMRANGEBYLEX key min max", "write", since="2.8.9", complexity="O(log N + M) for M members removed")
def zremrangebylex(c: Session, key: bytes, low: bytes, high: bytes) -> Reply:
    """Remove a range of members that all have one score; gives how many.

    > ZADD names 0 ada 0 alan 0 barbara 0 grace
    (integer) 4
    > ZREMRANGEBYLEX names [a (b
    (integer) 2
    > ZRANGE names 0 -1
    1) "barbara"
    2) "grace"
    """
    return remove(c, key, Range((low, high), "lex"), b"zremrangebylex")


def remove(c: Session, key: bytes, wanted: Range, event: bytes) -> int:
    """ZREMRANGEBYRANK, ZREMRANGEBYSCORE and ZREMRANGEBYLEX."""
    zset = c.writable(key, ZSet)
    if zset is None:
        return 0
    gone = len(zset.cut(wanted.span(zset)))
    c.changed(key, event, gone)
    c.drop_if_empty(key, zset)
    return gone
