"""What functions written in Python raise to a script, and the checks of their arguments in Lua's own words."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redtool.lua.machine import Value

Where = "Callable[[], bytes]"

# How deep the function of Lua is that called the Python function that asks: itself, the C function, then the caller.
CALLER = 3
CALLED = 2


class Fault(Exception):
    """A Lua error with this message, a string."""

    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self.message = message


class CallError(Fault):
    """The error of a command or of the functions around it: a table whose ``err`` field is the message.

    ``counted`` says that the store has counted it already.
    """

    def __init__(self, message: bytes, counted: bool = False) -> None:
        super().__init__(message)
        self.counted = counted


class Places:
    """Where the script stands when a function written in Python finds fault with it."""

    def __init__(self, where: Callable[[int], bytes], called: Callable[[int], bytes]) -> None:
        self.where, self.called = where, called

    def fault(self, text: bytes) -> Fault:
        """An error with the script's position before it, as luaL_error makes it."""
        return Fault(self.where(CALLER) + text)

    def argument(self, number: int, text: bytes) -> Fault:
        """An error about an argument, as luaL_argerror makes it."""
        return self.fault(b"bad argument #%d to '%b' (%b)" % (number, self.called(CALLED), text))

    def expected(self, kind: bytes, args: Sequence[Value], index: int) -> Fault:
        """An error about an argument of the wrong type, or one that is missing."""
        got = type_name(args[index]) if index < len(args) else b"no value"
        return self.argument(index + 1, b"%b expected, got %b" % (kind, got))

    def number(self, args: Sequence[Value], index: int) -> float:
        """A number, or a string that reads as one."""
        value = args[index] if index < len(args) else None
        kind = type(value)
        if kind is int or kind is float:
            return value  # type: ignore[return-value]
        if kind is bytes:
            found = to_number(value)  # type: ignore[arg-type]
            if found is not None:
                return found
        raise self.expected(b"number", args, index)

    def string(self, args: Sequence[Value], index: int) -> bytes:
        """A string, or a number as text."""
        value = args[index] if index < len(args) else None
        kind = type(value)
        if kind is bytes:
            return value  # type: ignore[return-value]
        if kind is int or kind is float:
            return number_text(value)  # type: ignore[arg-type]
        raise self.expected(b"string", args, index)


def type_name(value: Value) -> bytes:
    """The name of a value's type in Lua."""
    from lupa.lua51 import lua_type  # type: ignore[import-untyped]

    if value is None:
        return b"nil"
    if isinstance(value, bool):
        return b"boolean"
    if isinstance(value, int | float):
        return b"number"
    if isinstance(value, bytes):
        return b"string"
    return (lua_type(value) or "userdata").encode()


def number_text(value: float, precision: int = 14) -> bytes:
    """A number as Lua prints it: ``%.14g``."""
    if value != value:
        return b"-nan" if str(value)[0] == "-" else b"nan"
    return b"%.*g" % (precision, value)


def to_number(text: bytes) -> float | None:
    """Read a number as Lua's tonumber does, hexadecimal included; None for what is none."""
    text = text.partition(b"\0")[0].strip(b" \t\n\v\f\r")  # C sees no more of it
    if b"_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    if digits[:2].lower() != b"0x":
        return None
    try:
        value = float(int(digits, 16))
    except ValueError:
        return None
    return -value if text[:1] == b"-" else value


def whole(value: float) -> int:
    """A double as C casts it to a long long: towards zero; what does not fit becomes the least."""
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else -(2**63)
    if value != value or not -(2.0**63) <= value < 2.0**63:
        return -(2**63)
    return int(value)
