"""KeyArray: membership stays in step, picks are fair enough, and a scan never misses a lasting element."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redtool.engine.sampling import KeyArray

ELEMENTS = st.integers(0, 60).map(lambda i: b"k%d" % i)
CHANGES = st.lists(st.tuples(st.sampled_from(["add", "discard"]), ELEMENTS), max_size=12)


@given(st.lists(ELEMENTS, unique=True), CHANGES)
def test_changes_keep_array_and_places_in_step(start: list[bytes], changes: list[tuple[str, bytes]]) -> None:
    array, model = KeyArray(start), set(start)
    for method, item in changes:
        getattr(array, method)(item)
        getattr(model, method)(item)
        assert set(array) == model
        assert len(array) == len(array.items) == len(model)
        assert all(array.items[place] == item for item, place in array.places.items())
        assert (item in array) == (item in model)


@given(st.lists(ELEMENTS, unique=True), st.lists(st.tuples(CHANGES, st.integers(1, 9)), max_size=80))
def test_scan_gives_every_lasting_element(start: list[bytes], steps: list[tuple[list[tuple[str, bytes]], int]]) -> None:
    array = KeyArray(start)
    lasting, ever, seen = set(start), set(start), set()
    cursor = 0
    for changes, count in [*steps, ([], 1000)]:
        cursor, items = array.page(cursor, count)
        seen.update(items)
        if cursor == 0:
            break
        for method, item in changes:
            getattr(array, method)(item)
            if method == "discard":
                lasting.discard(item)
            ever.add(item)
    assert cursor == 0
    assert lasting <= seen <= ever


@pytest.mark.parametrize(
    ("cursor", "count", "expected"),
    [
        (0, 2, (3, [b"e", b"d"])),
        (3, 2, (1, [b"c", b"b"])),
        (1, 2, (0, [b"a"])),
        (0, 5, (0, [b"e", b"d", b"c", b"b", b"a"])),
        (0, 99, (0, [b"e", b"d", b"c", b"b", b"a"])),
        (2**64 - 1, 1, (4, [b"e"])),  # a cursor of a scan that began when there were more
        (0, 0, (4, [b"e"])),  # every page moves on
    ],
)
def test_page(cursor: int, count: int, expected: tuple[int, list[bytes]]) -> None:
    assert KeyArray([b"a", b"b", b"c", b"d", b"e"]).page(cursor, count) == expected


def test_page_of_nothing() -> None:
    assert KeyArray().page(0, 10) == (0, [])
    assert KeyArray().page(7, 10) == (0, [])


def test_cursor_falls_even_when_elements_are_added_all_the_time() -> None:
    array = KeyArray(b"%d" % i for i in range(10))
    cursor, pages = array.page(0, 1)[0], 1
    while cursor:
        array.add(b"new%d" % pages)
        cursor, pages = array.page(cursor, 1)[0], pages + 1
    assert pages == 10


def test_pick_reaches_everything_and_nothing_else() -> None:
    array = KeyArray(b"%d" % i for i in range(8))
    array.discard(b"3")
    rng = Random(1)
    assert {array.pick(rng) for _ in range(500)} == set(array)


def test_pick_from_nothing() -> None:
    with pytest.raises(IndexError):
        KeyArray().pick(Random(1))


@pytest.mark.parametrize("count", [0, 1, 5, 19, 20, 50])
def test_sample_is_distinct(count: int) -> None:
    array = KeyArray(b"%d" % i for i in range(20))
    drawn = array.sample(Random(2), count)
    assert len(drawn) == len(set(drawn)) == min(count, 20)
    assert set(drawn) <= set(array)
    assert array.items == [b"%d" % i for i in range(20)]
