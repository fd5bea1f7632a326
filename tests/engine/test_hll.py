"""HyperLogLog values: the hash, the two encodings, the estimate."""

from __future__ import annotations

from random import Random

import pytest

from redtool.engine import hll


def filled(count: int, limit: int = 3000) -> bytearray:
    value = bytearray(hll.EMPTY)
    for number in range(count):
        hll.add(value, b"element:%d" % number, limit)
    return value


@pytest.mark.parametrize("size", range(18))
def test_hash_reads_every_byte(size: int) -> None:
    data = bytes(range(size))
    others = {hll.murmur64a(data[:i] + b"\xff" + data[i + 1 :]) for i in range(size)}
    assert len(others | {hll.murmur64a(data)}) == size + 1
    assert 0 <= hll.murmur64a(data) < 2**64


def test_empty_value() -> None:
    value = bytearray(hll.EMPTY)
    assert hll.is_hll(value)
    assert list(hll.runs(value)) == [(0, hll.REGISTERS)]
    assert (hll.cached(value), hll.cardinality(value)) == (0, 0)


def test_sparse_and_dense_hold_the_same() -> None:
    rng = Random(3)
    wanted = bytearray(hll.REGISTERS)
    sparse, dense = bytearray(hll.EMPTY), bytearray(hll.EMPTY)
    assert hll.densify(dense)
    assert not hll.densify(dense)
    for _ in range(3000):
        index, count = rng.choice((rng.randrange(hll.REGISTERS), rng.randrange(300), 16383)), rng.randint(1, 32)
        higher = count > wanted[index]
        wanted[index] = max(wanted[index], count)
        assert hll.put(sparse, index, count, 10**6) is higher
        assert hll.put(dense, index, count, 0) is higher
    assert hll.registers(sparse) == hll.registers(dense) == wanted
    assert hll.cardinality(sparse) == hll.cardinality(dense) == hll.estimate(bytes(wanted))
    assert hll.densify(sparse)
    assert sparse[hll.HEADER :] == dense[hll.HEADER :]


def test_equal_values_side_by_side_are_united() -> None:
    value = bytearray(hll.EMPTY)
    for index in (10, 12, 11, 13, 14):
        hll.put(value, index, 3, 3000)
    assert hll.listing(value) == "z:10 v:3,4 v:3,1 Z:16369"
    hll.put(value, 11, 4, 3000)
    assert hll.listing(value) == "z:10 v:3,1 v:4,1 v:3,3 Z:16369"


@pytest.mark.parametrize(("count", "limit", "encoding"), [
    (10, 3000, hll.SPARSE),
    (500, 3000, hll.SPARSE),
    (3000, 3000, hll.DENSE),
    (10, 20, hll.DENSE),
])  # fmt: skip
def test_a_long_sparse_value_turns_dense(count: int, limit: int, encoding: int) -> None:
    value = filled(count, limit)
    assert value[4] == encoding
    assert len(value) <= limit or len(value) == hll.DENSE_SIZE


def test_a_value_beyond_32_turns_dense() -> None:
    value = bytearray(hll.EMPTY)
    hll.put(value, 5, 33, 3000)
    assert value[4] == hll.DENSE
    assert hll.registers(value)[5] == 33


@pytest.mark.parametrize("count", [1, 100, 5_000, 100_000])
def test_estimate_is_within_three_deviations(count: int) -> None:
    assert abs(hll.cardinality(filled(count)) - count) <= max(count * 0.0081 * 3, 1)


def test_filling_gives_what_putting_gives() -> None:
    rng = Random(5)
    for size, most in ((20, 60), (500, 60), (5000, 50)):
        highest = bytearray(hll.REGISTERS)
        for _ in range(size):
            highest[rng.randrange(hll.REGISTERS)] = rng.randint(1, most)
        filled_at_once, put = bytearray(hll.EMPTY), bytearray(hll.EMPTY)
        hll.fill(filled_at_once, bytes(highest), 3000)
        for index, count in enumerate(highest):
            if count:
                hll.put(put, index, count, 3000)
        hll.invalidate(filled_at_once)
        hll.invalidate(put)
        assert filled_at_once == put


def test_merging_gives_the_union() -> None:
    values = [bytearray(hll.EMPTY) for _ in range(3)]
    whole = bytearray(hll.EMPTY)
    for number in range(3000):
        hll.add(values[number % 3], b"%d" % number, 3000)
        hll.add(whole, b"%d" % number, 3000)
    assert hll.merged(values) == hll.registers(whole)
    assert hll.merged([]) == bytes(hll.REGISTERS)


@pytest.mark.parametrize("body", [
    b"", b"\x7f", b"\x7f\xfe", b"\x7f\xff\x00", b"\x7f\xff\x80", b"\x3f", b"\x7f\xff\x7f\xff",
])  # fmt: skip
def test_damaged_opcodes_are_refused(body: bytes) -> None:
    value = bytearray(hll.EMPTY[: hll.HEADER] + body)
    for action in (hll.registers, hll.cardinality, hll.densify):
        with pytest.raises(hll.Corrupt):
            action(value)


@pytest.mark.parametrize(("value", "valid"), [
    (hll.EMPTY, True),
    (hll.EMPTY[:16], True),
    (hll.EMPTY[:15], False),
    (b"HYLL\2" + bytes(13), False),
    (b"HYLL\0" + bytes(13), False),
    (b"HYLL\0" + bytes(12299), True),
    (b"HALL\1" + bytes(13), False),
])  # fmt: skip
def test_header(value: bytes, valid: bool) -> None:
    assert hll.is_hll(value) is valid
