"""What is different between two items, and how a person is shown it: the first few places, from both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redtool.errors import ReplyError
from redtool.numeric import float_text
from redtool.persist.payload import FOOTER
from redtool.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from redtool.engine.streams import Group, Id, Stream
    from redtool.transfer.items import Item

SHOWN = 3  # places of a value that are told
WIDE = 40  # bytes of a text that are told
NOTHING = "-"
DISPUTED = 22  # types from here on mean one thing to Redis and another to Valkey


@dataclass
class Difference:
    """One key that is not the same on both sides: what differs, and each side in short."""

    key: bytes
    what: str  # "missing", "type", "value", "ttl", "value, ttl"
    a: str
    b: str


def difference(a: Item, b: Item, tolerance: int | None) -> Difference | None:
    """Compare two items of one key; None when they are equal. ``tolerance`` in ms for TTLs, None: they do not count."""
    sides = values_apart(a, b, tolerance)
    apart = tolerance is not None and deadlines_apart(a.deadline, b.deadline, tolerance)
    if sides is not None:
        what, one, other = sides
        return Difference(a.key, f"{what}, ttl" if apart else what, one, other)
    return Difference(a.key, "ttl", until(a.deadline), until(b.deadline)) if apart else None


def values_apart(a: Item, b: Item, tolerance: int | None) -> tuple[str, str, str] | None:
    """("type" or "value", and each side in short), None for equal values."""
    if a.payload and a.payload[:-FOOTER] == b.payload[:-FOOTER] and (a.payload[0] < DISPUTED or a.version == b.version):
        return None
    kinds = a.kind, b.kind
    if kinds[0] != kinds[1]:
        return "type", kinds[0].decode(), kinds[1].decode()
    if not (a.known and b.known):
        return None
    if kinds[0] == b"module":
        return "value", f"{len(a.payload)} bytes", f"{len(b.payload)} bytes"
    sides = SIDES[kinds[0]](a.value, b.value, tolerance)
    return None if sides is None else ("value", *sides)


def deadlines_apart(a: int | None, b: int | None, tolerance: int) -> bool:
    return a is not b and (a is None or b is None or abs(a - b) > tolerance)


def until(deadline: int | None) -> str:
    """A deadline as a person reads it."""
    if deadline is None:
        return "no TTL"
    from datetime import UTC, datetime

    try:
        moment = datetime.fromtimestamp(deadline / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(deadline)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{deadline % 1000:03}Z"


def short(item: Item) -> str:
    """An item that the other side lacks: its type and how large it is."""
    kind = item.kind.decode()
    if not item.known:
        return kind
    try:
        value = item.value
    except ReplyError:
        return f"module, {len(item.payload)} bytes"
    unit = "byte" if kind == "string" else "entry" if kind == "stream" else "element"
    many = {"byte": "bytes", "entry": "entries", "element": "elements"}[unit]
    return f"{kind}, {len(value):,} {unit if len(value) == 1 else many}"


def _text(value: bytes) -> str:
    """A word, cut where it is long."""
    return quote(value[:WIDE]).decode() + ("…" if len(value) > WIDE else "")


def _parts(a: Mapping[Any, Any], b: Mapping[Any, Any], tell: Callable[[Any, Any], str],
           lacks: Callable[[Any], str]) -> tuple[str, str] | None:  # fmt: skip
    """Two maps: what each says of the first names on which they differ."""
    apart = [name for name in a if name not in b or a[name] != b[name]]
    apart += [name for name in b if name not in a]
    if not apart:
        return None
    some = sorted(apart)[:SHOWN]
    more = f", {len(apart) - SHOWN} more" if len(apart) > SHOWN else ""
    one, other = (", ".join(tell(name, side[name]) if name in side else lacks(name) for name in some) + more
                  for side in (a, b))  # fmt: skip
    return one, other


def _lacks(name: bytes) -> str:
    return f"no {_text(name)}"


def _strings(a: Any, b: Any, tolerance: int | None) -> tuple[str, str] | None:
    if a == b:
        return None
    if max(len(a), len(b)) <= WIDE:
        return _text(bytes(a)), _text(bytes(b))
    at = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    one, other = (f"{len(side):,} bytes, at {at:,}: {_text(bytes(side[at : at + WIDE + 1]))}" for side in (a, b))
    return one, other


def _lists(a: Any, b: Any, tolerance: int | None) -> tuple[str, str] | None:
    if a == b:
        return None
    at = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    one, other = (f"{len(side):,} elements, [{at}] {_text(side[at]) if at < len(side) else NOTHING}" for side in (a, b))
    return one, other


def _sets(a: Any, b: Any, tolerance: int | None) -> tuple[str, str] | None:
    if a == b:
        return None
    return _only(a - b), _only(b - a)


def _only(members: Iterable[bytes]) -> str:
    names = sorted(members)
    more = f", {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(map(_text, names[:SHOWN])) or NOTHING) + more


def _zsets(a: Any, b: Any, tolerance: int | None) -> tuple[str, str] | None:
    if a.scores == b.scores:
        return None
    return _parts(a.scores, b.scores, lambda name, score: f"{_text(name)}: {float_text(score).decode()}", _lacks)


def _hashes(a: Any, b: Any, tolerance: int | None) -> tuple[str, str] | None:
    sides = None if a == b else _parts(a, b, lambda field, value: f"{_text(field)}: {_text(value)}", _lacks)
    if sides is not None or tolerance is None:
        return sides
    times = [side.deadlines or {} for side in (a, b)]
    if times[0] == times[1]:
        return None
    near = {field for field in a if not deadlines_apart(times[0].get(field), times[1].get(field), tolerance)}
    one, other = ({field: when for field, when in each.items() if field not in near} for each in times)
    return _parts(one, other, lambda field, when: f"{_text(field)}: {until(when)}",
                  lambda field: f"{_text(field)}: no TTL")


def _streams(a: Stream, b: Stream, tolerance: int | None) -> tuple[str, str] | None:
    """Entries, then what else a stream knows. When consumers were last seen does not count."""
    sides = None if a.entries == b.entries else _parts(a.entries, b.entries, _entry, lambda id: f"no {_id(id)}")
    if sides is not None:
        one, other = sides
        return f"{len(a):,} entries, {one}", f"{len(b):,} entries, {other}"
    return _parts(_history(a), _history(b), lambda name, value: f"{name} {value}", lambda name: f"no {name}")


def _entry(id: Id, fields: tuple[bytes, ...]) -> str:
    return " ".join([_id(id), *map(_text, fields[:2])]) + (" …" if len(fields) > 2 else "")


def _id(id: Id) -> str:
    return "{}-{}".format(*id)


def _history(stream: Stream) -> dict[str, str]:
    facts = {"last id": _id(stream.last_id), "deleted up to": _id(stream.max_deleted_id),
             "added": str(stream.entries_added)}  # fmt: skip
    for name, group in stream.groups.items():
        facts |= {f"group {_text(name)}: {what}": told for what, told in _group(group).items()}
    return facts


def _group(group: Group) -> dict[str, str]:
    facts = {"last id": _id(group.last_id), "read": str(group.entries_read)}
    facts |= {f"consumer {_text(name)}": "there" for name in group.consumers}
    for id, (consumer, when, count) in group.pending.items():
        facts[f"pending {_id(id)}"] = f"{_text(consumer)} {when} {count}"
    return facts


def _vectors(a: Any, b: Any, tolerance: int | None) -> tuple[str, str] | None:
    from redtool.engine.digest import of_value

    if of_value(a, False) == of_value(b, False):
        return None
    one, other = (f"{len(side):,} elements of {side.dim} dimensions" for side in (a, b))
    return one, other


SIDES: dict[bytes, Callable[[Any, Any, int | None], tuple[str, str] | None]] = {
    b"string": _strings, b"list": _lists, b"set": _sets, b"zset": _zsets, b"hash": _hashes, b"stream": _streams,
    b"vectorset": _vectors,
}  # fmt: skip

