"""maxmemory: keys are dropped as the policy says until the data fit again; else commands that need memory are refused.

A server looks before each command. Here it is looked after each that has written, between commands and never inside
a transaction or a script, which comes to the same for who asks next, and costs reads nothing.
"""

from __future__ import annotations

from redtool.engine.evict import Chooser, drop, tighten
from redtool.engine.sampling import SPARE
from redtool.engine.uses import Frequency, Recency
from redtool.entries import SCRIPTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.engine.keyspace import Keyspace
    from redtool.entries import Entry
    from redtool.session import Argv, Session
    from redtool.store import Store

LOOK = 16  # keys that go between two looks at the time
FOR_EVER = 1 << 63
LAST_NS = 1_000_000_000  # that may be taken when the store is closed
USUAL = 10  # maxmemory-eviction-tenacity
STEP_NS = 50_000  # of each step up to the usual tenacity
GROWTH = 1.15  # of each step above


class Eviction:
    """What keeps a store within its ``limit`` in bytes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.chooser = Chooser(store.databases, store.config["maxmemory-policy"])
        self.over_ns = 0  # for how long in all there was too much: ``since`` is when it last began, 0 when there is not
        self.since = 0
        self.looked = False  # whether it was ever looked what the data take: that takes a while
        self.stuck = False  # the last round found nothing more to drop
        self._dropped = 0  # keys since tables were made anew, which is not done before so many
        self._patience = LOOK

    def make_room(self) -> bool:
        """Drop keys until the data fit, or for as long as maxmemory-eviction-tenacity allows: then the next goes on.

        False when there is nothing more to drop: then commands that need memory are refused until there is room.
        While CLIENT PAUSE is in force nothing goes.
        """
        store = self.store
        self.looked = True
        over = bool(store.limit) and store.used_memory() > store.limit
        if over and store.pause is None:
            started = store.time_ns()
            self.since = self.since or started
            over = self._round(started)
            store.took(b"eviction-cycle", started)
        if not over:
            self.stuck = False
            if self.since:
                self.over_ns += store.time_ns() - self.since
                self.since = 0
        if over != store.full:
            store.full = over
            store.review()
        return not self.stuck

    def catch_up(self) -> None:
        """Drop what rounds have left over, for a second at most: no other round may follow in this process."""
        store = self.store
        until = store.time_ns() + LAST_NS
        while store.full and store.pause is None and self.make_room() and store.time_ns() < until:
            continue

    def _round(self, started: int) -> bool:
        """Drop keys until the data fit, none is left to drop, or the time is up. True when they do not fit."""
        store, config, victim, used = self.store, self.store.config, self.chooser.victim, self.store.used_memory
        limit, samples, rng = store.limit, config["maxmemory-samples"], store.rng
        until = started + patience(config["maxmemory-eviction-tenacity"])
        gone, self.stuck = 0, False
        while True:
            place = victim(rng, samples)
            if place is None:
                self.stuck = True
                return True
            self._drop(*place)
            gone += 1
            if used() <= limit:
                return False
            if self._dropped >= self._patience and self._tighten() and used() <= limit:
                return False
            if not gone % LOOK and store.time_ns() >= until:
                return True

    def _tighten(self) -> bool:
        """Give back what tables take too much, before more keys have to go for it: that is seldom and takes a while."""
        databases = [db for db in self.store.databases if db.data]
        found = [tighten(db) for db in databases]
        self._dropped = 0
        self._patience = LOOK
        if any(found):
            self._patience = max(LOOK, sum(len(db.data) for db in databases) // SPARE // 2)
        return any(found)

    def _drop(self, db: Keyspace, key: bytes, place: int) -> None:
        store = self.store
        started = store.time_ns()
        drop(db, key, place)
        self._dropped += 1
        if store.config["latency-monitor-threshold"]:
            store.took(b"eviction-del", started)
        store.evicted += 1
        store.gone(db, key, b"evicted")

    def times(self) -> tuple[int, int]:
        """Milliseconds in which there were too many data: in all, and since it last began."""
        now = self.store.time_ns() - self.since if self.since else 0
        return (self.over_ns + now) // 1_000_000, now // 1_000_000

    def refuses(self, session: Session, entry: Entry, argv: Argv) -> bool:
        """Make room before a command, since there is too much; whether there is none for it.

        A transaction stands or falls as a whole before it runs, a script too once it has written.
        """
        if session.caller is not None:
            return session.cramped and "denyoom" in entry.flags
        writes = entry.write or entry.command.name in SCRIPTS or entry.command.name == "EXEC"
        if session.deny_block or self.store.collects or not (self.looked or writes) or self.make_room():
            return False
        return self._needs_memory(session, entry, argv)

    def _needs_memory(self, session: Session, entry: Entry, argv: Argv) -> bool:
        if "denyoom" in entry.flags:
            return True
        if entry.command.name in SCRIPTS:
            from redtool.lua.libraries import flags_of

            flags = flags_of(session, argv)
            return flags is not None and flags.isdisjoint((b"allow-oom", b"no-writes"))
        if entry.command.name == "EXEC" and session.queue is not None:
            find = self.store.entries.find
            return any(self._needs_memory(session, find(queued), queued) for queued in session.queue)
        return False


def patience(tenacity: int) -> int:
    """Nanoseconds that one round may take: none to half a millisecond, then 15 % more a step, at 100 without end."""
    if tenacity <= USUAL:
        return STEP_NS * tenacity
    return FOR_EVER if tenacity == 100 else int(STEP_NS * USUAL * GROWTH ** (tenacity - USUAL))


def configure(store: Store) -> None:
    """Take maxmemory and what belongs to it as they are now; keys are dropped when the running command has ended."""
    config = store.config
    for db in store.databases:
        db.uses = _uses(db, config["maxmemory-policy"])
        if type(db.uses) is Frequency:
            db.uses.factor, db.uses.decay = config["lfu-log-factor"], config["lfu-decay-time"]
    store.limit = config["maxmemory"]
    if store.eviction is not None:
        store.eviction.chooser = Chooser(store.databases, config["maxmemory-policy"])
    elif store.limit:
        store.eviction = Eviction(store)
    store.full = False
    store.review()
    if store.current is not None and store.current.effects is None:
        store.current.journal()  # a command that writes nothing, but after which it is looked all the same


def _uses(db: Keyspace, policy: str) -> Recency | Frequency | None:
    """What must be noted of each key under a policy; what has been noted stays where it serves."""
    if policy.endswith("-lfu"):
        from _random import Random

        return db.uses if type(db.uses) is Frequency else Frequency(db.clock, Random())
    if type(db.uses) is Recency or policy.endswith("-lru"):
        return db.uses if type(db.uses) is Recency else Recency(db.clock)
    return None
