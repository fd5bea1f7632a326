"""A thread for scripts, so that one that runs for ever does not keep the server from saying so.

The event loop waits for a script as it would for any command, but no longer than busy-reply-threshold. The thread holds
the lock that every use of the store takes, and hands it over now and then once the script is slow: others are answered
BUSY, and SCRIPT KILL gets through.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Event, Lock, RLock, Thread, get_ident
from time import sleep
from typing import TYPE_CHECKING

from redtool import errors
from redtool.resp import NO_REPLY
from redtool.session import Ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.resp import Reply
    from redtool.session import Argv, Session
    from redtool.store import Store

    Later = Callable[[Callable[[Reply], None], Reply], object]

HAND_OVER = 0.0005  # seconds for which a slow script lets other clients in


class Job:
    """A script to run: for whom, what, and who takes the reply."""

    __slots__ = ("argv", "awaited", "back", "done", "mutex", "reply", "session")

    def __init__(self, session: Session, argv: Argv, back: Callable[[Reply], None]) -> None:
        self.session, self.argv, self.back = session, argv, back
        self.done, self.mutex = Event(), Lock()
        self.awaited = True  # False: the event loop has gone on
        self.reply: Reply = NO_REPLY


class Apart:
    """The thread, started by the first script, and the lock."""

    def __init__(self, store: Store, later: Later) -> None:
        self.store, self.later = store, later
        self.lock = RLock()
        self.home = get_ident()  # the thread of the event loop
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        store.apart, store.breathe = self.wanted, self.breathe

    def wanted(self) -> bool:
        """Whether a script that is about to start here belongs into the thread."""
        return get_ident() == self.home

    def run(self, session: Session, argv: Argv, back: Callable[[Reply], None]) -> tuple[bool, Reply]:
        """Run a script: (True, its reply), or when it takes long (False, None), and ``back`` gets the reply later."""
        if self._thread is None:
            self._thread = Thread(target=self._work, name="redtool-script", daemon=True)
            self._thread.start()
        job = Job(session, argv, back)
        self._jobs.put(job)
        limit = self.store.config["busy-reply-threshold"]
        job.done.wait(limit / 1000 if limit else None)
        with job.mutex:
            job.awaited = False
            return job.done.is_set(), job.reply if job.done.is_set() else None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            replies: list[Reply] = []
            try:
                with self.lock:
                    self.store.run(job.session, (job.argv,), replies)
                    job.reply = replies[0]
            except Ended:
                job.reply = NO_REPLY
            except BaseException as error:  # whatever it is, the client gets an answer
                job.reply = errors.ReplyError(f"ERR the script failed: {error}")
            with job.mutex:
                job.done.set()
                if not job.awaited:
                    self.later(job.back, job.reply)

    def breathe(self, slow: bool) -> None:
        """Called in the thread while a script runs: let other clients in when it is slow."""
        if slow:
            self.lock.release()
            sleep(HAND_OVER)
            self.lock.acquire()

    def close(self) -> None:
        """End the thread once it has nothing to do."""
        self._jobs.put(None)
        self.store.apart = self.store.breathe = None
