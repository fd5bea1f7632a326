"""The embedded store as a backend: a directory (or memory, or a dump) opened by this process.

``execute`` is safe to call from several threads; a command that waits holds nothing while it waits.
"""

from __future__ import annotations

import os
from _thread import RLock

from redtool import errors
from redtool.backends import default_store, is_dump, to_bytes
from redtool.commands import table
from redtool.config import Config
from redtool.resp import Push
from redtool.server.place import forget_socket, has_socket
from redtool.session import Block, Ended, Session
from redtool.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from threading import Event

    from redtool.backends.attached import Attached
    from redtool.backends.guest import Guest
    from redtool.backends.sharing import Sharing
    from redtool.persistence import Persistence
    from redtool.resp import Reply
    from redtool.session import Argv
    from redtool.waiting import Waiter

Word = bytes | str | int | float

LOCK_WAIT = 5.0  # seconds to wait for another owner before giving up
HAND_OVER = 0.0005  # seconds for which a slow script lets other threads in
SLICE_PAUSE, BUSY_PAUSE = 0.001, 0.02  # seconds between two slices of a snapshot, and looks whether one is wanted
FIRST_PAUSE, LONGEST_PAUSE = 0.0005, 0.02  # seconds between tries to open a store that somebody has open
LISTEN_PAUSE = 0.02  # seconds between looks for messages while subscribed


