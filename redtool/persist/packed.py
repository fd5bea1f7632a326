"""Small hashes that lie packed, in RDB files: they are held as they are written (type 4)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.engine.packed import Packed
    from redtool.persist.codecs import Add


def save(value: Packed, add: Add, form: int) -> int:
    add(value)
    return 4
