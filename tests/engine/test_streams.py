"""The stream type alone: order of ids, ranges, trimming by nodes, groups and how far they have come."""

from __future__ import annotations

from random import Random

import pytest

from redtool.engine.streams import FIRST, LAST, SLACK, UNKNOWN_READ, Group, Order, Stream, after, before, radix_size

BIG = 2**64 - 1


def filled(count: int) -> Stream:
    stream = Stream()
    for number in range(1, count + 1):
        stream.append((number, 0), (b"n", b"%d" % number))
    return stream


def numbers(stream: Stream) -> list[int]:
    return [id[0] for id, _ in stream.range(FIRST)]


@pytest.mark.parametrize(
    ("id", "following"),
    [((0, 0), (0, 1)), ((5, 7), (5, 8)), ((5, BIG), (6, 0)), ((BIG, BIG - 1), LAST)],
)
def test_ids_follow_each_other(id: tuple[int, int], following: tuple[int, int]) -> None:
    assert after(id) == following
    assert before(following) == id


def test_nothing_comes_before_the_first_id_or_after_the_last() -> None:
    assert before(FIRST) is None
    assert after(LAST) is None


def test_an_order_agrees_with_a_sorted_list() -> None:
    rng, order, expected = Random(1), Order(), []  # type: ignore[var-annotated]
    for _ in range(3000):
        id = (rng.randint(0, 400), 0)
        if rng.random() < 0.6:
            if id not in expected:
                order.add(id)
                expected = sorted([*expected, id])
        elif rng.random() < 0.1:
            count = rng.randint(0, 30)
            assert order.drop(count) == expected[:count]
            del expected[:count]
        else:
            order.discard(id)
            expected = [other for other in expected if other != id]
        assert len(order) == len(expected)
        assert order.count_below(id) == sum(other < id for other in expected)
    assert order.between(FIRST) == expected


def test_an_order_is_compacted_when_most_of_it_was_dropped() -> None:
    order = Order((number, 0) for number in range(4 * SLACK))
    order.drop(3 * SLACK)
    assert len(order.ids) == len(order) == SLACK
    assert order.first() == (3 * SLACK, 0)


def test_ranges_include_both_ends() -> None:
    stream = filled(5)
    assert [id[0] for id, _ in stream.range((2, 0), (4, 0))] == [2, 3, 4]
    assert [id[0] for id, _ in stream.range((2, 0), (4, 0), 2)] == [2, 3]
    assert [id[0] for id, _ in stream.range((2, 0), (4, 0), 2, reverse=True)] == [4, 3]
    assert [id[0] for id, _ in stream.range((2, 1), (9, 9), reverse=True)] == [5, 4, 3]
    assert stream.range((4, 0), (2, 0)) == []


def test_first_and_top_follow_what_is_removed() -> None:
    stream = filled(4)
    assert (stream.first_id, stream.top_id) == ((1, 0), (4, 0))
    assert stream.discard((1, 0))
    assert stream.discard((4, 0))
    assert not stream.discard((4, 0))
    assert (stream.first_id, stream.top_id, stream.last_id, stream.max_deleted_id) == ((2, 0), (3, 0), (4, 0), (4, 0))
    stream.drop_first(2)
    assert (stream.first_id, stream.top_id, len(stream)) == (FIRST, FIRST, 0)
    stream.append((9, 0), (b"f", b"v"))
    assert (stream.first_id, stream.top_id, stream.entries_added) == ((9, 0), (9, 0), 5)


@pytest.mark.parametrize(
    ("entries", "dropped", "excess", "limit", "removed"),
    [
        (250, 0, 99, 0, 0),
        (250, 0, 100, 0, 100),
        (250, 0, 249, 0, 200),
        (250, 0, 250, 0, 250),
        (250, 30, 69, 0, 0),
        (250, 30, 70, 0, 70),
        (250, 30, 190, 0, 170),
        (250, 0, 250, 249, 200),
        (250, 0, 250, 150, 100),
        (250, 0, 250, 99, 0),
    ],
)
def test_an_approximate_trim_takes_whole_nodes(
    entries: int, dropped: int, excess: int, limit: int, removed: int
) -> None:
    stream = filled(entries)
    stream.drop_first(dropped)
    assert stream.whole_nodes(excess, 100, limit) == removed