class Embedded:
    """A store opened by this process, with one session of its own."""

    remote = False

    def __init__(self, store: Store, name: str, persistence: Persistence | None = None) -> None:
        self.store, self.name, self.persistence = store, name, persistence
        self.session = Session(store)
        self._lock = store.lock
        self.closed = False
        self.guests: set[Guest] = set()
        self._sharing: Sharing | None = None
        self.stop_asked: Callable[[], bool] = _never  # looked at while a command waits; True: KeyboardInterrupt
        store.breathe = self._breathe
        if persistence is not None:
            persistence.on_slices = self._help

    @property
    def db(self) -> int:
        return self.session.db.index

    @property
    def in_multi(self) -> bool:
        return self.session.queue is not None

    def execute(self, *argv: Word) -> Reply:
        """Run one command. Words may be bytes, str (UTF-8), int or float; raises ReplyError."""
        try:
            words = [w if type(w) is bytes else w.encode() if type(w) is str else to_bytes(w) for w in argv]
        except UnicodeEncodeError:  # bytes that were no UTF-8 when the shell or the host program read them
            words = [to_bytes(word) for word in argv]
        if not words:
            raise errors.UsageError("no command given")
        store = self.store
        replies: list[Reply] = []
        with self._lock:
            if self.closed:
                raise errors.StoreError("the store is closed")
            try:
                store.run(self.session, (words,), replies)
            except Block as block:
                waiting = block
            except Ended:
                self._renew()
                return self.execute(*argv)
            finally:
                if store.journal is not None and store.journal.pending and not store.guard:
                    store.flush()
        if not replies:
            return self._wait(words, waiting)
        if isinstance(replies[0], errors.ReplyError):
            raise replies[0]
        return replies[0]

    def speak(self, proto: int) -> None:
        """Have replies in the shapes of RESP2 or RESP3."""
        self.session.switch(proto)

    def _renew(self) -> None:
        """Begin a new session where one was ended (QUIT, CLIENT KILL), as a client that connects again."""
        self.session.close()
        self.session = Session(self.store)

    def _wait(self, argv: Argv, block: Block) -> Reply:
        """Wait until another thread's command serves this one, or the deadline passes."""
        from threading import Event

        self.share()
        event, box = Event(), []

        def wake(reply: Reply) -> None:
            box.append(reply)
            event.set()

        with self._lock:
            waiter = self.store.waiting.park_late(self.session, argv, block, wake)
        stopped: BaseException | None = None
        try:
            self._until(event, waiter)
        except BaseException as error:  # Ctrl-C; a journal that cannot be written
            stopped = error
        with self._lock:
            if not event.is_set():
                self.store.waiting.unpark(waiter)
            if self.store.unflushed():
                self.store.flush()
        if stopped is not None and not box:
            raise stopped  # what has been served meanwhile is not lost
        if isinstance(box[0], errors.ReplyError):
            raise box[0]
        return box[0]

    def _until(self, event: Event, waiter: Waiter) -> None:
        """Wait until the waiter is served or its time is up, keeping house."""
        while not event.is_set():
            deadline = waiter.block.deadline
            left = 0.1 if deadline is None else (deadline * 1_000_000 - self.store.time_ns()) / 1e9
            if left > 0:
                if self.stop_asked():
                    raise KeyboardInterrupt
                event.wait(min(left, 0.1))
            self.look_after(waiter)

    def look_after(self, waiter: Waiter) -> None:
        """What is to be done from time to time while a command waits. Raises StoreError when it waits in vain."""
        with self._lock:
            if self.closed:
                raise errors.StoreError("the store is closed")
            if waiter.session.ended:
                raise errors.StoreError("the session was closed by CLIENT KILL")
            self.store.waiting.overdue(waiter)
            self.store.tick()

    def _breathe(self, slow: bool) -> None:
        """While a script runs on: notice Ctrl-C, and once it is slow let other threads in for a moment."""
        if self.stop_asked():
            raise KeyboardInterrupt
        if slow:
            from time import sleep

            held = self._lock._release_save()  # type: ignore[attr-defined]
            try:
                sleep(HAND_OVER)
            finally:
                self._lock._acquire_restore(held)  # type: ignore[attr-defined]
        if self.closed:
            raise errors.StoreError("the store is closed")

    def only_reads(self, argv: tuple[bytes, ...]) -> bool:
        """Whether KeyboardInterrupt may strike anywhere in this command, if ``repair`` is called then."""
        found = table.find(argv[0])
        if found is not None and found.subs and len(argv) > 1:
            found = found.subs.get(argv[1].upper())
        if found is None:
            return False
        return "readonly" in found.flags or (found.name == "SORT" and b"STORE" not in {word.upper() for word in argv})

    def repair(self) -> None:
        """Put right what an interrupt in the middle of a command that only reads may have left half done."""
        with self._lock:
            self.store.repair()

    def pipeline(self, batch: Sequence[Sequence[object]], stop: bool = False) -> list[Reply]:
        """Run commands in order; an error is a value in the list. The journal is written once, at the end.

        Words are what ``execute`` takes. Fewer replies than commands come: see ``batch``.
        """
        if not all(batch):
            raise errors.UsageError("no command given")
        return self.batch([[w if type(w) is bytes else to_bytes(w) for w in argv] for argv in batch], stop)

    def batch(self, batch: Sequence[Argv], stop: bool = False) -> list[Reply]:
        """The same, for who has words as bytes and nothing else: they are not looked at.

        Gives fewer replies than commands when ``stop`` ends it at an error, after a command that ends the session,
        or before a command that must wait unless that is the first, which is waited for.
        """
        replies: list[Reply] = []
        waiting = self.run(batch, replies, stop)
        if waiting is None or replies:
            return replies
        try:
            return [self._wait(tuple(batch[0]), waiting)]
        except errors.ReplyError as error:
            return [error]

    def run(self, batch: Sequence[Argv], replies: list[Reply], stop: bool = False) -> Block | None:
        """Run commands and append their replies, up to one that must wait: gives for what. Waits for nothing."""
        with self._lock:
            if self.closed:
                raise errors.StoreError("the store is closed")
            if self.session.ended:
                self._renew()
            try:
                self.store.run(self.session, batch, replies, stop)
            except Ended:
                pass
            except Block as block:
                return block
            finally:
                if self.store.unflushed():
                    self.store.flush()
        return None

    def commands(self) -> Mapping[bytes, table.Command]:
        """The whole command table."""
        return table.load_all()

    @property
    def listening(self) -> bool:
        """Whether messages come: there are subscriptions, or MONITOR runs."""
        return self.session.listens or self.session in self.store.monitors

    def messages(self) -> Iterator[Push]:
        """What came out of turn, MONITOR's lines as [b"monitor", line]; waits for more while the session listens."""
        from time import sleep

        if self.listening:
            self.share()
        while True:
            yield from self.arrived()
            if self.closed or not self.listening:
                return
            if self.stop_asked():
                raise KeyboardInterrupt
            sleep(LISTEN_PAUSE)
            self.tick()

    def arrived(self) -> Iterator[Push]:
        """The same, of what has come; waits for nothing."""
        inbox = self.session.inbox
        while inbox:
            message = inbox.popleft()
            yield message if isinstance(message, Push) else Push([b"monitor", message])

    def stop_listening(self) -> None:
        """End subscriptions and MONITOR, and forget what has come of them."""
        with self._lock:
            self.store.silence(self.session)
            self.session.review()
            self.session.inbox.clear()

    def tick(self) -> None:
        """Housekeeping while idle: expiry, the journal's sync, finished background saves."""
        with self._lock:
            self.store.tick()
            self.store.thaw()
            if self.persistence is not None:
                self.persistence.idle()

    def _help(self) -> None:
        """Have a thread write on at a snapshot in slices: nobody may call anything for a while."""
        from threading import Thread

        try:
            Thread(target=self._write_on, name="redtool-slices", daemon=True).start()
        except RuntimeError:  # no more threads, or the interpreter ends: commands write it, and closing
            return

    def _write_on(self) -> None:
        """Write slices as long as no command does: each that ran for a while writes one, too."""
        from time import sleep

        before = 0
        while True:
            with self._lock:
                if self.closed or self.persistence is None or not self.persistence.slicing:
                    return
                idle = self.persistence.job.keys == before  # type: ignore[union-attr]
                if idle:
                    self.persistence.poll()
                before = self.persistence.job.keys if self.persistence.job is not None else 0
            sleep(SLICE_PAUSE if idle else BUSY_PAUSE)

    def share(self) -> None:
        """Let other processes use the store from now on, through its socket, as far as that is possible."""
        if self._sharing is None and self.persistence is not None and not self.closed:
            from redtool.backends.sharing import share

            self._sharing = share(self.persistence)

    @property
    def socket(self) -> str:
        """The path of the socket on which the store is served to clients of any kind; "" where it is not."""
        return self._sharing.path if self._sharing is not None else ""

    def client(self) -> Guest:
        """Another client of the same store: with a database, transactions and subscriptions of its own."""
        from redtool.backends.guest import Guest

        return Guest(self)

    def close(self) -> None:
        """Sync and close the store's files. Safe to call twice."""
        sharing, self._sharing = self._sharing, None
        if sharing is not None:
            sharing.stop()
        with self._lock:
            if self.closed:
                return
            self.closed = True
            for guest in self.guests:
                guest.closed = True
            if self.persistence is not None:
                if self.store.full and self.store.eviction is not None:
                    self.store.eviction.catch_up()
                self.persistence.close()

    def disown(self) -> None:
        """Be closed in a process that was forked while the store was open: it is its parent's, who goes on with it."""
        if self.closed:
            return
        self._lock = self.store.lock = RLock()  # another thread may have held it
        self.closed = True
        for guest in self.guests:
            guest.closed, guest._lock = True, self._lock
        sharing, self._sharing = self._sharing, None
        if sharing is not None:
            sharing.disown()
        if self.persistence is not None:
            self.persistence.disown()

    def __enter__(self) -> Embedded:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_store(path: str | os.PathLike[str] | None = None, *, warn: Callable[[str], None] | None = None,
               wait: float = LOCK_WAIT, fork: bool = False, share: bool = True) -> Embedded | Attached:  # fmt: skip
    """Open a store directory, creating it when missing; ``":memory:"`` keeps nothing, an ``.rdb`` file is read-only.

    A store that another process has open is used through that one, for as long as it has it. ``wait`` is how many
    seconds to wait for an owner that serves nobody (StoreLocked after that), ``warn`` gets warnings such as a torn
    journal tail, ``fork`` allows background saves to fork this process (never inside a threaded host program),
    ``share`` lets others in while it is open. Raises StoreError, CorruptFile.
    """
    text = default_store() if path is None else os.fspath(path)
    if not text:
        raise errors.UsageError("the path of the store is empty")  # an unset variable, most often
    if text == ":memory:":
        return Embedded(Store(Config()), "memory")
    if is_dump(text):
        from redtool.dumps import open_dump

        return Embedded(open_dump(text, warn), os.path.basename(text))
    usual = path is None and not os.environ.get("REDTOOL_STORE")
    name = "default" if usual else os.path.basename(os.path.abspath(text))

    def own() -> Embedded:
        from redtool.persistence import Persistence

        persistence = Persistence.open(text, warn=warn, wait=0, fork=fork)
        store = Embedded(persistence.store, name, persistence)
        if not fork:
            from redtool.backends.forked import note

            note(store)
        if share:
            store.share()
        else:
            forget_socket(text)
        return store

    def attach() -> Attached | None:
        if not has_socket(text):
            return None  # without a need not even imported
        from redtool.backends.attached import Attached

        attached = Attached(os.path.abspath(text), name, own, wait)
        if not fork:
            from redtool.backends.forked import note

            note(attached)
        return attached if attached.attach() else None

    return first(own, attach, wait)


def first(own: Callable[[], Embedded], attach: Callable[[], Attached | None], wait: float) -> Embedded | Attached:
    """Become the owner of a store or attach to it, whichever is possible first.

    StoreLocked when one and the same process has it for ``wait`` seconds: in a crowd of short commands each comes
    to its turn, however long the line is.
    """
    from time import monotonic, sleep

    until, pause, owner = 0.0, FIRST_PAUSE, ""
    while True:
        try:
            return own()
        except errors.StoreLocked as error:
            attached = attach()
            if attached is not None:
                return attached
            if owner != str(error):
                until, owner = monotonic() + wait, str(error)
            if monotonic() >= until:
                raise
        sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _never() -> bool:
    return False
