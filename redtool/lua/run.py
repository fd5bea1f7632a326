"""One script at work: the session it has, what it may call, and how it is stopped."""

from __future__ import annotations

from sys import maxsize
from time import monotonic_ns

from redtool import errors
from redtool.commands import table
from redtool.entries import SCRIPTS
from redtool.lua.faults import CallError, number_text
from redtool.lua.replies import message, to_lua, weight
from redtool.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from redtool.lua.machine import Machine, Value
    from redtool.resp import Reply
    from redtool.session import Argv

LOOK_NS = 10_000_000  # how long a script runs before it looks whether it is to stop
SMALL = 256  # bytes of a string that always fits

NO_WORDS = b"ERR Please specify at least one argument for this redis lib call"
BAD_WORD = b"ERR Lua redis lib command arguments must be strings or integers"
UNKNOWN = b"ERR Unknown Redis command called from script"
WRONG_COUNT = b"ERR Wrong number of args calling Redis command from script"
NOT_ALLOWED = b"ERR This Redis command is not allowed from script"
NO_WRITES = b"ERR Write commands are not allowed from read-only scripts."
KILLED = b"ERR Script killed by user with %b KILL..."
NEVER = SCRIPTS | {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR"}  # not even where DEBUG allows all others
SPREAD = frozenset({"PUBLISH", "SPUBLISH"})  # what replicas get too


class Run:
    """A script that runs for a client.

    ``name`` is its SHA1, or the function's name; ``argv`` the command that started it; ``roomy``: allow-oom.
    """

    def __init__(self, machine: Machine, caller: Session, argv: Argv, name: bytes, *, function: bool = False,
                 reads: bool = False, roomy: bool = False) -> None:  # fmt: skip
        self.machine, self.caller, self.store = machine, caller, caller.store
        self.argv, self.name, self.function, self.reads = argv, name, function, reads
        self.session = session = Session(caller.store, caller)
        session.db, session.deny_block, session.peer = caller.db, True, caller.peer
        session.cramped = caller.store.cramped and not roomy
        self.started = 0
        self.wrote = False
        self.kill = b""

    # -- commands

    def words(self, args: Sequence[Value]) -> list[bytes]:
        """A command's words from a script's arguments."""
        if not args:
            raise CallError(NO_WORDS)
        found: list[bytes] = []
        for value in args:
            kind = type(value)
            if kind is bytes:
                found.append(value)  # type: ignore[arg-type]
            elif kind is int:
                found.append(b"%d" % value)  # type: ignore[str-format]
            elif kind is float:
                found.append(number_text(value, 17))  # type: ignore[arg-type]
            else:
                raise CallError(BAD_WORD)
        return found

    def call(self, args: Sequence[Value]) -> Any:
        """Run a command for the script; raises CallError."""
        argv = self.words(args)
        try:
            use = USES.get(argv[0]) or use_of(argv, self.store.entries.names)
            self.admit(use, argv)
        except CallError as error:
            error.counted = True
            codes = self.store.error_codes
            codes["ERR"] = codes.get("ERR", 0) + 1
            raise
        if use.writes:
            self.wrote = True
        replies: list[Reply] = []
        self.store.run(self.session, (argv,), replies)
        reply = replies[0]
        if self.session.cramped and use.writes and type(reply) is not errors.OutOfMemory:
            self.session.cramped = False  # what it has begun it may end
        kind = type(reply)
        if kind is int or (kind is bytes and len(reply) < SMALL) or reply is None:  # type: ignore[arg-type]
            return to_lua(self.machine, reply, self.session.proto)
        if isinstance(reply, errors.ReplyError):
            raise CallError(message(reply), counted=True)
        self.machine.room(weight(reply))
        return to_lua(self.machine, reply, self.session.proto)

    def admit(self, use: Use, argv: Argv) -> None:
        """Refuse what a script may not call, or not so; raises CallError."""
        if not use.low <= len(argv) <= use.high:
            raise CallError(WRONG_COUNT)
        if use.refused and (self.store.deny_scripts or use.command.name in NEVER):
            raise CallError(NOT_ALLOWED)
        if use.writes and self.reads:
            raise CallError(NO_WRITES)

    # -- time

    def tick(self) -> bytes | None:
        """Called every so many instructions: why the script must end, or None. A slow one lets other clients in."""
        if self.kill:
            return self.kill
        took = monotonic_ns() - self.started
        if took < LOOK_NS:
            return None
        store = self.store
        limit = store.config["busy-reply-threshold"]
        slow = 0 < limit * 1_000_000 < took
        if slow and not self.session.db.lazy:  # loading: nobody could kill it
            raise errors.RunsOn(limit)
        if slow and not store.busy:
            store.busy = True
            store.review()
        if store.breathe is not None:
            store.breathe(slow)
        return self.kill or None

    @property
    def took_ms(self) -> int:
        """For how long it has been running."""
        return (monotonic_ns() - self.started) // 1_000_000

    def stop(self) -> None:
        """SCRIPT KILL and FUNCTION KILL: end it at the next look. Raises what forbids that."""
        if self.wrote:
            raise errors.Unkillable
        self.kill = KILLED % (b"FUNCTION" if self.function else b"SCRIPT")

    def over(self) -> None:
        """The script has ended."""
        if self.store.busy:
            self.store.busy = False
            self.store.review()


class Use:
    """What of a command decides whether a script may call it."""

    __slots__ = ("command", "high", "low", "refused", "writes")

    def __init__(self, command: table.Command) -> None:
        flags = command.flags
        self.command = command
        self.low = command.low
        self.high = command.high if command.high == command.low else maxsize  # beyond it the handler refuses
        self.refused = "noscript" in flags
        self.writes = "write" in flags or command.name in SPREAD


USES: dict[bytes, Use] = {}  # of the commands that have no subcommands, as they were spelled


def use_of(argv: Argv, names: Mapping[bytes, bytes]) -> Use:
    """Find a command, which may have been given another name; raises CallError for none."""
    name = names.get(argv[0].upper(), argv[0]) if names else argv[0]
    command = table.find(name)
    if command is not None and command.subs is not None:
        if len(argv) < 2:
            raise CallError(WRONG_COUNT)
        command = command.subs.get(argv[1].upper())
        if command is not None:
            return Use(command)
    if command is None:
        raise CallError(UNKNOWN)
    found = Use(command)
    if name is argv[0]:
        USES[name] = found
    return found
