"""KEYS-style patterns: ``*``, ``?``, ``[abc]``, ``[^a-z]`` and ``\\`` as stringmatchlen reads them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Matcher = Callable[[bytes], object]


def matcher(pattern: bytes, ignore_case: bool = False) -> Matcher:
    """Compile ``pattern`` to a predicate on whole keys. Truthy means match."""
    if pattern == b"*":
        return _everything
    if not ignore_case and not any(c in pattern for c in b"*?[\\"):
        return pattern.__eq__
    if not ignore_case and pattern.find(b"*") == len(pattern) - 1 and not any(c in pattern for c in b"?[\\"):
        prefix = pattern[:-1]
        return lambda key: key.startswith(prefix)
    import re

    return re.compile(_regex(pattern), re.DOTALL | (re.IGNORECASE if ignore_case else 0)).fullmatch


def _everything(key: bytes) -> bool:
    return True


def _regex(pattern: bytes) -> bytes:
    """Translate to a regular expression; an unclosed class ends with the pattern, as in Redis.

    A piece between two stars is taken at the first place where it fits and never tried elsewhere (an atomic group):
    all pieces have a fixed length, so nothing is missed, and no pattern takes exponential time.
    """
    pieces = _pieces(pattern)
    if len(pieces) == 1:
        return pieces[0]
    first, *middle, last = pieces
    inner = b"".join(b"(?>.*?" + piece + b")" for piece in middle if piece)
    # The empty string matches no pattern but the empty one and a lone star, which is not translated.
    return b"(?=.)" + first + inner + b".*" + last


def _pieces(pattern: bytes) -> list[bytes]:
    """Translate what stands before, between and after the stars."""
    from re import escape

    pieces = [b""]
    i, n = 0, len(pattern)
    while i < n:
        char = pattern[i : i + 1]
        i += 1
        if char == b"*":
            pieces.append(b"")
        elif char == b"?":
            pieces[-1] += b"."
        elif char == b"[":
            piece, i = _char_class(pattern, i)
            pieces[-1] += piece
        else:
            if char == b"\\" and i < n:
                char = pattern[i : i + 1]
                i += 1
            pieces[-1] += escape(char)
    return pieces


def _char_class(pattern: bytes, i: int) -> tuple[bytes, int]:
    """Read a class whose ``[`` is behind ``i``; give its regex and the index after it."""
    n = len(pattern)
    negate = pattern[i : i + 1] == b"^"
    if negate:
        i += 1
    members: set[int] = set()
    while i < n and pattern[i] != 0x5D:
        if pattern[i] == 0x5C and i + 1 < n:
            i += 1
            members.add(pattern[i])
        elif i + 2 < n and pattern[i + 1] == 0x2D:
            low, high = sorted((pattern[i], pattern[i + 2]))
            members.update(range(low, high + 1))
            i += 2
        else:
            members.add(pattern[i])
        i += 1
    body = b"".join(b"\\x%02x" % m for m in sorted(members))
    if not members:
        return (b"." if negate else b"(?!)"), i + 1
    return b"[" + (b"^" if negate else b"") + body + b"]", i + 1
