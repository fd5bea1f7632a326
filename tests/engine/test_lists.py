"""List: the shortcuts into its middle give what a plain Python list gives."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redtool.config import Config
from redtool.engine.lists import List, packed_size
from redtool.engine.memory import block
from tests.servers import RealServer

ITEMS = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=40)
LARGE = [b"%d" % i for i in range(1000)]


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 0), (0, 1), (0, 1000), (999, 1000), (990, 1000), (400, 410), (400, 600), (499, 999), (1000, 1000), (7, 3)],
)
def test_span(start: int, stop: int) -> None:
    value = List(LARGE)
    assert value.span(start, stop) == LARGE[start:stop]
    assert list(value) == LARGE


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1000), (0, 10), (990, 1000), (500, 510), (10, 990), (1, 1000), (0, 999), (0, 0), (9, 9)]
)
def test_trim(start: int, stop: int) -> None:
    value = List(LARGE)
    value.trim(start, stop)
    assert list(value) == LARGE[start:stop]


@given(ITEMS, st.integers(0, 45), st.booleans())
def test_take_gives_the_outermost_first(items: list[bytes], count: int, left: bool) -> None:
    value = List(items)
    taken = value.take(count, left)
    assert taken == (items if left else items[::-1])[:count]
    assert list(value) == (items[count:] if left else items[: max(len(items) - count, 0)])


@given(ITEMS, st.sampled_from([b"a", b"x"]), st.integers(-45, 45))
def test_cut(items: list[bytes], element: bytes, count: int) -> None:
    value, kept, gone = List(items), items.copy(), 0
    while element in kept and (count == 0 or gone < abs(count)):
        place = len(kept) - 1 - kept[::-1].index(element) if count < 0 else kept.index(element)
        del kept[place]
        gone += 1
    assert value.cut(element, count) == gone
    assert list(value) == kept


@given(ITEMS, st.integers(1, 9), st.booleans(), st.integers(0, 9), st.integers(0, 45))
def test_places(items: list[bytes], rank: int, backward: bool, count: int, limit: int) -> None:
    order = list(enumerate(items))[:: -1 if backward else 1]
    every = [place for place, item in order[: limit or None] if item == b"a"]
    expected = every[rank - 1 :][: count or None]
    assert List(items).places(b"a", -rank if backward else rank, count, limit) == expected


@pytest.mark.parametrize(
    ("pivot", "after", "there", "expected"),
    [
        (b"a", False, True, [b"x", b"a", b"b", b"a"]),
        (b"a", True, True, [b"a", b"x", b"b", b"a"]),
        (b"b", True, True, [b"a", b"b", b"x", b"a"]),
        (b"q", True, False, [b"a", b"b", b"a"]),
    ],
)
def test_put_beside(pivot: bytes, after: bool, there: bool, expected: list[bytes]) -> None:
    value = List([b"a", b"b", b"a"])
    assert value.put_beside(pivot, b"x", after) is there
    assert list(value) == expected


@pytest.mark.parametrize(
    ("item", "size"),
    [
        (b"", 2), (b"0", 2), (b"127", 2), (b"128", 3), (b"-1", 3), (b"4095", 3), (b"4096", 4), (b"-32768", 4),
        (b"32768", 5), (b"8388608", 6), (b"2147483648", 10), (b"9223372036854775808", 21), (b"007", 5),
        (b"x" * 63, 65), (b"x" * 64, 67), (b"x" * 125, 128), (b"x" * 126, 130), (b"x" * 4096, 4103),
    ],
)  # fmt: skip
def test_packed_size(item: bytes, size: int) -> None:
    assert packed_size(item) == size


@pytest.mark.parametrize("fill", [-1, -2, -5, 3, 100])
@pytest.mark.parametrize("item", [b"7", b"x" * 60, b"x" * 1000, b"9" * 18])
@pytest.mark.parametrize("count", [1, 3, 4, 100, 101, 5000])
def test_encoding_is_the_servers(valkey: RealServer, fill: int, item: bytes, count: int) -> None:
    valkey.flush()
    valkey.call("CONFIG", "SET", "list-max-listpack-size", fill)
    for start in range(0, count, 100):
        valkey.call("RPUSH", "l", *[item] * min(100, count - start))
    expected = valkey.call("OBJECT", "ENCODING", "l")
    valkey.call("CONFIG", "SET", "list-max-listpack-size", -2)
    assert List([item] * count).encoding(Config({"list-max-listpack-size": fill})) == expected


def test_nbytes_counts_the_elements_and_scales_a_sample() -> None:
    value, frame = List([b"x" * 100, b"y" * 200, b"z" * 300]), List().nbytes(0)
    exact = frame + sum(map(block, map(sys.getsizeof, value)))
    assert value.nbytes(0) == value.nbytes(3) == exact
    assert value.nbytes(1) == frame + 3 * block(sys.getsizeof(value[0]))


def test_copy_is_a_list_of_its_own() -> None:
    value = List([b"a"])
    twin = value.copy()
    twin.append(b"b")
    assert type(twin) is List
    assert list(value) == [b"a"]
