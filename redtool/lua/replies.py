"""Replies on their way: what a command gives becomes a value of Lua, what a script gives a reply."""

from __future__ import annotations

from redtool import errors
from redtool.lua.faults import number_text, whole
from redtool.numeric import float_text
from redtool.resp import OK, BigNumber, LongDouble, Status, Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from redtool.lua.machine import Machine
    from redtool.resp import Reply

FEW = 24  # bytes that a value takes in a table of Lua, at least


def weight(reply: Reply) -> int:
    """About how many bytes a reply takes on Lua's side."""
    kind = type(reply)
    if kind is bytes or kind is bytearray or kind is Status:
        return len(reply) + FEW  # type: ignore[arg-type]
    if isinstance(reply, list | tuple | set | frozenset):
        return sum(map(weight, reply)) + 64
    if isinstance(reply, dict):
        return sum(map(weight, reply)) + sum(map(weight, reply.values())) + 64
    return 64


def to_lua(machine: Machine, reply: Reply, proto: int) -> Any:
    """Make the value that a script gets for a command's reply."""
    kind = type(reply)
    if kind is bytes or kind is int:
        return reply
    if reply is None:
        return False if proto == 2 else None
    table = machine.table
    if kind is Status or kind is type(OK):
        return table({b"ok": bytes(reply)})  # type: ignore[call-overload]
    if kind is bytearray:
        return bytes(reply)  # type: ignore[call-overload]
    if kind is bool:
        return reply if proto == 3 else int(reply)  # type: ignore[call-overload]
    if isinstance(reply, float):
        text = reply.text if isinstance(reply, LongDouble) else b"nan" if reply != reply else float_text(reply)
        return text if proto == 2 else table({b"double": float(text)})  # what the text says, which may be less
    if isinstance(reply, BigNumber):
        return b"%d" % reply if proto == 2 else table({b"big_number": b"%d" % reply})
    if isinstance(reply, Verbatim):
        if proto == 2:
            return bytes(reply)
        return table({b"verbatim_string": table({b"format": reply.format.encode("latin-1"), b"string": bytes(reply)})})
    if isinstance(reply, errors.ReplyError):
        return table({b"err": message(reply)})
    return _aggregate(machine, reply, proto)


def _aggregate(machine: Machine, reply: Reply, proto: int) -> Any:
    table = machine.table
    if isinstance(reply, list | tuple):
        return table([to_lua(machine, item, proto) for item in reply])
    if isinstance(reply, dict):
        if proto == 2:
            return table([to_lua(machine, item, proto) for pair in reply.items() for item in pair])
        pairs = {to_lua(machine, key, proto): to_lua(machine, value, proto) for key, value in reply.items()}
        return table({b"map": table(pairs)})
    if isinstance(reply, set | frozenset):
        if proto == 2:
            return table([to_lua(machine, item, proto) for item in reply])
        return table({b"set": table({to_lua(machine, item, proto): True for item in reply})})
    raise TypeError(f"{type(reply).__name__} is not a reply")


def message(error: errors.ReplyError) -> bytes:
    """An error's text in bytes."""
    return error.message.encode("utf-8", "surrogateescape")


STRING, NUMBER, TRUE, FALSE, NIL, ERR, STATUS, DOUBLE, MAP, SET, BIG, VERBATIM, ARRAY = range(1, 14)  # answer.lua
COUNTED = 14


class Flat:
    """Reads a script's reply, which comes flat: kinds and values one after the other."""

    def __init__(self, items: Iterator[Any], proto: int, client: int) -> None:
        self.items, self.proto, self.client = items, proto, client  # what the script speaks, and what its caller

    def value(self) -> Reply:
        """Read one reply."""
        take = self.items.__next__
        kind = take()
        if kind == STRING:
            return take()
        if kind == NUMBER:
            return whole(take())
        if kind == TRUE:
            return 1 if self.proto == 2 else True
        if kind == FALSE:
            return None if self.proto == 2 else False
        if kind == NIL:
            return None
        if kind == STATUS:
            return Status(line(take()))
        if kind in (ERR, COUNTED):
            return errors.ReplyError.of(line(take()).decode("utf-8", "surrogateescape"))
        if kind == DOUBLE:
            return float(take())
        if kind == BIG:
            return big(line(take()))
        if kind == VERBATIM:
            return self._verbatim(take(), take())
        return self._aggregate(kind, take())

    def _verbatim(self, form: bytes, text: bytes) -> Reply:
        value = Verbatim(text)
        value.format = (form + b"   ")[:3].decode("latin-1")
        return value

    def _aggregate(self, kind: int, count: int) -> Reply:
        value = self.value
        if kind == ARRAY:
            return [value() for _ in range(count)]
        if kind == SET:
            members = [value() for _ in range(count)]
            return members if self.client == 2 else set(map(hashable, members))
        pairs: dict[Any, Reply] = {}
        for _ in range(count):
            key = hashable(value())
            pairs[key] = value()
        return pairs


def big(text: bytes) -> Reply:
    """A big number as a script wrote it; what is none stays text."""
    try:
        return BigNumber(text)
    except ValueError:
        return text


def hashable(value: Any) -> Any:
    """Something that can be the key of a map or the member of a set and is encoded the same."""
    if isinstance(value, list):
        return tuple(map(hashable, value))
    if isinstance(value, dict):
        return tuple(hashable(item) for pair in value.items() for item in pair)
    return tuple(map(hashable, value)) if isinstance(value, set) else value


def line(text: bytes) -> bytes:
    """Text on one line, as a status or an error must be; a server reads it up to a NUL."""
    return text.partition(b"\0")[0].replace(b"\r", b" ").replace(b"\n", b" ")


def number_argument(value: float) -> bytes:
    """A number as the word of a command: an integer whole, else with 17 digits."""
    return number_text(value, 17)
