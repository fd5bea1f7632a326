"""What HRANDFIELD and SRANDMEMBER, HSCAN and SSCAN share: random picks and scan pages of one collection."""

from __future__ import annotations

from redtool import errors
from redtool.globs import matcher
from redtool.numeric import to_int, to_signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from redtool.engine.hashes import Hash
    from redtool.engine.sets import Set
    from redtool.session import Session

MOST_DRAWS = 1 << 27  # a real server sends repeated picks while it draws them; here they are all held first


def to_draws(text: bytes) -> int:
    """Read how many random elements are asked for; negative: they may repeat."""
    number = to_signed(text)
    if number < -MOST_DRAWS:
        raise errors.OutOfRange
    return number


def drawn(c: Session, value: Hash | Set, number: int) -> list[bytes]:
    """Give ``number`` different elements at random, or ``-number`` that may repeat."""
    if number >= len(value):
        return value.packed(c.config) or list(value)
    if number == 0:
        return []
    array = value.array()
    if number < 0:
        pick, rng = array.pick, c.store.rng
        return [pick(rng) for _ in range(-number)]
    return array.sample(c.store.rng, number)


def scan_options(args: Sequence[bytes], flag: bytes = b"") -> tuple[bytes, int, bool]:
    """Read MATCH, COUNT and ``flag`` of a scan, in any number and order; the first that is wrong is reported."""
    pattern, count, flagged = b"*", 10, False
    words = iter(args)
    for word in words:
        option = word.upper()
        if option == flag:
            flagged = True
            continue
        text = next(words, None)
        if option == b"NOVALUES":
            raise errors.NoValuesInHscanOnly
        if text is None or option not in (b"MATCH", b"COUNT"):
            raise errors.SyntaxError_
        if option == b"MATCH":
            pattern = text
        else:
            count = to_int(text)
            if count < 1:
                raise errors.SyntaxError_
    return pattern, count, flagged


def page(c: Session, value: Hash | Set, start: int, pattern: bytes, count: int) -> tuple[int, list[bytes]]:
    """One step of HSCAN or SSCAN: the next cursor and the elements that match.

    What Redis stores packed (listpack, intset) comes whole in one page, whatever COUNT says.
    """
    following, elements = 0, value.packed(c.config)
    if elements is None:
        following, elements = value.array().page(start, count)
    if pattern != b"*":
        elements = list(filter(matcher(pattern), elements))
    return following, elements
