"""Commands off the plain path (``Session.guarded``): what stands against one, and what is done around it."""

from __future__ import annotations

from redtool import errors
from redtool.entries import NOT_QUEUED, SCRIPTS, lower

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from redtool.entries import Entry
    from redtool.resp import Reply
    from redtool.session import Argv, Session
    from redtool.store import Store


def refusal(store: Store, session: Session, entry: Entry, argv: Argv) -> errors.ReplyError | None:
    """Why a command of this client is refused now, looked at in the order in which a server does; None: it is not."""
    flags = entry.flags
    if not session.authenticated and "no_auth" not in flags:
        return errors.NoAuth()
    if session.queue is not None and "no_multi" in flags and entry.command.name not in NOT_QUEUED:
        return errors.NotInMulti()
    if session.user is not None and not session.user.unlimited:
        denied = session.user.refusal(session, entry.command, argv)
        if denied is not None:
            return denied
    if store.full and store.eviction is not None and store.eviction.refuses(session, entry, argv):
        return errors.OutOfMemory()
    failure = store.disk_failure()
    if failure is not None and _concerns(store, failure, session, entry):
        return failure
    if session.proto == 2 and not session.deny_block and session.listens:
        from redtool.commands.pubsub import ALLOWED

        if entry.command.name not in ALLOWED:
            return errors.OnlyListening(lower(entry.command.name))
    if store.busy and "allow_busy" not in flags and session.caller is None:
        return store.busy_error()
    # A monitor is kept from keys, as a server does it; inside this process there may be no other client.
    if session in store.monitors and session.peer[2] >= 0 and not flags.isdisjoint(("write", "readonly")):
        return errors.MonitorsReadNothing()
    return None


def _concerns(store: Store, failure: errors.ReplyError, session: Session, entry: Entry) -> bool:
    """Whether a failure of the disk stands against this command: a write, an EXEC of one, and PING, to be noticed."""
    if entry.command.name == "EXEC" and session.queue:
        return any(store.entries.resolve(argv).write for argv in session.queue)
    return entry.write or (entry.command.name == "PING" and failure.code == "MISCONF")


def reject(session: Session, entry: Entry, reason: errors.ReplyError) -> NoReturn:
    """Refuse a command. A refused EXEC ends the transaction, and says so."""
    entry.rejected += 1
    if entry.command.name != "EXEC":
        raise reason
    from redtool.commands.transactions import leave

    leave(session)
    raise errors.ExecAbortBecause(reason.message.removeprefix("ERR "))


def show(session: Session, entry: Entry, argv: Argv) -> None:
    """Tell MONITOR of a command, unless it is of the kind that is kept from it or had waited."""
    from redtool.commands import monitor

    script = entry.command.name in SCRIPTS
    if script or ("skip_monitor" not in entry.flags and "admin" not in entry.flags and not session.store.serving):
        monitor.show(session, argv)


def untouched(session: Session, entry: Entry, argv: Argv) -> Reply:
    """Run a command of a client that leaves access times alone (CLIENT NO-TOUCH)."""
    databases, before = session.store.databases, session.db.still
    for db in databases:
        db.still = entry.command.name != "TOUCH"
    try:
        reply: Reply = entry.handler(session, *argv[entry.skip :])
        return reply
    finally:
        for db in databases:
            db.still = before
