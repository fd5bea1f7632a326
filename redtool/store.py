"""Store: keyspaces + command table + journal. ``run`` is the one choke point of every command."""

from __future__ import annotations

from _thread import RLock
from sys import modules
from time import time_ns

from redtool import errors
from redtool.commands import table
from redtool.config import DEFAULTS, SIZES
from redtool.engine.clock import Clock
from redtool.engine.keyspace import Keyspace
from redtool.entries import NOT_QUEUED, QUICK, SCRIPTS, UNIT, Entries, Entry, lower
from redtool.resp import QUEUED
from redtool.session import Block, Ended, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random
    from typing import Any

    from redtool.acl import Acl, User
    from redtool.commands.latency import Event
    from redtool.commands.pause import Pause
    from redtool.commands.pubsub import Hub
    from redtool.commands.slowlog import Log
    from redtool.commands.tracking import Trackers
    from redtool.config import Config
    from redtool.eviction import Eviction
    from redtool.lua.scripts import Scripts
    from redtool.persist.aof import Journal
    from redtool.persistence import Persistence
    from redtool.resp import Reply
    from redtool.session import Argv
    from redtool.waiting import Waiting

CRON_NS = 100_000_000  # how often commands pay for a round of housekeeping
NEVER = 1 << 63
SLOW_NS = 10_000_000  # the usual slowlog-log-slower-than
WATCHED = ("latency-monitor-threshold", "lfu-decay-time", "lfu-log-factor", "maxmemory", "maxmemory-policy",
           "notify-keyspace-events", "requirepass", "slowlog-log-slower-than")  # fmt: skip


