"""Sorted-set commands on single members: add, score, rank, pop, pick, scan. Ranges are in zranges, sums in zcombine."""

from __future__ import annotations

from redtool import errors
from redtool.commands.picks import to_draws
from redtool.commands.table import group
from redtool.engine import limits as sizes
from redtool.engine.zsets import ZSet
from redtool.numeric import INT64_MAX, float_text, to_cursor, to_int, to_score, to_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from redtool.engine.zorder import Pair
    from redtool.resp import Reply
    from redtool.session import Session

    Popping = tuple[Sequence[bytes], bool, int]  # keys, whether the highest go, how many

command = group("sorted_set")

ZADD_OPTIONS = frozenset((b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"))
TIES = (frozenset((b"GT", b"NX")), frozenset((b"LT", b"NX")), frozenset((b"GT", b"LT")))


def scored(c: Session, pairs: Iterable[Pair]) -> Reply:
    """Members with scores as a reply: flat in RESP2, a list of pairs in RESP3."""
    if c.proto == 3:
        return [list(pair) for pair in pairs]
    return [item for pair in pairs for item in pair]


def keep(c: Session, key: bytes, event: bytes, found: ZSet) -> int:
    """Store a result in place of whatever is under the key; an empty one removes the key."""
    if found:
        c.put(key, found)
        c.changed(key, event)
    elif c.remove(key):
        c.changed(key, b"del")
    return len(found)


# -- add and remove


@command("ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]", "write denyoom fast",
         since="1.2.0", complexity="O(log N) a member")  # fmt: skip
def zadd(c: Session, key: bytes, *args: bytes) -> Reply:
    """Add members to a sorted set, or update their scores.

    > ZADD leaderboard 90 ada 75 alan
    (integer) 2
    > ZADD leaderboard 95 ada 82 grace
    (integer) 1
    > ZADD leaderboard GT CH 80 ada 88 grace
    (integer) 1
    > ZRANGE leaderboard 0 -1 WITHSCORES
    1) "alan"
    2) "75"
    3) "grace"
    4) "88"
    5) "ada"
    6) "95"
    """
    if len(args) == 2 and args[0].isdigit():  # the usual form
        zset = c.writable(key, ZSet, create=True)
        size = len(zset.scores)
        c.changed(key, b"zadd", zset.put(args[1], float(args[0])))
        return len(zset.scores) - size
    options, pairs = split(args)
    scores = [to_score(text) for text in pairs[::2]]
    zset = c.writable(key, ZSet, create=b"XX" not in options)
    if b"INCR" in options:
        return None if zset is None else increment(c, key, zset, pairs[1], scores[0], options)
    if zset is None:
        return 0
    before = len(zset)
    put, members = zset.put, pairs[1::2]
    if len(members) > sizes.zset_entries:
        zset.upgraded = True  # a server makes room for so many, even if they turn out to be fewer
    if options and options != {b"CH"}:
        get = zset.scores.get
        changed = sum(put(m, s) for m, s in zip(members, scores, strict=True) if admits(options, get(m), s))
    else:
        changed = sum(map(put, members, scores))
    c.changed(key, b"zadd", changed)
    return changed if b"CH" in options else len(zset) - before


def split(args: tuple[bytes, ...]) -> tuple[set[bytes], tuple[bytes, ...]]:
    """Give ZADD's options and what follows them, refusing what does not go together."""
    pairs, options = args, set()
    while pairs and (word := pairs[0].upper()) in ZADD_OPTIONS:
        options.add(word)
        pairs = pairs[1:]
    if len(pairs) % 2 or not pairs:
        raise errors.SyntaxError_
    if not options:
        return options, pairs
    if options >= {b"NX", b"XX"}:
        raise errors.NxWithXx
    if any(options >= tie for tie in TIES):
        raise errors.GtLtOrNx
    if b"INCR" in options and len(pairs) > 2:
        raise errors.IncrOnePair
    return options, pairs


def admits(options: set[bytes], old: float | None, new: float) -> bool:
    """Tell whether the options let a member go from its old score (None: it is new) to another."""
    if old is None:
        return b"XX" not in options
    if b"NX" in options:
        return False
    return not (b"GT" in options and new <= old) and not (b"LT" in options and new >= old)


def increment(c: Session, key: bytes, zset: ZSet, member: bytes, by: float, options: set[bytes]) -> float | None:
    """Add to a score and give the new one; None when the options do not admit it."""
    old = zset.scores.get(member)
    new = by if old is None else old + by
    if new != new:
        raise errors.ScoreNotNumber
    if not admits(options, old, new):
        return None
    c.changed(key, b"zincr", zset.put(member, new))
    return new


@command("ZINCRBY key increment member", "write denyoom fast", since="1.2.0", complexity="O(log N)")
def zincrby(c: Session, key: bytes, by: bytes, member: bytes) -> Reply:
    """Add to the score of a member, new ones starting from 0; gives the new score.

    > ZADD leaderboard 90 ada
    (integer) 1
    > ZINCRBY leaderboard 5 ada
    "95"
    > ZINCRBY leaderboard 2.5 alan
    "2.5"
    """
    amount = to_score(by)
    return increment(c, key, c.writable(key, ZSet, create=True), member, amount, set())


@command("ZREM key member [member ...]", "write fast", since="1.2.0", complexity="O(log N) a member")
def zrem(c: Session, key: bytes, *members: bytes) -> Reply:
    """Remove members; gives how many there were.

    > ZADD leaderboard 90 ada 75 alan
    (integer) 2
    > ZREM leaderboard alan nobody
    (integer) 1
    > ZRANGE leaderboard 0 -1
    1) "ada"
    """
    zset = c.writable(key, ZSet)
    if zset is None:
        return 0
    gone = sum(map(zset.remove, members))
    c.changed(key, b"zrem", gone)
    c.drop_if_empty(key, zset)
    return gone


# -- look


@command("ZCARD key", "readonly fast", since="1.2.0")
def zcard(c: Session, key: bytes) -> Reply:
    """Give the number of members, 0 when missing.

    > ZADD leaderboard 90 ada 75 alan
    (integer) 2
    > ZCARD leaderboard
    (integer) 2
    """
    zset = c.readable(key, ZSet)
    return 0 if zset is None else len(zset)


@command("ZSCORE key member", "readonly fast", since="1.2.0")
def zscore(c: Session, key: bytes, member: bytes) -> Reply:
    """Give the score of a member.

    > ZADD leaderboard 90 ada 75.5 alan
    (integer) 2
    > ZSCORE leaderboard alan
    "75.5"
    > ZSCORE leaderboard nobody
    (nil)
    """
    zset = c.readable(key, ZSet)
    return None if zset is None else zset.scores.get(member)


@command("ZMSCORE key member [member ...]", "readonly fast", since="6.2.0", complexity="O(N) members asked for")
def zmscore(c: Session, key: bytes, *members: bytes) -> Reply:
    """Give the scores of several members, nil for each that is not there.

    > ZADD leaderboard 90 ada 75.5 alan
    (integer) 2
    > ZMSCORE leaderboard alan nobody ada
    1) "75.5"
    2) (nil)
    3) "90"
    """
    zset = c.readable(key, ZSet)
    return [None if zset is None else zset.scores.get(member) for member in members]


@command("ZRANK key member [WITHSCORE]", "readonly fast", since="2.0.0", complexity="O(log N)")
def zrank(c: Session, key: bytes, member: bytes, *args: bytes) -> Reply:
    """Give the place of a member, the lowest score being 0.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZRANK leaderboard grace
    (integer) 1
    > ZRANK leaderboard ada WITHSCORE
    1) (integer) 2
    2) "90"
    """
    return rank(c, key, member, args, False)


@command("ZREVRANK key member [WITHSCORE]", "readonly fast", since="2.0.0", complexity="O(log N)")
def zrevrank(c: Session, key: bytes, member: bytes, *args: bytes) -> Reply:
    """Give the place of a member, the highest score being 0.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZREVRANK leaderboard ada
    (integer) 0
    > ZREVRANK leaderboard nobody
    (nil)
    """
    return rank(c, key, member, args, True)


def rank(c: Session, key: bytes, member: bytes, args: tuple[bytes, ...], reverse: bool) -> Reply:
    """ZRANK and ZREVRANK."""
    if len(args) > 1:
        raise errors.WrongArity("zrevrank" if reverse else "zrank")
    if args and args[0].upper() != b"WITHSCORE":
        raise errors.SyntaxError_
    zset = c.readable(key, ZSet)
    place = None if zset is None else zset.rank(member, reverse)
    if not args:
        return place
    return c.no_array if place is None else [place, zset.scores[member]]


# -- pop


@command("ZPOPMIN key [count]", "write fast", since="5.0.0", complexity="O(log N) a member given", arity=-2)
def zpopmin(c: Session, key: bytes, *count: bytes) -> Reply:
    """Remove and give the member with the lowest score, or the lowest few.

    > ZADD tasks 1 urgent 5 normal 9 whenever
    (integer) 3
    > ZPOPMIN tasks
    1) "urgent"
    2) "1"
    > ZPOPMIN tasks 2
    1) "normal"
    2) "5"
    3) "whenever"
    4) "9"
    """
    return pop(c, key, count, False)


@command("ZPOPMAX key [count]", "write fast", since="5.0.0", complexity="O(log N) a member given", arity=-2)
def zpopmax(c: Session, key: bytes, *count: bytes) -> Reply:
    """Remove and give the member with the highest score, or the highest few.

    > ZADD leaderboard 90 ada 75 alan 82 grace
    (integer) 3
    > ZPOPMAX leaderboard
    1) "ada"
    2) "90"
    """
    return pop(c, key, count, True)


def pop(c: Session, key: bytes, count: tuple[bytes, ...], highest: bool) -> Reply:
    """ZPOPMIN and ZPOPMAX. Without a count the pair is flat in RESP3 too."""
    if len(count) > 1:
        raise errors.SyntaxError_
    wanted = to_int(count[0], errors.MustBePositive) if count else 1
    if wanted < 0:
        raise errors.MustBePositive
    zset = c.writable(key, ZSet)
    pairs = [] if zset is None else take(c, key, zset, wanted, highest)
    return scored(c, pairs) if count else [item for pair in pairs for item in pair]


def take(c: Session, key: bytes, zset: ZSet, count: int, highest: bool) -> list[Pair]:
    """Remove members from one end, report it, and drop the sorted set when it is empty."""
    pairs = zset.pop_max(count) if highest else zset.pop_min(count)
    c.changed(key, b"zpopmax" if highest else b"zpopmin", len(pairs))
    c.drop_if_empty(key, zset)
    return pairs


def take_first(c: Session, keys: Sequence[bytes], count: int, highest: bool) -> tuple[bytes, list[Pair]] | None:
    """Take from the first of these sorted sets that exists; what is journalled names it."""
    for key in keys:
        zset = c.writable(key, ZSet)
        if zset is not None:
            pairs = take(c, key, zset, count, highest)
            c.journal(b"ZPOPMAX" if highest else b"ZPOPMIN", key, b"%d" % len(pairs))
            return key, pairs
    return None


@command("BZPOPMIN key [key ...] timeout", "write blocking fast", since="5.0.0", complexity="O(log N)")
def bzpopmin(c: Session, *args: bytes) -> Reply:
    """Remove the lowest member of the first sorted set that has one; waits for one.

    > ZADD tasks 1 urgent 5 normal
    (integer) 2
    > BZPOPMIN tasks:vip tasks 5
    1) "tasks"
    2) "urgent"
    3) "1"
    """
    return pop_or_wait(c, args, False)


@command("BZPOPMAX key [key ...] timeout", "write blocking fast", since="5.0.0", complexity="O(log N)")
def bzpopmax(c: Session, *args: bytes) -> Reply:
    """Remove the highest member of the first sorted set that has one; waits for one.

    > ZADD leaderboard 90 ada 75 alan
    (integer) 2
    > BZPOPMAX leaderboard 5
    1) "leaderboard"
    2) "ada"
    3) "90"
    """
    return pop_or_wait(c, args, True)


def pop_or_wait(c: Session, args: tuple[bytes, ...], highest: bool) -> Reply:
    """BZPOPMIN and BZPOPMAX."""
    timeout, keys = to_timeout(args[-1]), args[:-1]
    found = take_first(c, keys, 1, highest)
    return c.wait(keys, timeout, ZSet) if found is None else [found[0], *found[1][0]]


@command("ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]", "write movablekeys", since="7.0.0",
         complexity="O(K) + O(log N) a member given, K the number of keys")  # fmt: skip
def zmpop(c: Session, *args: bytes) -> Reply:
    """Remove members from the first sorted set that has some; gives its key and them.

    > ZADD tasks 1 urgent 5 normal 9 whenever
    (integer) 3
    > ZMPOP 2 tasks:vip tasks MIN COUNT 2
    1) "tasks"
    2) 1) 1) "urgent"
          2) "1"
       2) 1) "normal"
          2) "5"
    """
    keys, highest, count = popping(args)
    found = take_first(c, keys, count, highest)
    return c.no_array if found is None else named(found)


@command("BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]", "write blocking movablekeys", since="7.0.0",
         complexity="O(K) + O(log N) a member given, K the number of keys")  # fmt: skip
def bzmpop(c: Session, timeout: bytes, *args: bytes) -> Reply:
    """Remove members from the first sorted set that has some; waits for one.

    > ZADD tasks 1 urgent 5 normal
    (integer) 2
    > BZMPOP 5 2 tasks:vip tasks MIN
    1) "tasks"
    2) 1) 1) "urgent"
          2) "1"
    """
    keys, highest, count = popping(args)
    seconds = to_timeout(timeout)
    found = take_first(c, keys, count, highest)
    return c.wait(keys, seconds, ZSet) if found is None else named(found)


def named(found: tuple[bytes, list[Pair]]) -> Reply:
    """The reply of ZMPOP: the key, and pairs in either protocol."""
    return [found[0], [list(pair) for pair in found[1]]]


def popping(args: tuple[bytes, ...]) -> Popping:
    """Read ``numkeys key … MIN|MAX [COUNT count]``."""
    number = to_int(args[0], errors.NumkeysNotPositive)
    if number <= 0:
        raise errors.NumkeysNotPositive
    end, *options = args[number + 1 :] or (b"",)
    if end.upper() not in (b"MIN", b"MAX"):
        raise errors.SyntaxError_
    count = 1
    if options:
        if len(options) < 2 or options[0].upper() != b"COUNT":
            raise errors.SyntaxError_
        count = to_int(options[1], errors.CountNotPositive)
        if count <= 0:
            raise errors.CountNotPositive
        if len(options) > 2:
            raise errors.SyntaxError_
    return args[1 : number + 1], end.upper() == b"MAX", count


# -- pick and scan


@command("ZRANDMEMBER key [count [WITHSCORES]]", "readonly", since="6.2.0", complexity="O(log N) a member given")
def zrandmember(c: Session, key: bytes, *args: bytes) -> Reply:
    """Give a member at random, or count different ones, or -count that may repeat.

    > ZADD prizes 1 mug 2 lamp 3 sofa
    (integer) 3
    > ZRANDMEMBER prizes
    "…"
    > ZRANDMEMBER prizes 1 WITHSCORES
    1) "…"
    2) "…"
    """
    number = to_draws(args[0]) if args else 1
    if len(args) > 2 or (len(args) == 2 and args[1].upper() != b"WITHSCORES"):
        raise errors.SyntaxError_
    if len(args) == 2 and abs(number) > INT64_MAX // 2:
        raise errors.OutOfRange
    zset, rng = c.readable(key, ZSet), c.store.rng
    if zset is None:
        return [] if args else None
    if number < 0:
        pairs = [zset.pick(rng) for _ in range(-number)]
    else:
        pairs = zset.slice((0, len(zset))) if number >= len(zset) > 1 else zset.sample(rng, number)
    if not args:
        return pairs[0][0]
    return scored(c, pairs) if len(args) == 2 else [member for member, _ in pairs]


@command("ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]", "readonly", since="2.8.0",
         complexity="O(1) a call, O(N) for all members")  # fmt: skip
def zscan(c: Session, key: bytes, cursor: bytes, *args: bytes) -> Reply:
    """Go through members and scores a page at a time: next cursor, and some of them.

    What Redis stores packed (a listpack) comes whole in one page, in order, whatever COUNT says. Scores of what it
    does not store packed come with 17 digits, as its C code prints them here and nowhere else.

    > ZADD leaderboard 90 ada 75 alan
    (integer) 2
    > ZSCAN leaderboard 0
    1) "0"
    2) 1) "alan"
       2) "75"
       3) "ada"
       4) "90"
    > ZSCAN leaderboard 0 MATCH al*
    1) "0"
    2) 1) "alan"
       2) "75"
    """
    start = to_cursor(cursor)
    zset = c.readable(key, ZSet)
    if zset is None:
        return [b"0", []]
    opt = zscan.trailing(args)
    count = to_int(opt.get(b"COUNT", b"10"))
    if count < 1:
        raise errors.SyntaxError_
    text_of: Callable[[float], bytes] = float_text
    if zset.encoding(c.config) == b"listpack":
        following, pairs = 0, zset.slice((0, len(zset)))
    else:
        following, pairs = zset.page(start, count)
        text_of = b"%.17g".__mod__
    if b"MATCH" in opt:
        from redtool.globs import matcher

        matches = matcher(opt[b"MATCH"])
        pairs = [pair for pair in pairs if matches(pair[0])]
    if b"NOSCORES" in opt:
        return [b"%d" % following, [member for member, _ in pairs]]
    return [b"%d" % following, [text for member, score in pairs for text in (member, text_of(score))]]
