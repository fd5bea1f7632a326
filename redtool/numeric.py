"""Strict int64 and float parsing, and the number texts that Redis prints."""

from __future__ import annotations

from redtool import errors

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


def to_int(text: bytes, error: type[errors.ReplyError] = errors.NotInteger) -> int:
    """Parse a canonical signed 64-bit integer, as string2ll does: no sign plus, space, or leading zero."""
    if text.isdigit() and len(text) < 19 and (text[0] != 48 or len(text) == 1):
        return int(text)  # the usual case, and the quicker way to tell
    try:
        value = int(text)
    except ValueError:
        raise error from None
    if b"%d" % value != text or not INT64_MIN <= value <= INT64_MAX:
        raise error
    return value


def to_signed(text: bytes) -> int:
    """Parse an integer whose sign is a direction: the one that cannot be negated has an error text of its own."""
    value = to_int(text)
    if value == INT64_MIN:
        raise errors.OutOfInt64
    return value


def to_natural(text: bytes, error: type[errors.ReplyError]) -> int:
    """Parse an integer that is not negative."""
    value = to_int(text, error)
    if value < 0:
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


def to_cursor(text: bytes) -> int:
    """Parse the cursor of a SCAN: an unsigned 64-bit integer as strtoull reads it, up to a NUL."""
    text = text.partition(b"\0")[0]
    digits = text.lstrip(b" \t\n\v\f\r")
    signed = digits[:1] in (b"+", b"-")
    if not digits[signed:].isdigit() or (text[:1] == b"-" and is_int(text)):
        raise errors.InvalidCursor
    value = int(digits)
    if abs(value) >= 2**64:
        raise errors.InvalidCursor
    return value % 2**64


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


def to_score(text: bytes, error: type[errors.ReplyError] = errors.NotFloat) -> float:
    """Parse a double as ``to_float`` does, refusing one too great or too small to hold (``1e400``, ``1e-400``)."""
    value = to_float(text, error)
    if value == 0.0 or value - value != 0.0:
        digits = text.lower().partition(b"p" if b"x" in text.lower() else b"e")[0]
        if b"n" not in digits if value else digits.strip(b"+-0.x"):
            raise error
    return value


