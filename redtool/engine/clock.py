"""The time of the command being run: read once per command, the same for everything inside it."""

from __future__ import annotations


class Clock:
    """``ns`` is unix time in nanoseconds; the store sets it before each outermost command."""

    __slots__ = ("ns",)

    def __init__(self) -> None:
        self.ns = 0

    @property
    def ms(self) -> int:
        return self.ns // 1_000_000