def test_nodes_begin_anew_in_an_emptied_stream() -> None:
    stream = filled(30)
    stream.drop_first(30)
    for number in range(100, 300):
        stream.append((number, 0), (b"f", b"v"))
    assert [id[0] for id in stream.nodes(100)] == [100, 200]
    stream.set_added(1000)
    assert [id[0] for id in stream.nodes(100)] == [100, 200]
    assert stream.copy().nodes(100) == stream.nodes(100)


def test_pending_entries_change_hands() -> None:
    group = Group()
    for number in (3, 1, 2):
        group.deliver((number, 0), b"a", 10, 1)
    assert group.owned(b"a").between(FIRST) == group.order.between(FIRST) == [(1, 0), (2, 0), (3, 0)]
    group.deliver((2, 0), b"b", 20, 2)
    assert group.pending[(2, 0)] == [b"b", 20, 2]
    assert group.owned(b"a").between(FIRST) == [(1, 0), (3, 0)]
    assert group.owned(b"b").between(FIRST) == [(2, 0)]
    assert group.release((1, 0))
    assert not group.release((1, 0))
    assert group.owned(b"a").between(FIRST) == [(3, 0)]
    assert group.order.between(FIRST) == [(2, 0), (3, 0)]


def test_a_removed_consumer_takes_its_pending_entries_along() -> None:
    stream = filled(1)
    group = stream.groups[b"g"] = Group()
    group.consumers[b"a"] = group.consumers[b"b"] = object()  # type: ignore[assignment]
    group.deliver((1, 0), b"a", 0, 1)
    group.deliver((2, 0), b"b", 0, 1)
    assert group.remove_consumer(b"a") == 1
    assert list(group.pending) == [(2, 0)]
    assert list(group.consumers) == [b"b"]


def test_a_copy_shares_nothing_that_changes() -> None:
    stream = filled(3)
    stream.groups[b"g"] = Group()
    stream.groups[b"g"].deliver((1, 0), b"a", 0, 1)
    assert len(stream.order) == 3
    other = stream.copy()
    other.discard((1, 0))
    other.groups[b"g"].deliver((1, 0), b"b", 5, 2)
    assert numbers(stream) == [1, 2, 3]
    assert numbers(other) == [2, 3]
    assert stream.groups[b"g"].pending == {(1, 0): [b"a", 0, 1]}


def test_how_many_entries_were_read_is_known_until_one_ahead_is_deleted() -> None:
    stream, group = filled(5), Group()
    stream.advance(group, (1, 0))
    stream.advance(group, (2, 0))
    assert (group.entries_read, stream.lag(group)) == (2, 3)
    stream.discard((4, 0))
    assert stream.lag(group) is None
    stream.advance(group, (3, 0))
    assert group.entries_read == UNKNOWN_READ
    stream.advance(group, (5, 0))
    assert (group.entries_read, stream.lag(group)) == (5, 0)
    stream.advance(group, (1, 0))
    assert group.last_id == (5, 0)


@pytest.mark.parametrize(
    ("last", "now", "next"),
    [((5, 1), 9, (9, 0)), ((9, 1), 9, (9, 2)), ((9, BIG), 3, (10, 0)), (LAST, 1, None)],
)
def test_the_next_id_never_goes_back(last: tuple[int, int], now: int, next: tuple[int, int] | None) -> None:
    stream = Stream()
    stream.last_id = last
    assert stream.next_id(now) == next


@pytest.mark.parametrize(
    ("keys", "nodes"),
    [([], 1), ([b"abcd"], 2), ([b"abcd", b"abce"], 4), ([b"abcd", b"xbcd"], 5), ([b"ab", b"ac", b"bc"], 6)],
)
def test_nodes_of_a_radix_tree(keys: list[bytes], nodes: int) -> None:
    assert radix_size(keys) == nodes


def test_memory_grows_with_entries_and_groups() -> None:
    small, large = filled(10), filled(1000)
    assert large.nbytes(0) > 50 * small.nbytes(0)
    assert abs(large.nbytes(100) - large.nbytes(0)) < large.nbytes(0) / 10
    before_group = small.nbytes(0)
    small.groups[b"g"] = Group()
    small.groups[b"g"].deliver((1, 0), b"a", 0, 1)
    assert small.nbytes(0) > before_group
