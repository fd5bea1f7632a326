"""Looks through compiled code for what Lua 5.1 cannot run safely.

A function with fixed parameters and ``...`` that is called with fewer arguments gets a frame that reaches further than
the stack was made to reach (CVE-2014-5461). Up to three missing arguments fall into the slots that Lua keeps spare
behind the stack. The compiled form tells how many there are without a doubt; the source, with comments and strings
anywhere in it, does not.
"""

from __future__ import annotations

from struct import calcsize
from sys import byteorder

MOST_FIXED = 3
HEADER = 12
NIL, BOOLEAN, NUMBER, STRING = 0, 1, 3, 4
WORD = calcsize("N")  # of a size_t


class Code:
    """What string.dump gave, read from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, HEADER

    def integer(self) -> int:
        """A C int."""
        self.at += 4
        return int.from_bytes(self.data[self.at - 4 : self.at], byteorder)

    def skip_string(self) -> None:
        """A string with its length."""
        size = int.from_bytes(self.data[self.at : self.at + WORD], byteorder)
        self.at += WORD + size

    def skip_constants(self) -> None:
        """The constants of a function."""
        for _ in range(self.integer()):
            kind = self.data[self.at]
            self.at += 1
            if kind == STRING:
                self.skip_string()
            else:
                self.at += {NIL: 0, BOOLEAN: 1, NUMBER: 8}[kind]

    def skip_debug(self) -> None:
        """Lines, names of locals and upvalues."""
        count = self.integer()
        self.at += 4 * count
        for _ in range(self.integer()):
            self.skip_string()
            self.at += 8
        for _ in range(self.integer()):
            self.skip_string()

    def is_safe(self) -> bool:
        """Whether this function and all within it may run."""
        self.skip_string()
        self.at += 8
        _, fixed, dots, _ = self.data[self.at : self.at + 4]
        self.at += 4
        if dots and fixed > MOST_FIXED:
            return False
        count = self.integer()
        self.at += 4 * count
        self.skip_constants()
        if not all(self.is_safe() for _ in range(self.integer())):
            return False
        self.skip_debug()
        return True


def is_safe(dumped: bytes) -> bool:
    """Whether a compiled chunk has no function that Lua 5.1 cannot run safely."""
    return Code(dumped).is_safe()
