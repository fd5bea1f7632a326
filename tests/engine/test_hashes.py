"""Hash: fields and values, with the sampling array and the field deadlines kept in step."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redtool.config import Config
from redtool.engine.deadlines import Deadlines
from redtool.engine.hashes import Hash
from redtool.engine.sampling import SMALL
from tests.servers import RealServer

LARGE = {b"f%d" % i: b"v" for i in range(SMALL + 1)}
FIELDS = st.lists(st.integers(0, 200).map(lambda i: b"f%d" % i), min_size=1, max_size=6)


@given(st.lists(st.tuples(st.sampled_from(["put", "take", "alter"]), FIELDS), max_size=20), st.booleans())
def test_changes_count_and_keep_the_rest_in_step(changes: list[tuple[str, list[bytes]]], sampled: bool) -> None:
    value, model = Hash(LARGE), dict(LARGE)
    deadlines = value.deadlines = Deadlines(dict.fromkeys(LARGE, 5))
    expected = deadlines.copy()
    if sampled:
        value.array()
    for method, fields in changes:
        if method == "put":
            pairs = [text for i, field in enumerate(fields) for text in (field, b"%d" % i)]
            assert value.put(pairs) == len(set(fields) - model.keys())
            model.update(zip(pairs[::2], pairs[1::2], strict=True))
        elif method == "take":
            assert value.take(fields) == len(model.keys() & set(fields))
            model = {field: text for field, text in model.items() if field not in fields}
        else:
            value.alter(fields[0], b"altered")
            model[fields[0]] = b"altered"
        if method != "alter":
            expected = {field: when for field, when in expected.items() if field not in fields}
        assert value == model
        assert deadlines == expected
    assert value.sampler is None or set(value.sampler) == model.keys()


def test_a_new_hash_has_neither_deadlines_nor_an_array() -> None:
    first, second = Hash(), Hash()
    assert first.deadlines is None
    assert first.sampler is None
    first.deadlines = Deadlines({b"f": 1})
    assert second.deadlines is None


@pytest.mark.parametrize("size", [1, 10, SMALL + 1])
def test_pick_reaches_every_field(size: int) -> None:
    value, rng = Hash(list(LARGE.items())[:size]), Random(7)
    assert {value.pick(rng) for _ in range(40 * size)} == value.keys()


ENCODED = [
    {b"f": b"v"},
    {b"f" * 64: b"v" * 64},
    {b"f" * 65: b"v"},
    {b"f": b"v" * 65},
    {b"f%d" % i: b"v" for i in range(512)},
    {b"f%d" % i: b"v" for i in range(513)},
]


@pytest.mark.parametrize("fields", ENCODED, ids=range(len(ENCODED)))
def test_encoding_is_the_servers(valkey: RealServer, fields: dict[bytes, bytes]) -> None:
    valkey.flush()
    valkey.call("HSET", "h", *(text for pair in fields.items() for text in pair))
    assert Hash(fields).encoding(Config()) == valkey.call("OBJECT", "ENCODING", "h")


def test_encoding_with_deadlines() -> None:
    value = Hash({b"f": b"v"})
    value.deadlines = Deadlines({b"f": 1})
    assert value.encoding(Config()) == b"listpackex"


def test_nbytes_and_copy() -> None:
    value = Hash(dict.fromkeys(LARGE, b"x" * 50))
    bare = value.nbytes(0)
    assert bare > 50 * len(value)
    assert abs(value.nbytes(5) - bare) < bare // 10
    value.array()
    value.deadlines = Deadlines({b"f1": 7})
    assert value.nbytes(0) > bare
    twin = value.copy()
    assert type(twin) is Hash
    assert twin == value
    twin.put([b"f1", b"new"])
    assert value[b"f1"] == b"x" * 50
    assert value.deadlines == {b"f1": 7}
