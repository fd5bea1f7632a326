"""Step over a value of an RDB file without decoding it: what lies between its type byte and the next key.

``skip(data, pos, kind, valkey)`` gives the position after the value that begins at ``pos``; damage raises one of
DAMAGE, as loaders do. What the packed forms hold is not looked at, so this is no check.
"""

from __future__ import annotations

from redtool.persist.codecs import LZF, Damaged, length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.persist.codecs import Buffer

    Skip = Callable[[Buffer, int], int]

INTEGERS = {0xC0: 2, 0xC1: 3, 0xC2: 5}  # first byte of a string that is an integer -> bytes of it all
SPECIAL_SCORE = 253  # type 3: lengths from here on stand for nan, inf and -inf


def skip(data: Buffer, pos: int, kind: int, valkey: bool = False) -> int:
    """The position after a value of this type. Raises one of DAMAGE."""
    step = (VALKEY_STEPS if valkey else REDIS_STEPS).get(kind)
    if step is None:
        raise Damaged(f"value type {kind} is not supported")
    pos = step(data, pos)
    if pos > len(data):
        raise IndexError
    return pos


def _string(data: Buffer, pos: int) -> int:
    first = data[pos]
    if first < 64:
        return pos + 1 + first
    if first in INTEGERS:
        return pos + INTEGERS[first]
    if first == LZF:
        packed, pos = length(data, pos + 1)
        _, pos = length(data, pos)
        return pos + packed
    size, pos = length(data, pos)
    return pos + size


def _number(data: Buffer, pos: int) -> int:
    return length(data, pos)[1]


def _eight(data: Buffer, pos: int) -> int:
    """A double, or a time in milliseconds."""
    return pos + 8


def _text_score(data: Buffer, pos: int) -> int:
    size = data[pos]
    return pos + 1 if size >= SPECIAL_SCORE else pos + 1 + size


def _each(*parts: Skip) -> Skip:
    """A count, and so many times the parts one after the other."""

    def step(data: Buffer, pos: int) -> int:
        count, pos = length(data, pos)
        for _ in range(count):
            for part in parts:
                pos = part(data, pos)
        return pos

    return step


def _after_eight(step: Skip) -> Skip:
    return lambda data, pos: step(data, pos + 8)


def _module(data: Buffer, pos: int) -> int:
    from redtool.persist.modules import skip as skip_items

    return skip_items(data, _number(data, pos))


def _stream(version: int) -> Skip:
    """Types 15, 19 and 21 are versions 1, 2 and 3."""
    facts = 3 if version == 1 else 8  # length and last id; since 2 first id, greatest deleted id, entries added

    def step(data: Buffer, pos: int) -> int:
        pos = _NODES(data, pos)
        for _ in range(facts):
            pos = _number(data, pos)
        groups, pos = length(data, pos)
        for _ in range(groups):
            pos = _string(data, pos)
            for _ in range(2 if version == 1 else 3):
                pos = _number(data, pos)
            pending, pos = length(data, pos)
            for _ in range(pending):
                pos = _number(data, pos + 24)  # after the id and the time: how often delivered
            consumers, pos = length(data, pos)
            for _ in range(consumers):
                pos = _string(data, pos) + (16 if version == 3 else 8)
                owned, pos = length(data, pos)
                pos += 16 * owned
        return pos

    return step


_NODES = _each(_string, _string)
_FIELDS = _each(_number, _string, _string)
STEPS: dict[int, Skip] = {
    **dict.fromkeys((0, 9, 10, 11, 12, 13, 16, 17, 20), _string),
    **dict.fromkeys((1, 2, 14), _each(_string)),
    3: _each(_string, _text_score),
    4: _each(_string, _string),
    5: _each(_string, _eight),
    7: _module,
    18: _each(_number, _string),
    15: _stream(1), 19: _stream(2), 21: _stream(3),
}  # fmt: skip
REDIS_STEPS = {**STEPS, 22: _FIELDS, 23: _string, 24: _after_eight(_FIELDS), 25: _after_eight(_string)}
VALKEY_STEPS = {**STEPS, 22: _each(_string, _string, _eight)}
