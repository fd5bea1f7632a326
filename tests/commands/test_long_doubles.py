"""INCRBYFLOAT computes with the 80-bit floats of the server, whose range ends at 1.19e4932 and 3.6e-4951."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.conftest import Runner

NOT_FLOAT = "-ERR value is not a valid float"

CASES: list[tuple[str, str, Any]] = [
    ("0.1", "0.2", b"0.3"),
    ("3.0", "1.20000000000000000000e1", b"15"),
    ("1e17", "0.5", b"100000000000000000.5"),
    ("0", "1e-17", b"0.00000000000000001"),
    ("0", "1e-19", b"0"),
    ("0", "-1e-4951", NOT_FLOAT),
    ("0", "1e-4950", b"0"),
    ("1e-6000", "1", NOT_FLOAT),
    ("0e-99999999999", "1", b"1"),
    ("1e4933", "1", NOT_FLOAT),
    ("1e99999999999", "1", NOT_FLOAT),
    ("0", "1.19e4932", NOT_FLOAT),
    ("inf", "1", "-ERR increment would produce NaN or Infinity"),
    ("1e4932", "1e4932", "-ERR increment would produce NaN or Infinity"),
    ("0", "0x10", b"16"),
    ("1 ", "1", NOT_FLOAT),
]


@pytest.mark.parametrize(("value", "increment", "total"), CASES)
def test_sum(r: Runner, value: str, increment: str, total: Any) -> None:
    r.table([(f'SET k "{value}"', b"OK"), (f'INCRBYFLOAT k "{increment}"', total)])


def test_a_sum_of_many_digits(r: Runner) -> None:
    """More digits than Python turns into a string in one go."""
    r("SET k 1e4931")
    digits = r("INCRBYFLOAT k 1e4931")
    assert len(digits) == 4932
    assert digits.startswith(b"1999999999999999") or digits.startswith(b"2000000000000000")
