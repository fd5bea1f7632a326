"""CLIENT PAUSE, UNPAUSE: commands, or those that write, are put off for a while. No key expires meanwhile."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.numeric import INT64_MAX, to_int
from redtool.resp import OK
from redtool.session import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.commands.table import Command
    from redtool.resp import Reply
    from redtool.session import Argv, Session
    from redtool.store import Store

command = group("connection")

# Commands that may have to be replicated although they are not flagged as writing.
MAY_WRITE = frozenset({"PUBLISH", "SPUBLISH", "PFCOUNT", "EVAL", "EVALSHA", "FCALL"})


class Pause:
    """A pause until ``end`` (unix ms); ``everything``: of all commands, not only of those that write."""

    def __init__(self, store: Store, end: int, everything: bool) -> None:
        self.store, self.end, self.everything = store, end, everything

    def over(self) -> bool:
        return self.store.clock.ns >= self.end * 1_000_000

    def hold(self, session: Session, command: Command, argv: Argv) -> None:
        """Put a command off, by raising Block, unless it may run. A transaction that has begun to run goes on."""
        if session.deny_block or session in self.store.monitors:
            return
        if self.over():
            self.store.waiting.unpause()
        elif self.everything or self._writes(session, command, argv):
            raise Block((), self.end, object, postponed=True)

    def _writes(self, session: Session, command: Command, argv: Argv) -> bool:
        from redtool.commands.table import find

        if command.name == "EXEC":
            for queued in session.queue or ():
                found = find(queued[0])
                if found is not None and found.subs and len(queued) > 1:
                    found = found.subs.get(queued[1].upper())
                if found is not None and may_write(found, queued):
                    return True
            return False
        return may_write(command, argv)


def may_write(command: Command, argv: Argv) -> bool:
    """Whether a command is held while writing is paused."""
    if command.name == "EVAL" and len(argv) > 1 and argv[1].startswith(b"#!"):
        return b"no-writes" not in argv[1].partition(b"\n")[0]
    return command.name in MAY_WRITE or "write" in command.flags


@command("CLIENT PAUSE timeout [WRITE | ALL]", "admin noscript loading stale", since="3.0.0")
def client_pause(c: Session, timeout: bytes, *mode: bytes) -> Reply:
    """Put off all commands, or those that write, for so many milliseconds.

    > CLIENT PAUSE 1 WRITE
    OK
    """
    word = mode[0].upper() if mode else b"ALL"
    if word not in (b"WRITE", b"ALL"):
        raise errors.PauseMode
    span = to_int(timeout, errors.TimeoutNotInteger)
    if span < 0:
        raise errors.TimeoutNegative
    if span > INT64_MAX - c.now:
        raise errors.TimeoutOutOfRange
    end, everything = c.now + span, word == b"ALL"
    before = c.store.pause
    if before is not None and not before.over():  # the later end and the stricter kind hold
        end, everything = max(end, before.end), everything or before.everything
    if end > c.now:
        c.store.pause = Pause(c.store, end, everything)
        for db in c.store.databases:
            db.held = True
        c.store.review()
    return OK


@command("CLIENT UNPAUSE", "admin noscript loading stale", since="6.2.0", complexity="O(N) paused clients")
def client_unpause(c: Session) -> Reply:
    """End a pause: what was put off runs.

    > CLIENT PAUSE 60000 WRITE
    OK
    > CLIENT UNPAUSE
    OK
    """
    c.store.waiting.unpause()
    return OK
