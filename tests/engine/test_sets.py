"""Set: membership, the sampling array kept in step with it, and the encoding Redis would choose."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redtool.config import Config
from redtool.engine.sampling import SMALL
from redtool.engine.sets import Set, by_number, listed
from tests.servers import RealServer

LARGE = [b"m%d" % i for i in range(SMALL + 1)]
MEMBERS = st.lists(st.integers(0, 200).map(lambda i: b"m%d" % i), max_size=8)


@given(st.lists(st.tuples(st.sampled_from(["put", "take"]), MEMBERS), max_size=20), st.booleans())
def test_put_and_take_count_and_keep_the_array_in_step(changes: list[tuple[str, list[bytes]]], sampled: bool) -> None:
    value, model = Set(LARGE), set(LARGE)
    if sampled:
        value.array()
    for method, members in changes:
        different = set(members) - model if method == "put" else set(members) & model
        model = model | different if method == "put" else model - different
        assert getattr(value, method)(members) == len(different)
        assert value == model
    assert value.sampler is None or set(value.sampler) == model


@pytest.mark.parametrize(("size", "kept"), [(SMALL, False), (SMALL + 1, True)])
def test_only_a_large_set_keeps_its_array(size: int, kept: bool) -> None:
    value = Set(LARGE[:size])
    assert value.pick(Random(1)) in value
    assert set(value.array()) == value
    assert (value.sampler is not None) is kept


@pytest.mark.parametrize("size", [1, 10, SMALL + 1])
def test_pick_reaches_every_member(size: int) -> None:
    value, rng = Set(LARGE[:size]), Random(7)
    assert {value.pick(rng) for _ in range(40 * size)} == value


@pytest.mark.parametrize("size", [1, 10, SMALL + 1])
def test_pop_random_empties_the_set(size: int) -> None:
    value, rng = Set(LARGE[:size]), Random(7)
    gone = [value.pop_random(rng) for _ in range(size)]
    assert sorted(gone) == sorted(LARGE[:size])
    assert not value


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([b"10", b"9", b"-1"], [b"-1", b"9", b"10"]),
        ([], []),
        ([b"9223372036854775807"], [b"9223372036854775807"]),
        ([b"9223372036854775808"], None),
        ([b"-9223372036854775809"], None),
        ([b"1", b"01"], None),
        ([b"1", b" 2"], None),
        ([b"1", b"+2"], None),
        ([b"1", b"1_0"], None),
        ([b"-0"], None),
        ([b"1", b"a"], None),
        ([b"9" * 5000], None),
    ],
)
def test_by_number(members: list[bytes], expected: list[bytes] | None) -> None:
    assert by_number(set(members)) == expected


def test_few_members_are_listed_in_a_fixed_order() -> None:
    limits = Config()
    assert listed({b"10", b"9"}, limits) == [b"9", b"10"]
    assert listed({b"b", b"10", b"9"}, limits) == [b"10", b"9", b"b"]
    assert sorted(listed(set(LARGE * 5), limits)) == sorted(LARGE)


ENCODED = [
    [b"1", b"2"],
    [b"1", b"a"],
    [b"01"],
    [b"9223372036854775807"],
    [b"9223372036854775808"],
    [b"x" * 64],
    [b"x" * 65],
    [b"%d" % i for i in range(128)],
    [b"%d" % i for i in range(512)],
    [b"%d" % i for i in range(513)],
    [b"m%d" % i for i in range(128)],
    [b"m%d" % i for i in range(129)],
]


@pytest.mark.parametrize("members", ENCODED, ids=lambda members: f"{len(members)}-{members[0][:20].decode()}")
def test_encoding_is_the_servers(valkey: RealServer, members: list[bytes]) -> None:
    valkey.flush()
    valkey.call("SADD", "s", *members)
    assert Set(members).encoding(Config()) == valkey.call("OBJECT", "ENCODING", "s")


def test_nbytes_and_copy() -> None:
    value = Set(LARGE)
    bare = value.nbytes(0)
    assert bare > sum(map(len, LARGE))
    assert abs(value.nbytes(5) - bare) < bare // 10
    value.array()
    assert value.nbytes(0) > bare
    twin = value.copy()
    assert twin == value
    assert type(twin) is Set
    assert twin.sampler is None
    twin.put([b"new"])
    assert b"new" not in value
