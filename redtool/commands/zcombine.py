"""Commands on several sorted sets, or sets: union, intersection, difference."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.commands.zsets import keep, scored
from redtool.engine.sets import Set
from redtool.engine.zcombine import AGGREGATES, common, difference, intersection, union
from redtool.engine.zsets import ZSet
from redtool.numeric import to_int, to_score

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from redtool.resp import Reply
    from redtool.session import Session

command = group("sorted_set")


class Inputs:
    """What ``numkeys key … [options]`` ask for: the members of each key, weights, aggregate.

    ``allowed`` are the options of this command. The keys are looked up before the options are read, as a server does.
    """

    __slots__ = ("aggregate", "limit", "members", "weights", "with_scores")

    def __init__(self, c: Session, name: str, words: tuple[bytes, ...], allowed: tuple[bytes, ...] = ()) -> None:
        number = to_int(words[0])
        if number < 1:
            raise errors.NoInputKeys(name)
        if number > len(words) - 1:
            raise errors.SyntaxError_
        self.members = [members(c, key) for key in words[1 : number + 1]]
        self.weights = [1.0] * number
        self.aggregate, self.with_scores, self.limit = b"SUM", False, 0
        rest = iter(words[number + 1 :])
        for word in rest:
            if word.upper() not in allowed:
                raise errors.SyntaxError_
            self._read(word.upper(), rest)

    def _read(self, word: bytes, rest: Iterator[bytes]) -> None:
        if word == b"WITHSCORES":
            self.with_scores = True
        elif word == b"WEIGHTS":
            given = [text for _, text in zip(self.weights, rest, strict=False)]
            if len(given) < len(self.weights):
                raise errors.SyntaxError_
            self.weights = [to_score(text, errors.WeightNotFloat) for text in given]
        elif word == b"AGGREGATE":
            self.aggregate = next(rest, b"").upper()
            if self.aggregate not in AGGREGATES:
                raise errors.SyntaxError_
        else:
            text = next(rest, None)
            if text is None:
                raise errors.SyntaxError_
            self.limit = to_int(text, errors.LimitNegative)
            if self.limit < 0:
                raise errors.LimitNegative

    def combined(self, how: Callable[..., ZSet]) -> ZSet:
        """Unite or intersect."""
        return how(list(zip(self.members, self.weights, strict=True)), self.aggregate)

    def stored(self, how: Callable[..., ZSet]) -> ZSet:
        """The same to be kept: -0, which a weight may have made, becomes 0, as in a listpack."""
        found = self.combined(how)
        if any(weight != 1.0 for weight in self.weights):
            return ZSet.of((member, score + 0.0) for member, score in found.scores.items())
        return found


def members(c: Session, key: bytes) -> Collection[bytes]:
    """A sorted set's scores, a set, or nothing."""
    value = c.readable(key, Set if type(c.db.peek(key)) is Set else ZSet)
    if value is None:
        return {}
    return value.scores if type(value) is ZSet else value


READ = (b"WEIGHTS", b"AGGREGATE", b"WITHSCORES")
STORE = (b"WEIGHTS", b"AGGREGATE")


def answer(c: Session, found: ZSet, inputs: Inputs) -> Reply:
    """A result in order, with scores if asked for."""
    pairs = found.slice((0, len(found)))
    return scored(c, pairs) if inputs.with_scores else [member for member, _ in pairs]


@command("ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]",
         "readonly movablekeys", since="6.2.0",
         complexity="O(N + M log M) N members in all, M in the result")  # fmt: skip
def zunion(c: Session, *args: bytes) -> Reply:
    """Give the members that any of the sorted sets has.

    > ZADD points:mon 5 ada 3 alan
    (integer) 2
    > ZADD points:tue 4 alan 2 grace
    (integer) 2
    > ZUNION 2 points:mon points:tue WITHSCORES
    1) "grace"
    2) "2"
    3) "ada"
    4) "5"
    5) "alan"
    6) "7"
    """
    inputs = Inputs(c, "zunion", args, READ)
    return answer(c, inputs.combined(union), inputs)


@command("ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]",
         "readonly movablekeys", since="6.2.0",
         complexity="O(N*K + M log M) N members in the smallest of K, M in the result")  # fmt: skip
