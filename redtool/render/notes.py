"""What a number means, for the commands that answer in seconds, milliseconds, unix time or bytes."""

from __future__ import annotations

from redtool.render.cells import date, duration, size
from redtool.render.lift import command_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def note(argv: Sequence[bytes], reply: object) -> str:
    """Explain the integer reply of the command ``argv``; empty when there is nothing to say."""
    if not isinstance(reply, int) or isinstance(reply, bool):
        return ""
    explain = NOTES.get(command_name(argv))
    return explain(reply) if explain else ""


def remaining(value: int, unit: int, missing: str = "no such key") -> str:
    """Explain a TTL given in ``1/unit`` seconds."""
    if value < 0:
        return {-1: "no expiry", -2: missing}.get(value, "")
    return duration(value / unit)


def moment(value: int, unit: int) -> str:
    """Explain a unix time given in ``1/unit`` seconds."""
    return remaining(value, unit) if value < 0 else date(value / unit)


NOTES: dict[bytes, Callable[[int], str]] = {
    b"TTL": lambda value: remaining(value, 1),
    b"PTTL": lambda value: remaining(value, 1000),
    b"EXPIRETIME": lambda value: moment(value, 1),
    b"PEXPIRETIME": lambda value: moment(value, 1000),
    b"LASTSAVE": lambda value: moment(value, 1),
    b"OBJECT IDLETIME": duration,
    b"MEMORY USAGE": size,
}
