"""The module ``bit``: operations on 32 bits."""

from __future__ import annotations

from redtool.lua.faults import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redtool.lua.machine import Machine, Value

    Operation = Callable[[int, int], int]

ALL = 0xFFFFFFFF


def functions(machine: Machine) -> dict[bytes, object]:
    """The functions of the module."""
    places = machine.places

    def take(args: Sequence[Value], index: int) -> int:
        value = args[index] if index < len(args) else None
        if type(value) is int:
            return value & ALL
        return rounded(places.number(args, index)) & ALL

    def fold(operation: Operation) -> Callable[..., int]:
        def run(*args: Value) -> int:
            found = take(args, 0)
            for index in range(1, len(args)):
                found = operation(found, take(args, index))
            return signed(found)

        return run

    def shift(operation: Operation) -> Callable[..., int]:
        return lambda *args: signed(operation(take(args, 0), take(args, 1) & 31))

    def tohex(*args: Value) -> bytes:
        value, digits = take(args, 0), 8 if len(args) < 2 else signed(take(args, 1))
        upper = digits < 0
        digits = min(abs(digits), 8)
        text = (b"%08X" if upper else b"%08x") % value
        return text[8 - digits :]

    return {
        b"tobit": lambda *args: signed(take(args, 0)),
        b"bnot": lambda *args: signed(~take(args, 0) & ALL),
        b"band": fold(lambda a, b: a & b),
        b"bor": fold(lambda a, b: a | b),
        b"bxor": fold(lambda a, b: a ^ b),
        b"lshift": shift(lambda a, n: a << n & ALL),
        b"rshift": shift(lambda a, n: a >> n),
        b"arshift": shift(lambda a, n: signed(a) >> n & ALL),
        b"rol": shift(lambda a, n: (a << n | a >> (32 - n)) & ALL),
        b"ror": shift(lambda a, n: (a >> n | a << (32 - n)) & ALL),
        b"bswap": lambda *args: signed(int.from_bytes(take(args, 0).to_bytes(4, "little"), "big")),
        b"tohex": tohex,
    }


def signed(value: int) -> int:
    """32 bits as a signed number."""
    return value - (1 << 32) if value & 0x80000000 else value


def rounded(value: float) -> int:
    """A double to the nearest integer, ties to even, as adding 2^52 + 2^51 does; only its low 32 bits count."""
    if value != value or value in (float("inf"), float("-inf")):
        return 0
    return round(value) if abs(value) < 2.0**51 else whole(value) if abs(value) < 2.0**63 else 0
