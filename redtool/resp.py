"""RESP2 and RESP3 with no I/O: reply values, feed bytes -> values, values -> bytes."""

from __future__ import annotations


class Status(bytes):
    """A simple string reply (``+OK``)."""

    __slots__ = ()


class Verbatim(bytes):
    """A verbatim string (``=txt:…``); ``format`` is its three letters."""

    format = "txt"


class Push(list["Reply"]):
    """An out-of-band message (``>``)."""


class BigNumber(int):
    """A number beyond 64 bits (``(``)."""


Reply = object  # bytes | int | None | list | dict | set | float | bool | Status | Verbatim | Push | BigNumber | ReplyError

OK = Status(b"OK")
QUEUED = Status(b"QUEUED")
