"""The module ``cjson``: JSON of Lua values."""

from __future__ import annotations

from redtool.lua.faults import whole
from redtool.lua.jsontext import BadText, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from redtool.lua.machine import Machine, Value

MOST = 2**31 - 1
MOST_INSTANCES = 1000  # of the module: none is ever given up


def load(machine: Machine) -> None:
    """Put the writer in place, once the interpreter stands."""
    machine.to_json = machine.safely(machine.chunk("json.lua", machine.contents_of, machine.null))


def functions(machine: Machine) -> dict[bytes, object]:
    """The functions of the module. Those of ``cjson.new()`` go by the number of their settings: see sandbox.lua."""
    instances = [Settings(machine)]

    def new(*args: Value) -> int:
        if len(instances) > MOST_INSTANCES:
            raise machine.places.fault(b"too many instances of cjson")
        instances.append(Settings(machine))
        return len(instances) - 1

    def of(*args: Value) -> Any:
        number, name, *rest = args
        return instances[int(number)].functions()[bytes(name)](*rest)  # type: ignore[call-overload,operator]

    return {**instances[0].functions(), b"new": new, b"of": of}


class Settings:
    """One instance of the module: its settings, and the functions that heed and change them."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.places = machine, machine.places
        self.depth = self.decode_depth = 1000
        self.convert, self.ratio, self.safe = False, 2, 10
        self.precision = 14
        self.keep = True
        self.invalid: object = False
        self.decode_invalid = True

    def functions(self) -> dict[bytes, object]:
        """What scripts call."""
        return {
            b"encode": self.encode, b"decode": self.decode, b"encode_max_depth": self.encode_max_depth,
            b"decode_max_depth": self.decode_max_depth, b"encode_sparse_array": self.encode_sparse_array,
            b"encode_number_precision": self.encode_number_precision, b"encode_keep_buffer": self.encode_keep_buffer,
            b"encode_invalid_numbers": self.encode_invalid_numbers,
            b"decode_invalid_numbers": self.decode_invalid_numbers, b"_NAME": b"cjson", b"_VERSION": b"2.1.0",
        }  # fmt: skip

    def encode(self, *args: Value) -> bytes:
        """cjson.encode."""
        if len(args) != 1:
            raise self.places.argument(1, b"expected 1 argument")
        ok, text = self.machine.to_json(args[0], self.depth, self.convert, self.ratio, self.safe, self.invalid,
                                        b"%%.%dg" % self.precision)  # fmt: skip
        if not ok:
            raise self.places.fault(text)
        self.machine.room(len(text))
        return text  # type: ignore[no-any-return]

    def decode(self, *args: Value) -> Any:
        """cjson.decode."""
        if len(args) != 1:
            raise self.places.argument(1, b"expected 1 argument")
        text = self.places.string(args, 0)
        self.machine.room(len(text) * 24)
        try:
            return Reader(text, self.machine.table, self.machine.null, self.decode_depth, self.decode_invalid).whole()
        except BadText as error:
            raise self.places.fault(error.text) from None

    # -- settings: each gives what holds now, after changing it if told to

    def _integer(self, args: Sequence[Value], index: int, low: int, high: int, value: int) -> int:
        if index >= len(args) or args[index] is None:
            return value
        found = whole(self.places.number(args, index))
        if not low <= found <= high:
            raise self.places.argument(index + 1, b"expected integer between %d and %d" % (low, high))
        return found

    def _choice(self, args: Sequence[Value], index: int, value: object, words: dict[bytes, object]) -> object:
        if index >= len(args) or args[index] is None:
            return value
        given = args[index]
        if isinstance(given, bool):
            return given
        word = self.places.string(args, index)
        if word not in words:
            raise self.places.argument(index + 1, b"invalid option '%b'" % word)
        return words[word]

    def _few(self, args: Sequence[Value], most: int) -> None:
        if len(args) > most:
            raise self.places.argument(most + 1, b"found too many arguments")

    def encode_max_depth(self, *args: Value) -> int:
        self._few(args, 1)
        self.depth = self._integer(args, 0, 1, MOST, self.depth)
        return self.depth

    def decode_max_depth(self, *args: Value) -> int:
        self._few(args, 1)
        self.decode_depth = self._integer(args, 0, 1, MOST, self.decode_depth)
        return self.decode_depth

    def encode_sparse_array(self, *args: Value) -> tuple[bool, int, int]:
        self._few(args, 3)
        self.convert = bool(self._choice(args, 0, self.convert, ON_OFF))
        self.ratio = self._integer(args, 1, 0, MOST, self.ratio)
        self.safe = self._integer(args, 2, 0, MOST, self.safe)
        return self.convert, self.ratio, self.safe

    def encode_number_precision(self, *args: Value) -> int:
        self._few(args, 1)
        self.precision = self._integer(args, 0, 1, 14, self.precision)
        return self.precision

    def encode_keep_buffer(self, *args: Value) -> bool:
        self._few(args, 1)
        self.keep = bool(self._choice(args, 0, self.keep, ON_OFF))
        return self.keep

    def encode_invalid_numbers(self, *args: Value) -> object:
        self._few(args, 1)
        self.invalid = self._choice(args, 0, self.invalid, ON_OFF | {b"null": b"null"})
        return self.invalid

    def decode_invalid_numbers(self, *args: Value) -> object:
        self._few(args, 1)
        self.decode_invalid = bool(self._choice(args, 0, self.decode_invalid, ON_OFF))
        return self.decode_invalid


ON_OFF: dict[bytes, object] = {b"off": False, b"on": True}
