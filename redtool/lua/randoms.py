"""math.random and math.randomseed: the generator of real servers, so that a seed gives the same numbers."""

from __future__ import annotations

from redtool.lua.faults import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.lua.machine import Machine, Value

MASK = (1 << 48) - 1
FACTOR, ADDEND, START, LOW = 0x5DEECE66D, 0xB, 0x1234ABCD330E, 0x330E
MOST = 2**31 - 1


def functions(machine: Machine) -> dict[bytes, object]:
    """The two functions, with a state of their own."""
    state = START

    def draw() -> float:
        nonlocal state
        state = (state * FACTOR + ADDEND) & MASK
        return (state >> 17) % MOST / MOST

    def random(*args: Value) -> float:
        r = draw()
        if not args:
            return r
        places = machine.places
        first = c_int(places.number(args, 0))
        if len(args) == 1:
            if first < 1:
                raise places.argument(1, b"interval is empty")
            return int(r * first) + 1
        if len(args) > 2:
            raise places.fault(b"wrong number of arguments")
        last = c_int(places.number(args, 1))
        if first > last:
            raise places.argument(2, b"interval is empty")
        return int(r * (last - first + 1)) + first

    def randomseed(*args: Value) -> None:
        nonlocal state
        seed = whole(machine.places.number(args, 0)) & 0xFFFFFFFF
        state = seed << 16 | LOW

    return {b"random": random, b"randomseed": randomseed}


def c_int(value: float) -> int:
    """A number as C makes an int of it: the low 32 bits."""
    low = whole(value) & 0xFFFFFFFF
    return low - (1 << 32) if low & 0x80000000 else low
