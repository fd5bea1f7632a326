"""The command table as one store runs it: each command with its handler and bounds at hand, and its statistics."""

from __future__ import annotations

from time import time_ns

from redtool import errors
from redtool.commands import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from redtool.session import Argv, Session

UNIT, QUICK = 10, 16  # calls below 16 << 10 ns are counted by the unit of 1 << 10 ns
# What journals may hold beside what is flagged as writing.
TOLD = frozenset({"EVAL", "EVALSHA", "FCALL", "PFCOUNT", "SCRIPT LOAD", "SCRIPT FLUSH"})
NOT_QUEUED = frozenset({"EXEC", "DISCARD", "MULTI", "WATCH", "QUIT", "RESET"})
SCRIPTS = frozenset({"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"})


class Entry:
    """A command as one store runs it: handler and bounds at hand, and its statistics."""

    __slots__ = ("command", "failed", "flags", "handler", "high", "long", "low", "ns", "quick", "rejected", "renamed",
                 "skip", "subs", "write")  # fmt: skip

    def __init__(self, command: table.Command) -> None:
        self.command = command
        self.skip = command.skip
        self.handler: Any = command.handler
        self.low, self.high = command.low, command.high
        self.flags = command.flags
        self.write = "write" in self.flags
        self.subs: dict[bytes, Entry] | None = None if command.subs is None else {}
        self.renamed = False
        self.reset()

    def rename(self) -> None:
        """Journal the command by its own name, whatever it is called: the journal is read without the configuration."""
        self.renamed = True
        run, words = self.command.handler, self.command.name.encode().split()

        def renamed(session: Session, *args: bytes) -> Any:
            before = session.store.changes
            reply = run(session, *args)  # type: ignore[misc]
            if session.effects is None and session.store.changes != before:
                session.journal(*words, *args)
            return reply

        if run is not None:
            self.handler = renamed

    def reset(self) -> None:
        """Set the statistics to zero: time spent, errors, and calls by how long each took.

        ``quick`` counts calls of less than 16 times 1024 ns by that unit, ``long`` the others by the bits of their ns.
        """
        self.ns = self.failed = self.rejected = 0
        self.quick = [0] * QUICK
        self.long = [0] * 64

    def count(self, took: int) -> None:
        """Count a call that took so many ns."""
        if took < QUICK << UNIT:
            self.quick[took >> UNIT] += 1
        else:
            self.long[took.bit_length()] += 1

    @property
    def calls(self) -> int:
        return sum(self.quick) + sum(self.long)

    def histogram(self) -> list[tuple[int, int, int]]:
        """(least ns, ns that it stayed below, calls), in order, where there were any."""
        found = [(at << UNIT, (at + 1) << UNIT, calls) for at, calls in enumerate(self.quick) if calls]
        return found + [(1 << bits >> 1, 1 << bits, calls) for bits, calls in enumerate(self.long) if calls]


class Entries:
    """The entries that were looked up so far.

    ``plain`` maps a name as it is typed, in capitals or small, to what may run at once. ``slowly`` has what never does:
    containers, whose subcommand comes first, and scripts, which may have to run elsewhere. ``renames`` maps names of
    commands to those they go by instead, "" for none.
    """

    __slots__ = ("loading_ns", "names", "newest", "plain", "slowly")

    def __init__(self, renames: Mapping[str, str] | None = None) -> None:
        self.newest: Entry | None = None  # the latest new command, and how long its code took to load
        self.loading_ns = 0
        self.plain: dict[bytes, Entry] = {}
        self.slowly: dict[bytes, Entry] = {}
        self.names: dict[bytes, bytes] = {}  # name -> that in the table, "" for none
        if renames:
            self.names = {old.encode(): b"" for old in renames}
            self.names |= {new.encode("utf-8", "surrogateescape"): old.encode() for old, new in renames.items() if new}

    def counted(self) -> Iterator[Entry]:
        """The entries of all commands and subcommands that were looked up, each once: their statistics."""
        slowly = [each for entry in self.slowly.values() for each in (entry, *(entry.subs or {}).values())]
        found = {id(entry): entry for entry in (*self.plain.values(), *slowly)}
        yield from (entry for entry in found.values() if entry.subs is None)

    def find(self, argv: Argv) -> Entry:
        """The entry of a command seen for the first time, in this spelling."""
        name = argv[0].upper()
        entry = self.plain.get(name) or self.slowly.get(name)
        if entry is None:
            started = time_ns()
            true_name = self.names.get(name, name)
            command = table.find(true_name)
            if command is None:
                raise _unknown(argv)
            entry = Entry(command)
            if true_name != name:
                entry.rename()
            self.newest, self.loading_ns = entry, time_ns() - started
        if entry.subs is not None or entry.command.name in SCRIPTS:
            self.slowly[name] = entry  # resolved word by word, so never found by the first alone; or may run apart
            return entry
        self.plain[name] = entry
        if argv[0] == name.lower():
            self.plain[argv[0]] = entry
        return entry

    def resolve(self, argv: Argv) -> Entry:
        """The entry of a whole command."""
        entry = self.find(argv)
        return entry if entry.subs is None or len(argv) < 2 else self.subcommand(entry, argv)

    def subcommand(self, entry: Entry, argv: Argv) -> Entry:
        assert entry.subs is not None
        word = argv[1].upper()
        found = entry.subs.get(word)
        if found is None:
            command = (entry.command.subs or {}).get(word)
            if command is None:
                entry.rejected += 1
                raise errors.UnknownSubcommand(_text(argv[1].partition(b"\0")[0])[:128], entry.command.name)
            found = entry.subs[word] = Entry(command)
            if entry.renamed:
                found.rename()
        return found


class Journalled(Entries):
    """The entries while a journal is replayed: what leaves the data alone is left out.

    Files, clients, the process and other servers are no business of a journal's, whoever wrote it. A command goes by
    its own name, too: servers journal it by the other one.
    """

    __slots__ = ()

    def __init__(self, renames: Mapping[str, str] | None = None) -> None:
        super().__init__(renames)
        self.names = {name: known for name, known in self.names.items() if known}

    def find(self, argv: Argv) -> Entry:
        entry = super().find(argv)
        if entry.subs is None:
            _spare(entry)
        return entry

    def subcommand(self, entry: Entry, argv: Argv) -> Entry:
        found = super().subcommand(entry, argv)
        _spare(found)
        return found


def _spare(entry: Entry) -> None:
    """Leave the command out, except in a script, if no journal has a use for it."""
    command, run = entry.command, entry.command.handler
    if run is None or command.name in TOLD or (entry.write and command.name != "MIGRATE"):
        return

    def left_out(session: Session, *args: bytes) -> Any:
        if session.caller is not None:
            return run(session, *args)
        raise errors.LeftOut

    entry.handler = left_out


def lower(name: str) -> str:
    return name.lower().replace(" ", "|")


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def _unknown(argv: Argv) -> errors.UnknownCommand:
    """The real server's wording: up to 128 bytes of arguments, quoted, a space behind each; a zero byte ends a word."""
    shown = b""
    for word in argv[1:]:
        if len(shown) >= 128:
            break
        shown += b"'%b' " % word[: 128 - len(shown)].partition(b"\0")[0]
    return errors.UnknownCommand(_text(argv[0][:128].partition(b"\0")[0]), _text(shown))
