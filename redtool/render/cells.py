"""Single values as a person reads them: printable text, cut with a note, durations, dates, sizes."""

from __future__ import annotations

from redtool.render.plain import double, error_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\a": "\\a", "\b": "\\b"}
_JOINERS = "\u200c\u200d\u3000"  # in emoji, Persian and CJK text; str.isprintable() refuses them
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def show(value: bytes) -> tuple[str, bool]:
    """Give a value for a table cell, and whether some of it had to be escaped.

    UTF-8 is shown as text. In a value that needs escapes (``\\n``, ``\\xHH``) a backslash is doubled, in
    others it stays as it is.
    """
    text = value.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return text, False
    escaped = "".join(map(_escape, text.replace("\\", "\\\\")))
    return (escaped, True) if escaped != text else (text, False)


def clean(text: str) -> str:
    """Give a text made from a reply as ``show`` would give its bytes."""
    return text if text.isprintable() else show(text.encode("utf-8", "surrogateescape"))[0]


def quote(value: bytes) -> tuple[str, bool]:
    """Quote a value as redis-cli does, but with UTF-8 as text; and tell whether it has escapes."""
    text = value.decode("utf-8", "surrogateescape")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if not text.isprintable():
        escaped = "".join(map(_escape, escaped))
    return f'"{escaped}"', escaped != text


def _escape(char: str) -> str:
    """Give a character as it is, or escaped where a terminal would act on it or show nothing."""
    if char.isprintable() or char in _JOINERS:
        return char
    if char in _NAMED:
        return _NAMED[char]
    from unicodedata import category

    if category(char) == "Cn" and 0x1F000 <= ord(char) < 0x1FC00:
        return char  # an emoji newer than Python's tables
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))


def cut(value: bytes, limit: int) -> tuple[bytes, str]:
    """Give the first ``limit`` characters, and a note of the true length; limit 0 cuts nothing."""
    if not limit or len(value) <= limit:
        return value, ""
    text = value[: limit * 4].decode("utf-8", "surrogateescape")[:limit]
    part = text.encode("utf-8", "surrogateescape")
    return (part, f"… {len(value):,} bytes") if len(part) < len(value) else (value, "")


def inline(value: object, limit: int = 400) -> str:
    """Give any reply on one line: ``a, b`` for a flat list, brackets for what is nested in it."""
    room = [limit]
    if isinstance(value, (list, tuple, set, frozenset)):
        return _joined(value, room)
    if isinstance(value, dict):
        return _fields(value, room)
    return _inline(value, room)


def _inline(value: object, room: list[int]) -> str:
    """Give one value; ``room`` counts down the characters that are left in all."""
    if isinstance(value, (bytes, bytearray)):
        part, note = cut(bytes(value), max(room[0], 20))
        text = show(part)[0] + note
    elif isinstance(value, dict):
        return f"{{{_fields(value, room)}}}"
    elif isinstance(value, (list, tuple, set, frozenset)):
        return f"[{_joined(value, room)}]"
    else:
        text = scalar(value)
    room[0] -= len(text)
    return text


def _joined(values: Sequence[object] | set[object] | frozenset[object], room: list[int]) -> str:
    parts: list[str] = []
    for value in values:
        if room[0] <= 0:
            parts.append(f"… {len(values) - len(parts):,} more")
            break
        parts.append(_inline(value, room))
    return ", ".join(parts)


def _fields(values: dict[object, object], room: list[int]) -> str:
    parts: list[str] = []
    for key, value in values.items():
        if room[0] <= 0:
            parts.append(f"… {len(values) - len(parts):,} more")
            break
        parts.append(f"{_inline(key, room)}: {_inline(value, room)}")
    return ", ".join(parts)


def scalar(value: object) -> str:
    """Give a value that is neither string nor collection, without redis-cli's type prefix."""
    if value is None:
        return "(nil)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return double(value).decode()
    return show(error_text(value))[0]


def duration(seconds: float) -> str:
    """Give a time span with its two largest units: ``2d 3h``, ``1h``, ``1.5s``, ``250ms``, ``80us``."""
    if seconds == 0:
        return "0s"
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f}us"
    if seconds < 1:
        return f"{seconds * 1000:.4g}ms"
    if seconds < 60:
        return f"{int(seconds * 1000) / 1000:g}s"
    parts, left = [], round(seconds)
    for size, unit in _UNITS:
        if left >= size:
            parts.append(f"{left // size:,}{unit}")
            left %= size
        elif parts:
            break  # "1d 5m" would hide what is missing between
    return " ".join(parts[:2])


def date(seconds: float) -> str:
    """Give a unix time as the local date and time; empty when no calendar has it."""
    from time import localtime, strftime

    try:
        return strftime("%Y-%m-%d %H:%M:%S", localtime(seconds))
    except (ValueError, OverflowError, OSError):
        return ""


def size(count: int) -> str:
    """Give a number of bytes as INFO does: ``1.04M``; empty below 1 KB."""
    number = float(count)
    if number < 1024:
        return ""
    for unit in "KMGTP":
        number /= 1024
        if number < 1024 or unit == "P":
            break
    return f"{number:.2f}{unit}"


def plural(count: int, noun: str) -> str:
    """Give ``1 key``, ``2 keys``, ``2 entries``."""
    if count != 1:
        noun = noun[:-1] + "ies" if noun.endswith("y") and noun[-2:] not in ("ay", "ey") else noun + "s"
    return f"{count:,} {noun}"
