"""Run what was typed: repeats, the REPL's own words, commands, messages; knows no line editor.

A line never ends the session but for EXIT, QUIT and a fault of the program itself: errors are shown and the next
line comes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, cast

from redtool.errors import ConnectError, QuotingError, RedtoolError, ReplyError
from redtool.render import choose, want_color
from redtool.render.terminal import screen, show_reply
from redtool.repl.interrupts import Interrupts
from redtool.repl.judge import repeats
from redtool.repl.looks import painted
from redtool.repl.messages import confirmations, message
from redtool.repl.meta import META, vocabulary
from redtool.repl.sources import ServerSource, Source, StoreSource
from redtool.repl.toolbar import Facts
from redtool.repl.typed import encode, written
from redtool.resp import QUEUED, Replies, Status
from redtool.words import Lines

if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.backends.embedded import Embedded
    from redtool.commands.table import Command
    from redtool.options import Options
    from redtool.repl.sources import Server
    from redtool.resp import Reply

LISTENING = frozenset((b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"MONITOR"))


class Leave(Exception):
    """EXIT or QUIT."""


class Interrupted(Exception):
    """Ctrl-C: what was left of a pasted text or of a repeat is not run."""


class Shell:
    """A session on a backend, which CONNECT changes. ``commands`` are those of the target and the REPL's own."""

    def __init__(self, backend: Backend, options: Options, interrupts: Interrupts | None = None,
                 config: Mapping[str, object] | None = None) -> None:  # fmt: skip
        self.options, self.config = options, config or {}
        self.interrupts = interrupts or Interrupts()
        self.color = want_color(options.get("color", "auto"), os.environ, os.isatty(1))
        self.seconds: float | None = None
        self.keys: int | None = None  # of a server; a store's are counted as they are shown
        self.queued: list[tuple[bytes, ...]] = []
        self.pointed = False  # whether it was told how to follow a cluster
        self.trouble = ""  # what housekeeping complains of
        self._adopt(backend)

    def _adopt(self, backend: Backend) -> None:
        from redtool.backends.attached import Attached
        from redtool.backends.embedded import Embedded

        self.backend = backend
        self.connected = True
        self.commands: Mapping[bytes, Command] = META
        self.learned = False  # whether a server has told its commands
        self.source: Source | None = None
        self.queued.clear()
        self.keys = None
        if isinstance(backend, Embedded):
            self.source = StoreSource(backend)
            backend.stop_asked = self.interrupts.take
            if backend.store.journal is not None:
                backend.store.journal.start_syncing()
        else:
            self.source = ServerSource(cast("Server", backend))
            if isinstance(backend, Attached):
                backend.stop_asked = self.interrupts.take

    @property
    def store(self) -> Embedded | None:
        """The store, if this process is its owner: it may become that."""
        from redtool.backends.embedded import Embedded

        owned = getattr(self.backend, "owned", self.backend)
        return owned if isinstance(owned, Embedded) else None

    @property
    def known(self) -> bool:
        """Whether there is more than the REPL's own words."""
        return self.commands is not META

    def prepare(self) -> None:
        """Take redtool's own commands, for completion and HELP, until a server has told its own."""
        from redtool.commands.table import load_all

        self.commands = vocabulary(load_all())

    def close(self) -> None:
        """Leave the target."""
        if self.source is not None:
            self.source.close()
        self.backend.close()

    def learn(self) -> None:
        """Ask a server for its commands; takes a while, and may be done by another thread."""
        source = self.source
        if isinstance(source, ServerSource) and not self.learned:
            known = source.commands()
            if source is self.source:
                self.commands, self.learned = vocabulary(known), True

    def tick(self) -> None:
        """Housekeeping while nobody types."""
        if self.store is not None:
            try:
                self.store.tick()
                self.trouble = ""
            except RedtoolError as error:
                self.trouble = str(error)

    def count_keys(self) -> None:
        """Ask a server how many keys there are; may be done by another thread."""
        source = self.source
        if isinstance(source, ServerSource) and self.connected:
            keys = source.size()
            if source is self.source:
                self.keys = keys

    @property
    def facts(self) -> Facts:
        """What prompt and toolbar show."""
        backend = self.backend
        keys = len(self.store.session.db) if self.store is not None else self.keys
        queued = len(self.queued) if backend.in_multi else None
        return Facts(backend.name, backend.db, keys, self.seconds, queued, self.connected, self.trouble)

    # -- lines

    def run(self, text: str) -> None:
        """Run a text of one line or many. Raises Leave; nothing else that an error of a command could be."""
        lines = Lines()
        entries = lines.feed(encode(text) + b"\n") + lines.end()
        try:
            for at, (_, argv) in enumerate(entries):
                if at and self.interrupts.take():
                    raise Interrupted
                if isinstance(argv, QuotingError):
                    self.complain(argv)
                    continue
                if len(entries) > 1:
                    self.say([("facts", f"> {' '.join(map(written, argv))}\n")])
                self.line(tuple(argv))
        except Interrupted:
            self.say([("facts", "\n(interrupted)\n")])  # after the terminal's ^C
        except Leave:
            raise
        except MemoryError:
            self.say([("problem", "(error) not enough memory\n")])
        except Exception as error:  # the edge: a fault in one command must not cost the session
            self.say([("problem", f"(error) a fault in redtool itself: {type(error).__name__}: {error}\n")])

    def line(self, argv: tuple[bytes, ...]) -> None:
        """Run one line."""
        times = 1
        if repeats(argv):
            times, argv = int(argv[0]), argv[1:]
        own = OWN.get(argv[0].upper())
        for done in range(times):
            if done and self.interrupts.take():
                raise Interrupted
            if own is not None:
                own(self, argv[1:])
            else:
                self.command(argv)

    def command(self, argv: tuple[bytes, ...]) -> None:
        """Run a command on the target and show its reply."""
        was_in_multi = self.backend.in_multi
        reply = self._executed(argv)
        if isinstance(reply, RedtoolError) and not isinstance(reply, ReplyError):
            return
        queued = list(self.queued)
        if not self.backend.in_multi:
            self.queued.clear()
        elif was_in_multi and type(reply) is Status and reply == QUEUED:
            self.queued.append(argv)
        listening = argv[0].upper() in LISTENING and not was_in_multi
        if listening and not isinstance(reply, ReplyError):
            self._listen(confirmations(reply))
            return
        self._allowing(lambda: self._show(argv, reply, queued))
        self._point(reply)
        if self.backend.remote and argv[0].upper() in (b"AUTH", b"HELLO") and self.source is not None:
            self.source.close()  # another user may see other keys and commands
            self.learned = False
        self._say_messages()  # what came of its own accord

    def _point(self, reply: Reply) -> None:
        """Tell once how to follow a cluster that the server is one of."""
        if isinstance(reply, ReplyError) and reply.code in ("MOVED", "ASK") and not self.pointed:
            self.pointed = True
            address = reply.message.rpartition(" ")[2]
            self.say([("facts", f"This server is one of a cluster: CONNECT redis+cluster://{address} follows it.\n")])

    def _show(self, argv: tuple[bytes, ...], reply: Reply, queued: Sequence[tuple[bytes, ...]]) -> None:
        """Print a reply as the options want it: for people, unless they name a format."""
        if type(reply) is Replies:  # UNSUBSCRIBE: each confirmation by itself
            for each in reply:
                self._show(argv, each, queued)
            return
        form = next((name for name in ("json", "csv", "raw") if name in self.options.flags), "")
        if not form:
            show_reply(argv, reply, self.options, self.config, queued or None)
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(choose(form)(argv, reply))
        sys.stdout.flush()

    def _executed(self, argv: tuple[bytes, ...]) -> Reply | RedtoolError:
        """The reply, errors as values; what is no reply (a lost connection, a wrong use) is told here."""
        start = perf_counter()
        reply: Reply | RedtoolError
        try:
            with self.interrupts.allow(self._stoppable(argv)):
                if self.interrupts.take():  # pressed before it began
                    raise KeyboardInterrupt
                reply = self.backend.execute(*argv)
            self.connected = True
        except ReplyError as error:
            reply = error
            self.connected = True
        except RedtoolError as error:
            if isinstance(error, ConnectError) and self.backend.remote:
                self.connected = False
            self.complain(error)
            reply = error
        except KeyboardInterrupt:
            if self.store is not None:
                self.store.repair()
            raise Interrupted from None
        finally:
            self.seconds = perf_counter() - start
        return reply

    def _stoppable(self, argv: tuple[bytes, ...]) -> bool:
        """Whether Ctrl-C may strike anywhere: on a server, and in the store if the command only reads.

        What waits in the store asks by itself (``stop_asked``).
        """
        return self.store is None or self.store.only_reads(argv)

    def _allowing(self, work: Callable[[], object], anywhere: bool = True) -> None:
        """Do what Ctrl-C may stop anywhere: printing; or only where the work itself asks."""
        try:
            with self.interrupts.allow(anywhere):
                work()
        except KeyboardInterrupt:
            raise Interrupted from None

    def _listen(self, first: Sequence[tuple[str, str]]) -> None:
        """Show messages until Ctrl-C."""
        self.say(first)
        try:
            self._say_messages()
        finally:
            self._hush()

    def _hush(self) -> None:
        """End the subscriptions; a server's with their connection."""
        if self.store is None:
            self.backend.close()
        else:
            self.store.stop_listening()

    def _say_messages(self) -> None:
        """Show the messages that have come and, while there are subscriptions, those that come: until Ctrl-C."""

        def show() -> None:
            for push in self.backend.messages():
                self.say(message(push))

        try:
            self._allowing(show, anywhere=self.store is None)
        except Interrupted:
            self._hush()
            raise
        except ConnectError as error:
            self.connected = False
            self.complain(error)

    # -- the REPL's own words

    def help(self, words: Sequence[bytes]) -> None:
        """HELP [topic]"""
        from redtool.repl.helptext import about

        if not self.known:
            self.prepare()
        self.say(about(words, self.commands, screen(os.environ)[0]))

    def clear(self, words: Sequence[bytes]) -> None:
        """CLEAR"""
        sys.stdout.write("\x1b[2J\x1b[H")
        sys.stdout.flush()

    def leave(self, words: Sequence[bytes]) -> None:
        """EXIT, QUIT"""
        raise Leave

    def connect(self, words: Sequence[bytes]) -> None:
        """CONNECT host port, CONNECT address: the old target is left when the new one is there."""
        from redtool.backends import open_backend
        from redtool.backends.target import parse, resolve

        texts = [word.decode("utf-8", "surrogateescape") for word in words]
        try:
            if len(texts) not in (1, 2):
                raise QuotingError("CONNECT wants a host and a port, or one address")
            target = parse(texts[0]) if len(texts) == 1 else resolve({"host": texts[0], "port": texts[1]}, {})
            if self._is_here(target.path):
                self.say([("facts", f"already on {target.path}\n")])
                return
            with self.interrupts.allow():
                backend = open_backend(target)
        except RedtoolError as error:
            self.complain(error)
            return
        except KeyboardInterrupt:
            raise Interrupted from None
        self.close()
        self._adopt(backend)

    def _is_here(self, path: str) -> bool:
        kept = self.store.persistence if self.store is not None else None
        return kept is not None and bool(path) and os.path.realpath(path) == os.path.realpath(kept.directory)

    # -- printing

    def say(self, pieces: Sequence[tuple[str, str]]) -> None:
        """Print a text of (role, text) pieces."""
        sys.stdout.write(painted(pieces, self.color).encode("utf-8", "replace").decode())
        sys.stdout.flush()

    def complain(self, error: RedtoolError) -> None:
        """Print an error in one line."""
        self.say([("problem", f"(error) {error}\n")])


OWN: dict[bytes, Callable[[Shell, Sequence[bytes]], None]] = {
    b"HELP": Shell.help,
    b"CLEAR": Shell.clear,
    b"EXIT": Shell.leave,
    b"QUIT": Shell.leave,
    b"CONNECT": Shell.connect,
}
