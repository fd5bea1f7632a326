"""Doubles halfway between two shortest texts, printed as servers do."""

from __future__ import annotations

import random

import pytest

from redtool.fpconv import digits
from redtool.numeric import float_text
from tests.servers import RealServer

HALFWAY = {  # the shortest text that Python knows -> a server's
    94.708038330078125: b"94.70803833007813",
    712.31097412109375: b"712.3109741210938",
    -1.92450714111328125: b"-1.9245071411132813",
    155001471464392.375: b"155001471464392.37",
    14950442531131.5625: b"14950442531131.563",
}


@pytest.mark.parametrize("value", HALFWAY, ids=str)
def test_halfway(value: float, valkey: RealServer) -> None:
    assert float_text(value) == HALFWAY[value]
    valkey.flush()
    valkey.call("ZADD", "z", repr(value), "m")
    assert valkey.call("ZSCORE", "z", "m") == HALFWAY[value]


def test_digits_read_back() -> None:
    rng = random.Random(1)
    drawn = [rng.random() * 10.0 ** rng.randint(-300, 300) for _ in range(300)]
    for value in [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, *drawn]:
        text, power = digits(value)
        assert float(f"{text}e{power}") == value
