"""What HRANDFIELD and SRANDMEMBER, HSCAN and SSCAN share: random picks and scan pages of one collection."""

from __future__ import annotations

from redtool import errors
from redtool.globs import matcher
from redtool.numeric import INT64_MIN, to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.engine.hashes import Hash
    from redtool.engine.sets import Set
    from redtool.session import Session

MOST_DRAWS = 1 << 27  # a real server sends repeated picks while it draws them; here they are all held first


def to_draws(text: bytes) -> int:
    """Read how many random elements are asked for; negative: they may repeat."""
    number = to_int(text)
    if number == INT64_MIN:
        raise errors.OutOfInt64
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


def page(c: Session, value: Hash | Set, start: int, opt: dict[bytes, Any]) -> tuple[int, list[bytes]]:
    """One step of HSCAN or SSCAN: the next cursor and the elements that match.

    What Redis stores packed (listpack, intset) comes whole in one page, whatever COUNT says.
    """
    count = to_int(opt.get(b"COUNT", b"10"))
    if count < 1:
        raise errors.SyntaxError_
    following, elements = 0, value.packed(c.config)
    if elements is None:
        following, elements = value.array().page(start, count)
    if b"MATCH" in opt:
        elements = list(filter(matcher(opt[b"MATCH"]), elements))
    return following, elements