def zinter(c: Session, *args: bytes) -> Reply:
    """Give the members that all sorted sets have.

    > ZADD points:mon 5 ada 3 alan
    (integer) 2
    > ZADD points:tue 4 alan 2 grace
    (integer) 2
    > ZINTER 2 points:mon points:tue AGGREGATE MAX WITHSCORES
    1) "alan"
    2) "4"
    """
    inputs = Inputs(c, "zinter", args, READ)
    return answer(c, inputs.combined(intersection), inputs)


@command("ZDIFF numkeys key [key ...] [WITHSCORES]", "readonly movablekeys", since="6.2.0",
         complexity="O(N + M log M) N members in all, M in the result")  # fmt: skip
def zdiff(c: Session, *args: bytes) -> Reply:
    """Give the members of the first sorted set that no other has.

    > ZADD points:mon 5 ada 3 alan
    (integer) 2
    > ZADD points:tue 4 alan 2 grace
    (integer) 2
    > ZDIFF 2 points:mon points:tue WITHSCORES
    1) "ada"
    2) "5"
    """
    inputs = Inputs(c, "zdiff", args, (b"WITHSCORES",))
    return answer(c, difference(inputs.members[0], inputs.members[1:]), inputs)


@command("ZINTERCARD numkeys key [key ...] [LIMIT limit]", "readonly movablekeys", since="7.0.0",
         complexity="O(N*K) N members in the smallest of K")  # fmt: skip
def zintercard(c: Session, *args: bytes) -> Reply:
    """Count the members that all sorted sets have, up to a limit (0: none).

    > ZADD points:mon 5 ada 3 alan
    (integer) 2
    > ZADD points:tue 4 alan 2 ada
    (integer) 2
    > ZINTERCARD 2 points:mon points:tue
    (integer) 2
    > ZINTERCARD 2 points:mon points:tue LIMIT 1
    (integer) 1
    """
    inputs = Inputs(c, "zintercard", args, (b"LIMIT",))
    return common(inputs.members, inputs.limit)


@command("ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]",
         "write denyoom movablekeys", since="2.0.0",
         complexity="O(N + M log M) N members in all, M in the result")  # fmt: skip
def zunionstore(c: Session, destination: bytes, *args: bytes) -> Reply:
    """Store the members that any of the sorted sets has; gives how many.

    > ZADD points:mon 5 ada 3 alan
    (integer) 2
    > ZADD points:tue 4 alan 2 grace
    (integer) 2
    > ZUNIONSTORE points:all 2 points:mon points:tue WEIGHTS 1 2
    (integer) 3
    > ZRANGE points:all 0 -1 WITHSCORES
    1) "grace"
    2) "4"
    3) "ada"
    4) "5"
    5) "alan"
    6) "11"
    """
    return keep(c, destination, b"zunionstore", Inputs(c, "zunionstore", args, STORE).stored(union))


@command("ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]",
         "write denyoom movablekeys", since="2.0.0",
         complexity="O(N*K + M log M) N members in the smallest of K, M in the result")  # fmt: skip
def zinterstore(c: Session, destination: bytes, *args: bytes) -> Reply:
    """Store the members that all sorted sets have; gives how many.

    > ZADD points:mon 5 ada 3 alan
    (integer) 2
    > ZADD points:tue 4 alan 2 grace
    (integer) 2
    > ZINTERSTORE points:both 2 points:mon points:tue
    (integer) 1
    > ZRANGE points:both 0 -1 WITHSCORES
    1) "alan"
    2) "7"
    """
    return keep(c, destination, b"zinterstore", Inputs(c, "zinterstore", args, STORE).stored(intersection))


@command("ZDIFFSTORE destination numkeys key [key ...]", "write denyoom movablekeys", since="6.2.0",
         complexity="O(N + M log M) N members in all, M in the result")  # fmt: skip
def zdiffstore(c: Session, destination: bytes, *args: bytes) -> Reply:
    """Store the members of the first sorted set that no other has; gives how many.

    > ZADD points:mon 5 ada 3 alan
    (integer) 2
    > ZADD points:tue 4 alan 2 grace
    (integer) 2
    > ZDIFFSTORE points:gone 2 points:mon points:tue
    (integer) 1
    > ZRANGE points:gone 0 -1
    1) "ada"
    """
    inputs = Inputs(c, "zdiffstore", args)
    return keep(c, destination, b"zdiffstore", difference(inputs.members[0], inputs.members[1:]))
