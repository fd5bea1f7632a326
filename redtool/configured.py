"""What parameters set off in a store when they change: CONFIG SET, or a file that says something else than usual."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.engine.keyspace import Keyspace
    from redtool.store import Store


def sizes(store: Store) -> None:
    """Sizes up to which collections count as packed."""
    from redtool.engine.limits import change

    change(store.config, store.databases)


def password(store: Store) -> None:
    """CONFIG SET requirepass is a rule about the default user."""
    from redtool import acl, aclfile

    acl.of(store).set_password(store.config["requirepass"])
    aclfile.note(store)


def events(store: Store) -> None:
    """Publish these classes of keyspace events."""
    from redtool.commands.notify import NEW, mask

    def new(db: Keyspace, key: bytes) -> None:
        store.observe(store.current, db, key, b"new")

    store.events = mask(store.config["notify-keyspace-events"])
    for db in store.databases:
        db.on_new = new if store.events & NEW else None
    store.review()


def slow(store: Store) -> None:
    """Find the least time that the slow log or the latency monitor asks for."""
    from redtool.entries import QUICK, UNIT
    from redtool.store import NEVER

    log, monitor = store.config["slowlog-log-slower-than"], store.config["latency-monitor-threshold"]
    store.slow_ns = min(log * 1000 if log >= 0 else NEVER, monitor * 1_000_000 or NEVER)
    store.quick = min(QUICK, store.slow_ns >> UNIT)


def memory(store: Store) -> None:
    """Keep to another limit, or drop keys by another rule."""
    from redtool.eviction import configure

    configure(store)


EFFECTS: dict[str, Callable[[Store], None]] = {
    "latency-monitor-threshold": slow,
    "lfu-decay-time": memory,
    "lfu-log-factor": memory,
    "maxmemory": memory,
    "maxmemory-policy": memory,
    "notify-keyspace-events": events,
    "requirepass": password,
    "slowlog-log-slower-than": slow,
}
