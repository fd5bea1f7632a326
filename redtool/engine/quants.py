"""Vectors as vector sets hold them: of length one, in 32-bit floats, bytes or bits.

Every sum is rounded to 32 bits where Redis 8.2 rounds it and taken in its order, so that lengths, bytes and distances
agree to the last digit. ``near`` is the same distance without this care, for looking through many.
A form of holding is a Quant: ``number`` in files, ``name`` in VINFO and VEMB RAW.
"""

from __future__ import annotations

import math
from array import array
from operator import mul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Floats = array[float]

WORD = 64  # bits are written in words of so many


def _sum_products(left: Sequence[float], right: Sequence[float]) -> float:
    total: float = sum(map(mul, left, right))
    return total


dot: Callable[[Sequence[float], Sequence[float]], float] = getattr(math, "sumprod", _sum_products)  # from 3.12


def f32(value: float) -> float:
    """Round to 32 bits; too great a number becomes infinite."""
    rounded: float = array("f", (value,))[0]
    return rounded


def _sum_by_fours(parts: Floats) -> float:
    """The order in which a vector's squares are summed."""
    total = array("f", (0.0, 0.0))
    whole = len(parts) & ~3
    for at in range(0, whole, 4):
        total[1] = parts[at] + parts[at + 1]
        total[1] += parts[at + 2]
        total[1] += parts[at + 3]
        total[0] += total[1]
    for part in parts[whole:]:
        total[0] += part
    return total[0]


def _sum_by_eights(parts: Floats) -> float:
    """The order in which the products of two vectors are summed: two totals in turn, added at the end."""
    total = array("f", (0.0, 0.0, 0.0))
    whole = len(parts) & ~7
    for at in range(0, whole, 4):
        total[2] = parts[at] + parts[at + 1]
        total[2] += parts[at + 2]
        total[2] += parts[at + 3]
        total[at >> 2 & 1] += total[2]
    for part in parts[whole:]:
        total[0] += part
    return f32(total[0] + total[1])


def normalized(vector: Floats) -> tuple[Floats, float]:
    """The vector at length one, and the length it had; 1 when it has none."""
    length = f32(math.sqrt(_sum_by_fours(array("f", map(mul, vector, vector)))))
    if not length:
        return vector, 1.0
    return array("f", [value / length for value in vector]), length


class Full:
    """NOQUANT: 32-bit floats as they are."""

    number, name = 0, b"f32"

    def pack(self, vector: Floats) -> tuple[Any, float]:
        return vector, 0.0

    def unpack(self, data: Floats, reach: float, dim: int) -> Floats:
        return data

    def distance(self, a: Floats, _: float, b: Floats, __: float, dim: int) -> float:
        return f32(1.0 - _sum_by_eights(array("f", map(mul, a, b))))

    def near(self, a: Floats, _: float, b: Floats, __: float, dim: int) -> float:
        return 1.0 - dot(a, b)

    def to_bytes(self, data: Floats, dim: int) -> bytes:
        return data.tobytes()

    def of_bytes(self, data: bytes, dim: int) -> Floats:
        if len(data) != 4 * dim:
            raise ValueError("a vector has the wrong size")
        return array("f", data)


class Bytes:
    """Q8: whole numbers from -127 to 127, scaled by the greatest part of the vector, its ``reach``."""

    number, name = 1, b"int8"

    def pack(self, vector: Floats) -> tuple[Any, float]:
        reach = max(max(vector), -min(vector))
        if not reach or reach != reach or reach == math.inf:
            return array("b", bytes(len(vector))), 0.0
        scale = f32(127.0 / reach)
        scaled = array("f", [value * scale for value in vector])
        if scale == math.inf:  # of a vector whose squares are too small to count
            return array("b", bytes(len(vector))), reach
        return array("b", [math.floor(v + 0.5) if v >= 0 else -math.floor(0.5 - v) for v in scaled]), reach

    def unpack(self, data: array[int], reach: float, dim: int) -> Floats:
        return array("f", [value / 127 for value in array("f", [value * reach for value in data])])

    def distance(self, a: array[int], reach_a: float, b: array[int], reach_b: float, dim: int) -> float:
        if not reach_a or not reach_b:
            return 1.0
        scale = f32(f32(reach_a / 127) * f32(reach_b / 127))
        distance = f32(1.0 - f32(f32(dot(a, b)) * scale))
        return min(max(distance, 0.0), 2.0)

    def near(self, a: array[int], reach_a: float, b: array[int], reach_b: float, dim: int) -> float:
        return 1.0 - dot(a, b) * reach_a * reach_b / 16129

    def to_bytes(self, data: array[int], dim: int) -> bytes:
        return data.tobytes()

    def of_bytes(self, data: bytes, dim: int) -> array[int]:
        if len(data) != dim:
            raise ValueError("a vector has the wrong size")
        return array("b", data)


class Bits:
    """BIN: a bit a part, set where it is above zero; held as one whole number."""

    number, name = 2, b"bin"

    def pack(self, vector: Floats) -> tuple[Any, float]:
        text = "".join(["1" if value > 0 else "0" for value in reversed(vector)])
        return int(text, 2), 0.0

    def unpack(self, data: int, reach: float, dim: int) -> Floats:
        return array("f", [1.0 if data >> at & 1 else -1.0 for at in range(dim)])

    def distance(self, a: int, _: float, b: int, __: float, dim: int) -> float:
        return f32(f32(2 * (a ^ b).bit_count()) / dim)

    def near(self, a: int, _: float, b: int, __: float, dim: int) -> float:
        return 2 * (a ^ b).bit_count() / dim

    def to_bytes(self, data: int, dim: int) -> bytes:
        return data.to_bytes((dim + WORD - 1) // WORD * 8, "little")

    def of_bytes(self, data: bytes, dim: int) -> int:
        if len(data) != (dim + WORD - 1) // WORD * 8:
            raise ValueError("a vector has the wrong size")
        return int.from_bytes(data, "little")


Quant = Full | Bytes | Bits
FULL, BYTES, BITS = Full(), Bytes(), Bits()
QUANTS: tuple[Quant, ...] = (FULL, BYTES, BITS)


class Projection:
    """Makes vectors of ``size`` parts shorter (REDUCE): a row of factors for each part that is left."""

    __slots__ = ("rows", "size")

    def __init__(self, size: int, rows: list[Floats]) -> None:
        self.size, self.rows = size, rows

    @classmethod
    def of(cls, size: int, dim: int) -> Projection:
        """The one that servers make: signs in the pattern of a Hadamard matrix."""
        scale = f32(1.0 / math.sqrt(size))
        return cls(size, [array("f", [-scale if (i & j).bit_count() & 1 else scale for j in range(size)])
                          for i in range(dim)])  # fmt: skip

    def apply(self, vector: Floats) -> Floats:
        """Project a vector."""
        out = array("f", bytes(4 * len(self.rows)))
        for at, row in enumerate(self.rows):
            for product in array("f", map(mul, row, vector)):
                out[at] += product
        return out

    def to_bytes(self) -> bytes:
        return b"".join([row.tobytes() for row in self.rows])

    @classmethod
    def of_bytes(cls, data: bytes, size: int, dim: int) -> Projection:
        if not size or len(data) != 4 * size * dim:
            raise ValueError("a projection has the wrong size")
        factors = array("f", data)
        return cls(size, [factors[at * size : (at + 1) * size] for at in range(dim)])
