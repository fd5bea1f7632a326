"""Clients that wait: for data, for a key that is gone, or for the end of a pause."""

from __future__ import annotations

from redtool import errors
from redtool.session import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.resp import Reply
    from redtool.session import Argv, Session
    from redtool.store import Store


class Waiter:
    """A session that waits for data, with the command it will run again."""

    __slots__ = ("argv", "block", "db", "done", "session", "wake")

    def __init__(self, session: Session, argv: Argv, block: Block, wake: Callable[[Reply], None]) -> None:
        self.session, self.argv, self.block, self.wake = session, argv, block, wake
        self.db = session.db
        self.done = False


class Waiting:
    """The waiting clients of a store. Who waits for a key stands in line at its database (``Keyspace.blocked``)."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.postponed: list[Waiter] = []  # commands that CLIENT PAUSE puts off

    def park(self, session: Session, argv: Argv, block: Block, wake: Callable[[Reply], None]) -> Waiter:
        """Let a session wait: ``wake`` gets the reply (or ReplyError) once a key of ``block`` has what it wants."""
        waiter = Waiter(session, block.again or argv, block, wake)
        self._line_up(waiter)
        return waiter

    def park_late(self, session: Session, argv: Argv, block: Block, wake: Callable[[Reply], None]) -> Waiter:
        """The same for who has let go of the store's lock since the command ran: what came meanwhile serves it now."""
        waiter = self.park(session, argv, block, wake)
        self.store.ready += [(waiter.db, key) for key in block.keys if block.gone or key in waiter.db]
        if not self.store.depth:  # else at the end of the script that is slow
            self.serve()
        return waiter

    def _line_up(self, waiter: Waiter) -> None:
        if waiter.block.postponed:
            self.postponed.append(waiter)
        for key in dict.fromkeys(waiter.block.keys):
            waiter.db.blocked.setdefault(key, []).append(waiter)

    def overdue(self, waiter: Waiter) -> None:
        """End a wait whose deadline has passed: with nil, or by running a command that was put off.

        Nothing happens before that: a pause that ended early may have let a command begin to wait for data.
        """
        deadline = waiter.block.deadline
        if waiter.done or deadline is None or self.store.time_ns() < deadline * 1_000_000:
            return
        if waiter.block.postponed:
            self._resume(waiter)
        else:
            self.answer(waiter, waiter.session.no_array)

    def answer(self, waiter: Waiter, reply: Reply) -> None:
        """Answer a command that waits in vain: its time is up, or CLIENT UNBLOCK."""
        self.unpark(waiter)
        waiter.wake(waiter.session.heard(reply))

    def _resume(self, waiter: Waiter) -> None:
        """Run a command that was put off."""
        self.unpark(waiter)
        block = self._again(waiter)
        if block is not None:
            waiter.block, waiter.argv, waiter.done = block, block.again or waiter.argv, False
            self._line_up(waiter)

    def _again(self, waiter: Waiter) -> Block | None:
        """Run the command of one who waits and answer it; what came out of turn, and the end, follow the answer.

        Gives what it waits for when it still has to.
        """
        session = waiter.session
        late: list[Reply] = []
        deliver, on_end = session.deliver, session.on_end
        session.deliver, session.on_end = late.append, None
        reply: Reply
        try:
            reply = self.store.execute(session, waiter.argv)
        except Block as block:
            return block
        except errors.ReplyError as error:
            reply = error
        finally:
            session.deliver, session.on_end = deliver, on_end
        self.unpark(waiter)
        waiter.wake(reply)
        for message in late:
            deliver(message)
        if session.ended and on_end is not None:
            on_end()
        return None

    def unpause(self) -> None:
        """End CLIENT PAUSE: run what was put off, in the order in which it came."""
        self.store.pause = None
        for db in self.store.databases:
            db.held = False
        self.store.review()
        for waiter in list(self.postponed):
            if not waiter.done:  # CLIENT UNPAUSE may be among them
                self._resume(waiter)
        for db in self.store.databases:
            self.store.ready += [(db, key) for key in db.blocked if key in db]

    def unpark(self, waiter: Waiter) -> None:
        """Stop waiting: served, timed out or interrupted."""
        waiter.done = True
        if waiter.block.postponed and waiter in self.postponed:
            self.postponed.remove(waiter)
        for key in dict.fromkeys(waiter.block.keys):
            line = waiter.db.blocked.get(key)
            if line is not None and waiter in line:
                line.remove(waiter)
                if not line:
                    del waiter.db.blocked[key]

    def serve(self) -> None:
        """Run the commands of those who wait for keys that got data, in the order in which they came.

        They run inside the command that brought the data: what they change is served in the loop here, not nested,
        or a command could be served twice.
        """
        while self.store.ready:
            db, key = self.store.ready.pop(0)
            for waiter in list(db.blocked.get(key, ())):
                if waiter.done or (type(db.peek(key)) is not waiter.block.kind and not waiter.block.gone):
                    continue  # a key of another type wakes nobody, and is no error, except for a consumer group
                self.store.serving = True
                try:
                    self._again(waiter)
                finally:
                    self.store.serving = False