def to_timeout(text: bytes) -> float:
    """Parse how long a blocking command waits, in seconds, rounded up to whole ms; 0 is for ever."""
    ms = to_float(text, errors.TimeoutNotFloat) * 1000
    if ms > INT64_MAX // 2:  # far enough for any clock to be added to it
        raise errors.TimeoutOutOfRange
    if ms < 0:
        raise errors.TimeoutNegative
    return -int(-ms // 1) / 1000


def _hex_float(text: bytes, error: type[errors.ReplyError]) -> float:
    if b"x" not in text.lower():
        raise error
    try:
        return float.fromhex(text.decode("ascii"))
    except (ValueError, OverflowError, UnicodeDecodeError):
        raise error from None


def float_text(value: float) -> bytes:
    """Print a score as Valkey 9 does: integers below 2**62 in full, else the shortest text that reads back.

    Source: util.c d2string, double2ll, fpconv_dtoa.
    """
    if -(2.0**62) < value < 2.0**62 and value == (whole := int(value)):
        return b"%d" % whole if whole or str(value)[0] != "-" else b"-0"
    text = repr(value)
    if text == "inf" or text == "-inf":
        return text.encode()
    mantissa, exponent = _split(text)
    if len(mantissa) > 14 and _halfway(value, len(mantissa.lstrip("-"))):
        from redtool.fpconv import digits

        found, exponent = digits(abs(value))
        mantissa = "-" + found if value < 0 else found
    return _layout(mantissa, exponent)


def _halfway(value: float, count: int) -> bool:
    """Tell whether a double lies in the middle between two texts of so many digits, or about there."""
    return b"49" <= (b"%+.22e" % value)[2 + count : 4 + count] <= b"50"


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


# -- long double: what INCRBYFLOAT and HINCRBYFLOAT compute with (64-bit mantissa, x86 extended precision)

MANTISSA = 64
LONGEST = 4000  # characters of a number: int() takes no more than 4300 digits, a server 5119
LEAST = 16446  # 2**-LEAST, or less, is zero as a long double


def add_long_double(left: bytes, right: bytes, error: type[errors.ReplyError] = errors.NotFloat) -> bytes:
    """Add two decimal texts as x86 long doubles and print the sum as ``%.17Lf`` without trailing zeros.

    Raises ``error`` for text that is no number, IncrementNotFinite for an infinite result.
    Source: object.c getLongDoubleFromObject, util.c ld2string (LD_STR_HUMAN).
    """
    a, b = _long_double(left, error), _long_double(right, error)
    if a is None or b is None:
        raise errors.IncrementNotFinite
    shift = min(a[1], b[1])
    total = (a[0] << (a[1] - shift)) + (b[0] << (b[1] - shift))
    return _fixed17(*_round_mantissa(total, shift))


def _long_double(text: bytes, error: type[errors.ReplyError]) -> tuple[int, int] | None:
    """Read a number as (mantissa, power of two), rounded to 64 bits; None for an infinity."""
    value = to_float(text, error)  # the syntax check
    if len(text) > LONGEST:
        raise error
    body = text.lower()
    if b"x" in body:
        numerator, denominator = value.as_integer_ratio()
    elif b"n" in body:
        return None
    else:
        negative = body[:1] == b"-"
        digits, _, exponent = body.lstrip(b"+-").partition(b"e")
        whole, _, fraction = digits.partition(b".")
        power = int(exponent or 0) - len(fraction)
        if abs(power) > 2 * LONGEST:
            if int(whole + fraction):
                raise error  # strtold reports what is out of its range, at either end
            return 0, 0
        numerator = int(whole + fraction) * 10 ** max(power, 0) * (-1 if negative else 1)
        denominator = 10 ** max(-power, 0)
    if not numerator:
        return 0, 0
    height = abs(numerator).bit_length() - denominator.bit_length()
    if height > LEAST or (height < 0 and abs(numerator) << LEAST <= denominator):
        raise error
    shift = height - MANTISSA - 2
    scaled, rest = divmod(abs(numerator) << max(-shift, 0), denominator << max(shift, 0))
    scaled = scaled << 1 | (1 if rest else 0)  # a sticky bit, for rounding to even below
    try:
        return _round_mantissa(scaled if numerator > 0 else -scaled, shift - 1)
    except errors.IncrementNotFinite:
        raise error from None


def _round_mantissa(value: int, power: int) -> tuple[int, int]:
    """Round ``value * 2**power`` to 64 significant bits, half to even."""
    excess = abs(value).bit_length() - MANTISSA
    if excess <= 0:
        return value, power
    kept, rest, half = abs(value) >> excess, abs(value) & ((1 << excess) - 1), 1 << (excess - 1)
    if rest > half or (rest == half and kept & 1):
        kept += 1
    if excess + power + MANTISSA > 16384:
        raise errors.IncrementNotFinite
    return (kept if value > 0 else -kept), power + excess


def _fixed17(mantissa: int, power: int) -> bytes:
    """Print ``mantissa * 2**power`` with 17 decimals, half to even, then drop trailing zeros."""
    scaled = abs(mantissa) * 10**17
    if power >= 0:
        scaled <<= power
    else:
        whole, rest = scaled >> -power, scaled & ((1 << -power) - 1)
        half = 1 << (-power - 1)
        scaled = whole + (1 if rest > half or (rest == half and whole & 1) else 0)
    if not scaled:
        return b"0"
    high, low = divmod(scaled, 10**LONGEST)
    text = b"%d%0*d" % (high, LONGEST, low) if high else b"%018d" % low
    out = (text[:-17] + b"." + text[-17:]).rstrip(b"0").rstrip(b".")
    return b"-" + out if mantissa < 0 else out
