"""An embedded store that is spoken to like a server: argv in, reply bytes out, so both can be compared."""

from __future__ import annotations

import time
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import hiredis

from redtool import commands, errors, resp
from redtool.config import Config
from redtool.session import Block, Session
from redtool.store import Store
from tests.servers import Word, encode

MS = 1_000_000


@cache
def import_all() -> None:
    """Import every command group, whether or not the generated index knows it."""
    for module in iter_modules(commands.__path__):
        if module.name not in ("index", "table"):
            import_module(f"redtool.commands.{module.name}")


class Client:
    """One session of a store in memory.

    ``frozen`` time stands still until ``advance``; a command that waits then gets nil after moving the clock to its
    deadline. A second client of the same store is ``Client(first.store)``.
    """

    def __init__(self, store: Store | None = None, proto: int = 2, frozen: bool = True) -> None:
        import_all()
        self.ns = time.time_ns()
        self.frozen = frozen
        self.store = store or Store(Config(), time_ns=self.time_ns)
        self.session = Session(self.store)
        self.session.proto = proto
        self.session.no_array = resp.NULL_ARRAY

    def time_ns(self) -> int:
        return self.ns if self.frozen else time.time_ns()

    def advance(self, ms: int) -> None:
        self.ns += ms * MS

    def wire(self, *argv: Word) -> bytes:
        """Run one command and give its reply's bytes."""
        reply: Any
        try:
            reply = self.store.execute(self.session, tuple(encode(word) for word in argv))
        except errors.ReplyError as error:
            reply = error
        except Block as block:
            assert block.deadline is not None, "nobody would ever wake this command"
            self.ns = max(self.ns, block.deadline * MS)
            reply = self.session.no_array
        return resp.encode(reply, self.session.proto)

    def call(self, *argv: Word) -> Any:
        """Run one command and give its reply as a Python value; errors are values."""
        reader = hiredis.Reader(replyError=errors.ReplyError.of)
        reader.feed(self.wire(*argv))
        return reader.gets()

    def close(self) -> None:
        self.session.unwatch()