class Store:
    """Databases, the command table as this store runs it, and the journal.

    ``changes`` counts alterations since opening. ``time_ns`` may be replaced by tests.
    """

    __slots__ = ("_group", "_next_cron", "_queued", "_rng", "_waiting", "acl", "active_expire", "breathe",
                 "busy", "changes", "clock", "config", "config_path", "counts", "current", "databases", "default_user",
                 "deny_scripts", "depth", "entries", "error_codes", "events", "evicted", "eviction", "expired",
                 "expired_fields", "full", "functions", "guard", "guarded", "hits", "hub", "journal", "latency",
                 "limit", "lock", "log", "logs", "may_debug", "metered", "misses", "monitors",
                 "net_in", "net_out", "observed", "on_shutdown", "pause", "peak_memory", "persistence", "quick",
                 "ready", "sample", "scripts", "serving", "sessions", "sessions_before", "sessions_opened", "slow_ns",
                 "started", "time_ns", "touched", "trackers")  # fmt: skip

    def __init__(self, config: Config, time_ns: Callable[[], int] = time_ns) -> None:
        self.config = config
        self.lock = RLock()  # held by whoever uses the store, where several threads do
        self.time_ns = time_ns
        self.clock = Clock()
        self.clock.ns = self.started = time_ns()
        self.databases = [Keyspace(i, self.clock) for i in range(config["databases"])]
        for db in self.databases:
            db.on_expired = self._expired
            db.on_fields_expired = self._fields_expired
        self.entries = Entries(self.config.renames)
        self._queued = Entry(table.Command("QUEUED", "QUEUED", _queued, "", "", "", ""))
        self.journal: Journal | None = None
        self.functions: list[bytes] = []
        self.persistence: Persistence | None = None  # None: nothing is kept
        self.config_path: str | None = None
        self.on_shutdown: Callable[[bool], None] | None = None  # a server's way to stop; told whether to save nothing
        self.log: Callable[[int, bytes], object] | None = None  # a server's: level (0 to 3) and text
        self.may_debug: Callable[[Session], bool] | None = None  # whether DEBUG is for a client; None: for all
        self._rng: Random | None = None
        self.changes = self.hits = self.misses = self.expired = self.expired_fields = self.evicted = 0
        self.limit = 0  # maxmemory in force: bytes, 0 for none
        self.eviction: Eviction | None = None  # what keeps to it
        self.full = False  # there is more than that: before each command it is tried to make room
        self.error_codes: dict[str, int] = {}  # error replies by their first word
        self.sessions: dict[int, Session] = {}  # the clients, by number
        self.default_user: User | None = None  # None: new clients may do everything
        self.acl: Acl | None = None  # None: there is the default user alone, without limits
        self.hub: Hub | None = None  # None: nobody has ever subscribed
        self.trackers: Trackers | None = None  # None: nobody uses CLIENT TRACKING
        self.events = 0  # which keyspace events are published: bits of notify-keyspace-events
        self.observed = False  # a change is told to somebody: keyspace events, tracking, the meters
        self.metered = False  # it is kept up to date what the data take: see ``used_memory``
        self.touched: list[tuple[Keyspace, bytes]] = []  # keys altered since they were last measured
        self.monitors: dict[Session, None] = {}
        self.pause: Pause | None = None  # CLIENT PAUSE
        self.current: Session | None = None  # whose commands are run, or were last
        self.serving = False  # a command that waited is run again
        self.busy = False  # a script runs for longer than busy-reply-threshold
        self.scripts: Scripts | None = None  # None: no script has been run or loaded
        self.deny_scripts = True  # what is flagged noscript is refused in scripts: DEBUG SET-DISABLE-DENY-SCRIPTS
        self.breathe: Callable[[bool], None] | None = None  # called while a script runs on; True: lets other clients in
        self._waiting: Waiting | None = None
        self.logs: dict[bytes, Log] = {}  # SLOWLOG and COMMANDLOG
        self.latency: dict[bytes, Event] = {}  # what LATENCY shows
        self.slow_ns = SLOW_NS  # commands that take as long or longer are noted, in the slow log or for LATENCY
        self.quick = QUICK  # units of 1 << UNIT ns below which none is
        self.guard = ""  # why every write is refused: see ``refuse_writes``
        self.guarded = False  # no client's commands take the plain path: see ``review``
        self.ready: list[tuple[Keyspace, bytes]] = []  # keys with waiters that got data
        self.active_expire = True  # False: keys past their deadline go only when they are looked up
        self.depth = 0
        self._group: list[tuple[int, Argv]] | None = None  # effects of the EXEC being run
        self.sessions_opened = self.sessions_before = 0  # clients so far, and those before CONFIG RESETSTAT
        self.net_in = self.net_out = 0  # bytes that sockets took and gave
        self.counts: dict[str, int] = {}  # what a server's clients were refused or had to be held for: INFO's
        self.sample = (self.started, 0, 0, 0)  # when, and ``totals`` then: what rates are told from
        self.peak_memory = 0  # the most that INFO or MEMORY STATS has seen
        self._next_cron = self.started + CRON_NS
        for name in (*WATCHED, *SIZES):
            config.on_change(name, self._hook(name))
            if config[name] != DEFAULTS[name] and name != "requirepass":
                self._configured(name)
        if "redtool.engine.limits" in modules:  # another store of this process has had sizes of its own
            self._configured(SIZES[0])

    def next_session_id(self) -> int:
        self.sessions_opened += 1
        return self.sessions_opened

    def forget(self, session: Session) -> None:
        """Take a client that has gone off every list."""
        self.sessions.pop(session.id, None)
        self.silence(session)
        if self.trackers is not None:
            self.trackers.leave(session)

    def silence(self, session: Session) -> None:
        """End MONITOR and the subscriptions of a client."""
        if session in self.monitors:
            del self.monitors[session]
            self.review()
        if self.hub is not None:
            self.hub.leave(session)

    def refuse_writes(self, reason: str) -> None:
        """Refuse every write: "read-only", or the system's text of a journal failure; "" lets them through again."""
        self.guard = reason
        self.review()

    def review(self) -> None:
        """Decide anew whether anybody's commands may take the plain path: call it when one of these has changed."""
        guarded = bool(self.guard or self.monitors or self.pause is not None or self.busy or self.full)
        guarded = guarded or (self.persistence is not None and self.persistence.stops_writes)
        if guarded != self.guarded:
            self.guarded = guarded
            for session in self.sessions.values():
                session.review()
        self.observed = bool(self.events or self.trackers is not None or self.metered)

    def totals(self) -> tuple[int, int, int]:
        """Commands run, bytes in, bytes out."""
        return sum(entry.calls for entry in self.entries.counted()), self.net_in, self.net_out

    @property
    def rng(self) -> Random:
        """The source of random members and keys; tests may seed it."""
        if self._rng is None:
            from random import Random

            self._rng = Random()
        return self._rng

    # -- the choke point

    def execute(self, session: Session, argv: Argv) -> Reply:
        """Run one command and give its reply; raises ReplyError, or Block when it must wait."""
        replies: list[Reply] = []
        self.run(session, (argv,), replies)
        if isinstance(replies[0], errors.ReplyError):
            raise replies[0]
        return replies[0]

    def run(self, session: Session, batch: Sequence[Argv], replies: list[Reply], stop: bool = False) -> None:
        """Run commands in order and append their replies, errors as values: every command goes through here.

        ``stop`` ends at the first error. Raises Block at a command that must wait; what ran before it has its reply.
        The time is read once a command: the end of one is the start of the next.
        """
        clock, time_ns, entries, outermost = self.clock, self.time_ns, self.entries.plain, not self.depth
        start = time_ns()
        if outermost:
            if start > self._next_cron:
                clock.ns = start
                self.current = None
                self.cron()
            self.current = session
            session.seen = start
            if batch:
                session.last = batch[-1]
        self.depth += 1
        try:
            for argv in batch:
                entry = entries.get(argv[0])
                before = self.changes
                if outermost:
                    clock.ns = start
                reply: Reply
                plain = True
                try:
                    count = len(argv)
                    if entry is None or session.guarded or count < entry.low or count > entry.high:
                        plain = False
                        entry = None  # an error from here on is a refusal
                        entry = self._checked(session, argv)
                        if "no-touch" in session.labels:
                            from redtool.guarded import untouched

                            reply = untouched(session, entry, argv)
                        else:
                            reply = entry.handler(session, *argv[entry.skip :])
                    elif count == 2:  # quicker than to slice
                        reply = entry.handler(session, argv[1])
                    elif count == 3:
                        reply = entry.handler(session, argv[1], argv[2])
                    else:
                        reply = entry.handler(session, *argv[1:])
                except errors.ReplyError as error:
                    reply = error
                    self._failed(session, entry, error)
                except Block as block:
                    if self.monitors and entry is not None and not block.postponed:
                        from redtool.guarded import show

                        show(session, entry, argv)
                    if session.effects is not None:  # XREADGROUP makes its consumer before it waits
                        self._record(session, argv)
                    raise
                effects = session.effects
                if effects is not None or self.changes != before:
                    journal = self.journal  # asked for each time: CONFIG SET appendonly may have switched it
                    if journal is None:
                        session.effects = None
                    elif self._group is None and (effects is None or len(effects) == 1):
                        if session.db.index != journal.db:
                            journal.select(session.db.index)
                        journal.pending.append(argv if effects is None else effects[0])
                        session.effects = None
                    else:
                        self._record(session, argv)
                    if self.touched:
                        from redtool.metering import weigh

                        weigh(self, argv)
                    if self.limit and outermost:
                        start += self.make_room()
                if entry is not None:
                    now = time_ns()
                    took = now - start
                    entry.ns += took
                    unit = took >> UNIT
                    if unit < self.quick:
                        entry.quick[unit] += 1
                    else:
                        self._long(session, entry, argv, took)
                    start = now
                if self.ready and outermost:
                    self.waiting.serve()
                if not plain:
                    reply = self._after(session, entry, argv, reply)
                replies.append(reply)
                if stop and isinstance(reply, errors.ReplyError):
                    break
        finally:
            self.depth -= 1
            if outermost and self.trackers is not None:
                self.trackers.settle()

    @property
    def busy_error(self) -> type[errors.ReplyError]:
        """What others are told while a script runs on."""
        return errors.BusyFunction if self.scripts is not None and self.scripts.in_function else errors.Busy

    def _checked(self, session: Session, argv: Argv) -> Entry:
        """Find the command and stand before it what a plain one needs not; raises what refuses it.

        A command that MULTI queues gives the entry whose handler answers QUEUED.
        """
        if session.ended and self.depth == 1:
            raise Ended
        entry = self.entries.find(argv)
        if entry.subs is not None and len(argv) > 1:
            entry = self.entries.subcommand(entry, argv)
        # A server knows no upper bound but that of a fixed arity: MULTI queues what the handler will refuse.
        most = entry.high if session.queue is None or entry.high == entry.low else len(argv)
        if not entry.low <= len(argv) <= most:
            from redtool.guarded import reject

            reject(session, entry, errors.WrongArity(lower(entry.command.name)))
        if session.guarded:
            from redtool.guarded import refusal, reject

            reason = refusal(self, session, entry, argv)
            if reason is not None:
                reject(session, entry, reason)
        if self.pause is not None and session.caller is None:
            self.pause.hold(session, entry.command, argv)
        if session.queue is not None and entry.command.name not in NOT_QUEUED:
            session.queue.append(argv)
            return self._queued
        if self.monitors and entry.command.name in SCRIPTS:
            from redtool.guarded import show

            show(session, entry, argv)  # before what the script runs
        return entry

    def disk_failure(self) -> errors.ReplyError | None:
        """Why nothing may be written now: the store is read-only, its snapshot or its journal could not be written."""
        if self.guard == "read-only":
            return errors.ReadOnly()
        if self.persistence is not None and self.persistence.stops_writes:
            return errors.SaveFailed()
        return errors.NoWrites(self.guard) if self.guard else None

    def _after(self, session: Session, entry: Entry | None, argv: Argv, reply: Reply) -> Reply:
        """What follows a command off the plain path: keys that the client reads are tracked, CLIENT REPLY is heeded."""
        if session.tracking is not None and self.trackers is not None:
            self.trackers.note(session, entry, argv)
        if self.monitors and entry is not None and entry is not self._queued and entry.command.name not in SCRIPTS:
            from redtool.guarded import show

            show(session, entry, argv)
        return session.heard(reply)

    def _hook(self, name: str) -> Callable[[object], None]:
        return lambda value: self._configured(name)

    def _configured(self, name: str) -> None:
        """Do what a parameter asks for that CONFIG SET, or the file, has given another value."""
        from redtool.configured import EFFECTS, sizes

        EFFECTS.get(name, sizes)(self)

    def _long(self, session: Session, entry: Entry, argv: Argv, took: int) -> None:
        """Count a command that took longer than most (ns), and note it if the configuration says so.

        Queueing one is none, and loading the code of a new one does not count.
        """
        entry.count(took)
        if self.entries.newest is entry:
            took = max(took - self.entries.loading_ns, 0)
            self.entries.newest = None
        if took >= self.slow_ns and entry is not self._queued:
            from redtool.commands.slowlog import note

            note(session, entry.command, argv, took)

    def _failed(self, session: Session, entry: Entry | None, error: errors.ReplyError) -> None:
        """Note an error; a refusal (no entry) spoils an open MULTI."""
        if session.queue is not None and entry is None:
            session.aborted = True
        self.error_codes[error.code] = self.error_codes.get(error.code, 0) + 1
        if entry is not None:
            entry.failed += 1

    @property
    def waiting(self) -> Waiting:
        """The clients that wait."""
        if self._waiting is None:
            from redtool.waiting import Waiting

            self._waiting = Waiting(self)
        return self._waiting

    # -- what a change sets off

    def touch(self, db: Keyspace, key: bytes) -> None:
        """Tell those who watch the key, and note it for those who wait for it."""
        for session in db.watched.get(key, ()):
            session.dirty = True
        if key in db.blocked:
            self.ready.append((db, key))

    def touch_all(self, db: Keyspace) -> None:
        """Tell all who watch a key of this database (FLUSHDB, SWAPDB)."""
        for key in list(db.watched):
            for session in db.watched[key]:
                session.dirty = True
        for key in list(db.blocked):
            self.ready.append((db, key))

    def _expired(self, db: Keyspace, key: bytes) -> None:
        self.expired += 1
        self.gone(db, key, b"expired")

    def gone(self, db: Keyspace, key: bytes, event: bytes) -> None:
        """Report a key that has gone by itself: no change of the command that met it, or a GET would be journalled."""
        if key in db.watched or key in db.blocked:
            self.touch(db, key)
        if self.journal is not None:
            self._emit(db.index, (b"DEL", key))
        if self.observed:
            self.observe(None, db, key, event)

    def _fields_expired(self, db: Keyspace, key: bytes, fields: list[bytes]) -> None:
        self.expired_fields += len(fields)
        if key in db.watched or key in db.blocked:
            self.touch(db, key)
        if self.journal is not None:
            self._emit(db.index, (b"HDEL", key, *fields))
        if self.observed:
            self.observe(None, db, key, b"hexpired")
            if key not in db.data:
                self.observe(None, db, key, b"del")

    def observe(self, session: Session | None, db: Keyspace, key: bytes, event: bytes) -> None:
        """Tell those who listen to keyspace events, and the clients that hold the key in a cache.

        ``session`` made the change; None: it came by itself. An empty event is told to caches alone.
        """
        if self.events and event and db.lazy:
            from redtool.commands.notify import publish

            publish(self, db, key, event)
        if self.trackers is not None:
            self.trackers.invalidate(session, key)
        if db.meter is not None and key in db.meter.weights:
            self.touched.append((db, key))

    def _record(self, session: Session, argv: Argv) -> None:
        """Journal the effects of the command that just ran."""
        effects, session.effects = session.effects, None
        if self.journal is None:
            return
        several = effects is not None and len(effects) > 1 and self._group is None
        if several:
            self.begin()
        for effect in (argv,) if effects is None else effects:
            self._emit(session.db.index, effect)
        if several:
            self.commit()

    def _emit(self, db: int, argv: Argv) -> None:
        if self._group is not None:
            self._group.append((db, argv))
        else:
            self.journal.append(argv, db)  # type: ignore[union-attr]

    @property
    def collects(self) -> bool:
        """Whether effects are being collected: EXEC, or a script, is at work."""
        return self._group is not None

    def begin(self) -> None:
        """Start collecting effects that must be journalled together."""
        self._group = []

    def commit(self) -> None:
        """Journal the collected effects, inside MULTI and EXEC when there are several."""
        group, self._group = self._group, None
        if not group or self.journal is None:
            return
        if len(group) > 1:
            self.journal.append((b"MULTI",), group[0][0])
        for db, argv in group:
            self.journal.append(argv, db)
        if len(group) > 1:
            self.journal.append((b"EXEC",), group[-1][0])

    # -- time

    def cron(self) -> None:
        """A bounded round of housekeeping: expiry, saving. Called between commands, never inside one."""
        from redtool.housekeeping import go_round

        self._next_cron = self.clock.ns + CRON_NS
        self._next_cron = self.clock.ns + (go_round(self) or CRON_NS)

    def tick(self) -> None:
        """Housekeeping for an idle owner."""
        self.clock.ns = self.time_ns()
        self.current = None
        if self.pause is not None and self.pause.over():
            self.waiting.unpause()
        self.cron()
        if self.ready:  # an expired key may be one that a consumer waits for
            self.waiting.serve()
        if self.trackers is not None:
            self.trackers.settle()
        self.retry()

    def retry(self) -> None:
        """Write the journal, where that failed before: then writes are taken again."""
        try:
            self.flush()
        except errors.StoreError:
            return

    def thaw(self) -> bool:
        """Read a little more of the keys that still lie in a file, where memory allows; False when none are left."""
        from redtool.housekeeping import thaw

        return thaw(self)

    def unflushed(self) -> bool:
        """Tell whether the journal holds commands that the kernel has not got, and may take now."""
        return self.journal is not None and bool(self.journal.pending) and not self.guard

    def flush(self) -> None:
        """Hand the journal to the kernel: before a reply leaves. A failure refuses all further writes."""
        if self.journal is not None:
            started = self.time_ns()
            try:
                self.journal.flush()
            except errors.StoreError:
                self.refuse_writes(self.journal.trouble)
                raise
            if self.guard:
                self.refuse_writes("")
            self.took(b"aof-write", started)

    def took(self, event: bytes, started: int) -> None:
        """Note an event that began at ``started`` (unix ns) for LATENCY, if that is asked for."""
        if self.config["latency-monitor-threshold"]:
            from redtool.commands.latency import add

            add(self, event, (self.time_ns() - started) // 1_000_000)

    def used_memory(self, exact: bool = False) -> int:
        """Bytes that the data take, those still in a file as if they were loaded. Kept up to date once it was asked."""
        from redtool.metering import used_memory

        return used_memory(self, exact)

    @property
    def cramped(self) -> bool:
        """Whether there is too much in memory, and nothing to drop."""
        return self.full and self.eviction is not None and self.eviction.stuck

    def make_room(self) -> int:
        """Drop what maxmemory does not leave room for; gives the ns that it took."""
        started = self.time_ns()
        if self.eviction is not None:
            self.eviction.make_room()
        return self.time_ns() - started

    # -- values as bytes

    def pack(self, value: Any) -> bytes:
        """Encode a value as DUMP gives it."""
        from redtool.persist import payload

        return payload.pack(value)

    def unpack(self, data: bytes) -> Any:
        """Decode what DUMP gave. Raises BadPayload, BadFormat."""
        from redtool.persist import payload

        return payload.unpack(data)

    def journalled(self, value: Any, data: bytes) -> bytes:
        """The payload that the journal gets for one that RESTORE took."""
        if self.journal is None:
            return data
        from redtool.persist import payload

        return payload.for_journal(value, data, self.config["rdb-format"])

    def pack_functions(self) -> bytes:
        """Encode the libraries as FUNCTION DUMP gives them."""
        from redtool.persist import payload

        return payload.pack_functions(self.functions)

    def repair(self) -> None:
        """Forget what can be derived again, after an interrupt in the middle of a command that only reads."""
        self.depth = 0
        self._group = None
        for db in self.databases:
            db.loaded()

    # -- loading: see also ``loading``

    def reload(self, save: bool, flush: bool, merge: bool) -> None:
        """DEBUG RELOAD: save the dataset and load it again."""
        from redtool.reloading import reload

        reload(self, save, flush, merge)

    def replay(self) -> None:
        """DEBUG LOADAOF: load the journal again."""
        from redtool.reloading import replay

        replay(self)


def _queued(session: Session, *args: bytes) -> Reply:
    return QUEUED
