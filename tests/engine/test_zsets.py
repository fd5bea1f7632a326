"""ZSet and Order against sorted lists, over both shapes: one block and many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redtool.engine import zorder
from redtool.engine.zcombine import common, difference, intersection, union
from redtool.engine.zorder import Order
from redtool.engine.zsets import ZSet, above

LIMITS = {"zset-max-listpack-entries": 4, "zset-max-listpack-value": 8}
SCORES = st.sampled_from([-inf, -2.5, -1.0, -0.0, 0.0, 1.0, 1.5, 2.0, 3.0, inf])
MEMBERS = st.integers(0, 99).map(lambda i: b"m%02d" % i)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), MEMBERS, SCORES),
        st.tuples(st.just("remove"), MEMBERS),
        st.tuples(st.just("cut"), st.integers(-110, 110), st.integers(-110, 110)),
        st.tuples(st.just("pop_min"), st.integers(0, 20)),
        st.tuples(st.just("pop_max"), st.integers(0, 20)),
    ),
    max_size=60,
)


@pytest.fixture(params=["one block", "many blocks"], scope="module")
def shape(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "many blocks":
            for name, value in (("FULL", 6), ("SPARSE", 2), ("GROUP", 3)):
                patch.setattr(zorder, name, value)
        yield


def ordered(model: dict[bytes, float]) -> list[tuple[bytes, float]]:
    return sorted(model.items(), key=lambda pair: pair[::-1])


def verify(zset: ZSet, model: dict[bytes, float]) -> None:
    """Everything a ZSet and its Order say about themselves agrees with the model and with each other."""
    pairs = ordered(model)
    order = zset.order
    assert zset.scores == model
    assert list(order) == pairs
    assert list(zset) == [member for member, _ in pairs]
    assert sum(order.counts) == len(zset) == len(pairs)
    assert len(order.fences) == len(order.members) - 1 == len(order.scores) - 1
    for i, fence in enumerate(order.fences):
        assert all(pair < fence for pair in zip(order.scores[i], order.members[i], strict=True))
        assert all(pair >= fence for pair in zip(order.scores[i + 1], order.members[i + 1], strict=True))
    assert all(len(block) <= zorder.FULL for block in order.members)
    assert all(order.members) or not pairs
    for i, (member, score) in enumerate(pairs):
        assert zset.rank(member) == i
        assert zset.rank(member, reverse=True) == len(pairs) - 1 - i
        assert order.at(i) == (member, score)
        assert zset.slice((i, len(pairs))) == pairs[i:]


def apply(model: dict[bytes, float], step: tuple[object, ...]) -> object:
    match step:
        case "put", bytes(member), float(score):
            if model.get(member) == score:
                return False
            model[member] = score
            return True
        case "remove", bytes(member):
            return model.pop(member, None) is not None
        case "cut", int(start), int(stop):
            gone = ordered(model)[start : stop + 1 or None]
        case "pop_min", int(count):
            gone = ordered(model)[:count]
        case "pop_max", int(count):
            gone = ordered(model)[::-1][:count]
    for member, _ in gone:
        del model[member]
    return gone


@pytest.mark.usefixtures("shape")
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_changes(data: st.DataObject) -> None:
    start = data.draw(st.dictionaries(MEMBERS, SCORES, max_size=60))
    zset, model = ZSet.of(start), dict(start)
    if data.draw(st.booleans()):
        verify(zset, model)  # builds the order, which the steps then maintain
    zset.page(0, 1)
    for step in data.draw(STEPS):
        name, *args = step
        if name == "cut":
            expected = apply(model, step)
            span = zset.rank_span(*args)
            assert zset.cut(span) == expected
        else:
            assert getattr(zset, name)(*args) == apply(model, step)
    verify(zset, model)
    assert sorted(zset.page(0, 1000)[1]) == sorted(model.items())


@pytest.mark.usefixtures("shape")
@settings(deadline=None)
@given(
    scores=st.dictionaries(MEMBERS, SCORES, max_size=40),
    low=SCORES,
    high=SCORES,
    low_open=st.booleans(),
    high_open=st.booleans(),
)
def test_score_span(scores: dict[bytes, float], low: float, high: float, low_open: bool, high_open: bool) -> None:
    span = ZSet.of(scores).score_span(above(low) if low_open else low, high if high_open else above(high))
    expected = [
        (member, score)
        for member, score in ordered(scores)
        if (low < score if low_open else low <= score) and (score < high if high_open else score <= high)
    ]
    assert ZSet.of(scores).slice(span) == expected
    assert ZSet.of(scores).slice(span, reverse=True) == expected[::-1]


@pytest.mark.usefixtures("shape")
@settings(deadline=None)
@given(
    members=st.sets(st.binary(max_size=2), max_size=40),
    low=st.none() | st.binary(max_size=2),
    high=st.none() | st.binary(max_size=2),
)
def test_lex_span(members: set[bytes], low: bytes | None, high: bytes | None) -> None:
    zset = ZSet.of(dict.fromkeys(members, 7.0))
    expected = [m for m in sorted(members) if low is not None and m >= low and (high is None or m < high)]
    for reverse in (False, True):
        assert zset.members(zset.lex_span(low, high, reverse), reverse) == (expected[::-1] if reverse else expected)


UNEVEN = {b"b": 1.0, b"d": 2.0, b"a": 3.0, b"e": 4.0, b"c": 5.0}  # in order: b d a e c


@pytest.mark.parametrize(
    ("low", "high", "forward", "backward"),
    [
        (b"", None, b"bdaec", b"bdaec"),
        (b"b", None, b"bdaec", b"ec"),
        (b"c", None, b"daec", b"ec"),
        (b"", b"c\0", b"b", b"bdaec"),
        (b"b", b"b\0", b"b", b""),
        (b"x", None, b"", b""),  # the last member is below: nothing, without a walk
        (b"", b"b", b"", b""),  # the first is not below
        (b"a", b"c", b"b", b"bda"),
    ],
)
def test_lex_span_of_uneven_scores_walks_as_a_listpack(
    low: bytes, high: bytes | None, forward: bytes, backward: bytes
) -> None:
    zset = ZSet.of(UNEVEN)
    assert b"".join(zset.members(zset.lex_span(low, high))) == forward
    assert b"".join(zset.members(zset.lex_span(low, high, reverse=True))) == backward


@pytest.mark.parametrize(
    ("start", "stop", "reverse", "expected"),
    [
        (0, -1, False, (0, 5)),
        (1, 3, False, (1, 4)),
        (-2, -1, False, (3, 5)),
        (-99, 99, False, (0, 5)),
        (3, 1, False, (0, 0)),
        (5, 9, False, (0, 0)),
        (0, -6, False, (0, 0)),
        (0, 0, True, (4, 5)),
        (1, 3, True, (1, 4)),
        (-1, -1, True, (0, 1)),
    ],
)
def test_rank_span(start: int, stop: int, reverse: bool, expected: tuple[int, int]) -> None:
    assert ZSet.of(UNEVEN).rank_span(start, stop, reverse) == expected


def test_equal_scores_leave_the_old_one() -> None:
    zset = ZSet.of({b"a": 0.0})
    zset.put(b"a", -0.0)
    assert str(zset.scores[b"a"]) == "0.0"


def test_order_is_built_when_asked_for_and_not_before() -> None:
    zset = ZSet()
    for i in range(10):
        zset.put(b"%d" % i, float(-i))
    assert zset._order is None
    assert next(iter(zset)) == b"9"
    built = zset._order
    zset.put(b"9", 100.0)
    assert zset._order is built
    assert list(zset)[-1] == b"9"


def test_moved_member_keeps_one_object() -> None:
    zset = ZSet.of({bytes([65] * 50): 1.0})
    assert len(list(zset)) == 1
    zset.put(bytes([65] * 50), 2.0)
    (key,) = zset.scores
    assert zset.members((0, 1))[0] is key


def test_copy_is_apart() -> None:
    zset = ZSet.of(UNEVEN)
    other = zset.copy()
    other.put(b"z", 9.0)
    zset.remove(b"a")
    assert list(zset) == [b"b", b"d", b"e", b"c"]
    assert list(other) == [b"b", b"d", b"a", b"e", b"c", b"z"]


@pytest.mark.usefixtures("shape")
def test_scan_sees_lasting_members_while_scores_and_members_change() -> None:
    zset = ZSet.of({b"%03d" % i: float(i) for i in range(100)})
    lasting, seen, cursor, rng = set(zset), set(), 0, Random(3)
    while True:
        cursor, pairs = zset.page(cursor, 7)
        seen.update(member for member, _ in pairs)
        if not cursor:
            break
        for _ in range(5):
            gone = zset.pick(rng)[0]
            zset.remove(gone)
            lasting.discard(gone)
            zset.put(b"new%d" % rng.randrange(10**9), rng.random())
            zset.put(zset.pick(rng)[0], rng.random())
    assert lasting <= seen


@pytest.mark.usefixtures("shape")
@pytest.mark.parametrize("count", [0, 1, 3, 10, 30, 99])
def test_sample_is_distinct(count: int) -> None:
    zset = ZSet.of({b"%d" % i: float(i) for i in range(30)})
    drawn = zset.sample(Random(5), count)
    assert len(drawn) == len(set(drawn)) == min(count, 30)
    assert all(zset.scores[member] == score for member, score in drawn)


@pytest.mark.usefixtures("shape")
def test_pick_reaches_everything() -> None:
    zset = ZSet.of(UNEVEN)
    rng = Random(1)
    assert {zset.pick(rng) for _ in range(300)} == set(zset.order)
    with pytest.raises(IndexError):
        ZSet().pick(rng)


@pytest.mark.parametrize(
    ("members", "limits", "expected"),
    [
        ([b"a"] * 1, LIMITS, b"listpack"),
        ([b"1", b"2", b"3", b"4"], LIMITS, b"listpack"),
        ([b"1", b"2", b"3", b"4", b"5"], LIMITS, b"skiplist"),
        ([b"12345678"], LIMITS, b"listpack"),
        ([b"123456789"], LIMITS, b"skiplist"),
        ([b"1", b"2"], {"zset-max-ziplist-entries": 1}, b"skiplist"),
        ([b"12"], {"zset-max-ziplist-value": 1}, b"skiplist"),
        ([b"%d" % i for i in range(128)], {}, b"listpack"),
        ([b"%d" % i for i in range(129)], {}, b"skiplist"),
        ([b"x" * 64], {}, b"listpack"),
        ([b"x" * 65], {}, b"skiplist"),
    ],
)
def test_encoding(members: list[bytes], limits: dict[str, int], expected: bytes) -> None:
    assert ZSet.of(dict.fromkeys(members, 1.0)).encoding(limits) == expected


def test_nbytes_grows_with_what_is_held() -> None:
    empty, small = ZSet().nbytes(), ZSet.of(UNEVEN)
    bare = small.nbytes()
    assert list(small)
    with_order = small.nbytes()
    assert small.page(0, 10)
    assert empty < bare < with_order < small.nbytes()
    long = ZSet.of({b"x" * 1000: 1.0})
    assert long.nbytes() - ZSet.of({b"x" * 100: 1.0}).nbytes() in range(890, 920)
    assert ZSet.of({b"a" * 10: 1.0, b"b" * 30: 2.0}).nbytes(0) > ZSet.of({b"a" * 10: 1.0, b"b" * 30: 2.0}).nbytes(1)


@pytest.mark.usefixtures("shape")
def test_order_of_many_equal_scores() -> None:
    order = Order({})
    members = [b"%03d" % i for i in range(200)]
    for member in reversed(members):
        order.add(member, 1.0)
    assert [m for m, _ in order] == members
    assert [order.index(1.0, m) for m in members] == list(range(200))


A, B, S = {b"a": 1.0, b"b": 2.0, b"i": inf}, {b"b": 10.0, b"c": 20.0, b"i": -inf}, {b"b", b"s"}


@pytest.mark.parametrize(
    ("method", "sources", "aggregate", "expected"),
    [
        (union, [(A, 1.0), (B, 1.0)], b"SUM", {b"a": 1.0, b"b": 12.0, b"c": 20.0, b"i": 0.0}),
        (union, [(A, 2.0), (B, -1.0)], b"SUM", {b"a": 2.0, b"b": -6.0, b"c": -20.0, b"i": inf}),
        (union, [(A, 1.0), (B, 1.0)], b"MIN", {b"a": 1.0, b"b": 2.0, b"c": 20.0, b"i": -inf}),
        (union, [(A, 1.0), (B, 1.0)], b"MAX", {b"a": 1.0, b"b": 10.0, b"c": 20.0, b"i": inf}),
        (union, [(A, 0.0)], b"SUM", {b"a": 0.0, b"b": 0.0, b"i": 0.0}),
        (union, [({b"z": 0.0}, inf)], b"SUM", {b"z": 0.0}),
        (union, [(A, 1.0), (S, 3.0)], b"SUM", {b"a": 1.0, b"b": 5.0, b"s": 3.0, b"i": inf}),
        (union, [({}, 1.0), (S, 1.0)], b"SUM", {b"b": 1.0, b"s": 1.0}),
        (intersection, [(A, 1.0), (B, 1.0)], b"SUM", {b"b": 12.0, b"i": 0.0}),
        (intersection, [(A, 1.0), (B, 1.0), (S, 5.0)], b"MAX", {b"b": 10.0}),
        (intersection, [(A, 1.0), ({}, 1.0)], b"SUM", {}),
        (intersection, [(S, 1.0)], b"SUM", {b"b": 1.0, b"s": 1.0}),
    ],
)
def test_combinations(
    method: Callable[..., ZSet], sources: list[tuple[object, float]], aggregate: bytes, expected: dict[bytes, float]
) -> None:
    before = [dict(A), dict(B)]
    assert method(sources, aggregate).scores == expected
    assert before == [A, B]


@pytest.mark.parametrize(
    ("first", "others", "expected"),
    [
        (A, [], A),
        (A, [B], {b"a": 1.0}),
        (A, [S], {b"a": 1.0, b"i": inf}),
        (S, [A], {b"s": 1.0}),
        (A, [A], {}),
        ({}, [A], {}),
        (A, [{b"%d" % i for i in range(9)} | {b"a"}], {b"b": 2.0, b"i": inf}),
    ],
)
def test_difference(first: dict[bytes, float], others: list[set[bytes]], expected: dict[bytes, float]) -> None:
    result = difference(first, others)
    assert result.scores == expected
    assert result.scores is not first


def test_common() -> None:
    assert common([A, B]) == 2
    assert common([A, B, S]) == 1
    assert common([A, B], limit=1) == 1
    assert common([A]) == 3
    assert common([A, set()]) == 0


def test_combining_does_not_share_the_source() -> None:
    result = union([(A, 1.0)])
    result.put(b"new", 1.0)
    assert b"new" not in A
    result = intersection([(A, 1.0)])
    result.put(b"new", 1.0)
    assert b"new" not in A
