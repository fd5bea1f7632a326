"""Strict int64 and float parsing, and the number texts that Redis prints."""

from __future__ import annotations

from redtool import errors

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


def to_int(text: bytes, error: type[errors.ReplyError] = errors.NotInteger) -> int:
    """Parse a canonical signed 64-bit integer, as string2ll does: no sign plus, space, or leading zero."""
    try:
        value = int(text)
    except ValueError:
        raise error from None
    if b"%d" % value != text or not INT64_MIN <= value <= INT64_MAX:
        raise error
    return value


def is_int(text: bytes) -> bool:
    """Tell whether ``text`` is what Redis would keep as an integer (canonical, 64 bits)."""
    if not 0 < len(text) <= 20:
        return False
    try:
        value = int(text)
    except ValueError:
        return False
    return b"%d" % value == text and INT64_MIN <= value <= INT64_MAX


def to_float(text: bytes, error: type[errors.ReplyError] = errors.NotFloat) -> float:
    """Parse a double as strtod does, refusing NaN, spaces and trailing text; "inf" and hex are allowed."""
    if not text or text[0] in b" \t\n\r\v\f" or text[-1] in b" \t\n\r\v\f\0" or b"_" in text:
        raise error
    try:
        value = float(text)
    except ValueError:
        value = _hex_float(text, error)
    if value != value:
        raise error
    return value


def _hex_float(text: bytes, error: type[errors.ReplyError]) -> float:
    if b"x" not in text.lower():
        raise error
    try:
        return float.fromhex(text.decode("ascii"))
    except (ValueError, OverflowError, UnicodeDecodeError):
        raise error from None


def float_text(value: float) -> bytes:
    """Print a score as Redis does: shortest round trip, integers without a point, ``inf`` and ``-inf``.

    Fixed notation from 1e-5 to below 1e21 (``%.17g`` style exponents beyond), as fpconv_dtoa gives.
    """
    if value == int(value) if -1e17 < value < 1e17 else False:
        return b"-0" if value == 0 and str(value)[0] == "-" else b"%d" % int(value)
    text = repr(value)
    if text == "inf" or text == "-inf":
        return text.encode()
    mantissa, exponent = _split(text)
    return _layout(mantissa, exponent)


def _split(text: str) -> tuple[str, int]:
    """Give (signed digits, power of ten of the last digit) of a repr."""
    sign = "-" if text[0] == "-" else ""
    body, _, exp = text.lstrip("-").partition("e")
    whole, _, fraction = body.partition(".")
    if fraction == "0":
        fraction = ""
    digits = (whole + fraction).lstrip("0")
    power = int(exp or 0) - len(fraction)
    stripped = digits.rstrip("0")
    return sign + stripped, power + len(digits) - len(stripped)


def _layout(mantissa: str, power: int) -> bytes:
    """Lay digits out as Redis's fpconv does: plain while short, else with an exponent."""
    sign, digits = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    n = len(digits)
    exp = power + n - 1  # exponent of the first digit
    if power >= 0 and exp < n + 7:
        return (sign + digits + "0" * power).encode()
    if power < 0 and (power > -7 or abs(exp) < 4):
        offset = n + power
        if offset <= 0:
            return (sign + "0." + "0" * -offset + digits).encode()
        return (sign + digits[:offset] + "." + digits[offset:]).encode()
    point = "." + digits[1:] if n > 1 else ""
    return f"{sign}{digits[0]}{point}e{'+' if exp >= 0 else '-'}{abs(exp)}".encode()
