"""The digits that servers print for a double: Grisu2, which is not always the nearest text of its length.

Where a double lies halfway between two shortest texts, the errors of its 64-bit arithmetic decide, so it is done
here step by step. Source: fpconv_dtoa.
"""

from __future__ import annotations

from math import frexp

HIDDEN = 1 << 52
ONES = (1 << 64) - 1
FIRST_POWER, STEP, POWERS = -348, 8, 87
LOG = 0.30102999566398114
_powers: dict[int, tuple[int, int, int]] = {}  # by exponent


def digits(value: float) -> tuple[str, int]:
    """The digits of a positive double and the power of ten of the last one."""
    fraction, exponent = frexp(value)
    frac, exp = int(fraction * (1 << 53)), exponent - 53
    if exp < -1074:
        frac, exp = frac >> (-1074 - exp), -1074
    upper, upper_exp = _normal((frac << 1) + 1, exp - 1)
    shift = 2 if frac == HIDDEN else 1
    lower = ((frac << shift) - 1) << (exp - shift - upper_exp)
    middle, _ = _normal(frac, exp)
    known = _powers.get(upper_exp)
    if known is None:
        known = _powers[upper_exp] = _power(upper_exp)
    power, power_exp, tens = known
    high, low = _product(upper, power) - 1, _product(lower, power) + 1
    text, last = _generate(high, high - _product(middle, power), high - low, -(upper_exp + power_exp + 64))
    return text, last - tens


def _normal(frac: int, exp: int) -> tuple[int, int]:
    shift = 64 - frac.bit_length()
    return frac << shift, exp - shift


def _product(a: int, b: int) -> int:
    """The upper half of a product, rounded as the halves of halves are added."""
    ah, al, bh, bl = a >> 32, a & 0xFFFFFFFF, b >> 32, b & 0xFFFFFFFF
    cross = (ah * bl & 0xFFFFFFFF) + (al * bh & 0xFFFFFFFF) + (al * bl >> 32) + (1 << 31)
    return ah * bh + (ah * bl >> 32) + (al * bh >> 32) + (cross >> 32)


def _power(exp: int) -> tuple[int, int, int]:
    """A power of ten that brings an exponent near -46: 64 bits of it, their exponent, and which."""
    index = (int(-(exp + POWERS) * LOG) - FIRST_POWER) // STEP
    while True:
        tens = FIRST_POWER + index * STEP
        frac, power_exp = _ten_to(tens)
        current = exp + power_exp + 64
        if current < -60:
            index += 1
        elif current > -32:
            index -= 1
        else:
            return frac, power_exp, tens


def _ten_to(tens: int) -> tuple[int, int]:
    """10**tens as 64 bits, rounded, and their exponent."""
    top, bottom = (10**tens, 1) if tens >= 0 else (1, 10**-tens)
    exp = top.bit_length() - bottom.bit_length() - 64
    for each in (exp, exp + 1):
        scaled = (top << 1 + max(-each, 0)) // (bottom << max(each, 0))
        frac = (scaled + 1) >> 1
        if frac <= ONES:
            return frac, each
    raise AssertionError("a power of ten has 64 bits")


def _generate(high: int, distance: int, delta: int, shift: int) -> tuple[str, int]:
    """As few digits as tell a number apart, and the power of the last one."""
    one = 1 << shift
    whole, part = high >> shift, high & (one - 1)
    out = ""
    for kappa in range(9, -1, -1):
        unit = 10**kappa
        digit, whole = divmod(whole, unit)
        if digit or out:
            out += str(digit)
        rest = (whole << shift) + part
        if rest <= delta:
            return _rounded(out, delta, rest, unit << shift, distance), kappa
    kappa, scale = 0, 1
    while True:
        part, delta, scale, kappa = part * 10, delta * 10, scale * 10, kappa - 1
        digit, part = part >> shift, part & (one - 1)
        if digit or out:
            out += str(digit)
        if part < delta:
            return _rounded(out, delta, part, one, distance * scale), kappa


def _rounded(text: str, delta: int, rest: int, unit: int, distance: int) -> str:
    """Step the last digit down towards the number."""
    down = 0
    while rest < distance and delta - rest >= unit:
        if rest + unit >= distance and distance - rest <= rest + unit - distance:
            break
        down += 1
        rest += unit
    return text[:-1] + chr(ord(text[-1]) - down)
