"""Keyspace events: what happens to keys, published to whoever listens, as notify-keyspace-events asks.

``__keyspace@0__:KEY`` tells the events of a key (class K), ``__keyevent@0__:EVENT`` the keys of an event (class E).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.engine.keyspace import Keyspace
    from redtool.store import Store

ALL = "g$lshzxetd"  # what A stands for
BITS = {letter: 1 << place for place, letter in enumerate("KEmn" + ALL)}
KEYSPACE, KEYEVENT, MISS, NEW = (BITS[letter] for letter in "KEmn")
EVENTS = {
    "g": "del expire persist rename_from rename_to move_from move_to copy_to restore",
    "$": "set setrange append incrby incrbyfloat setbit pfadd",
    "l": "lpush rpush lpop rpop linsert lset lrem ltrim sortstore",
    "s": "sadd srem spop sinterstore sunionstore sdiffstore",
    "h": "hset hdel hincrby hincrbyfloat hexpire hexpired hpersist",
    "z": "zadd zincr zrem zremrangebyrank zremrangebyscore zremrangebylex zpopmin zpopmax zdiffstore zinterstore "
         "zunionstore zrangestore georadiusstore geosearchstore",
    "t": "xadd xtrim xdel xsetid xgroup-create xgroup-setid xgroup-destroy xgroup-createconsumer xgroup-delconsumer",
    "x": "expired",
    "e": "evicted",
    "m": "keymiss",
    "n": "new",
}  # fmt: skip
CLASSES = {event.encode(): BITS[letter] for letter, events in EVENTS.items() for event in events.split()}


def mask(text: str) -> int:
    """The classes of notify-keyspace-events as bits; none unless K or E says where events go."""
    bits = 0
    for letter in text.replace("A", ALL):
        bits |= BITS[letter]
    return bits if bits & (KEYSPACE | KEYEVENT) else 0


def publish(store: Store, db: Keyspace, key: bytes, event: bytes) -> None:
    """Publish an event of a key if its class is asked for and somebody listens to anything."""
    hub, events = store.hub, store.events
    if hub is None or not events & CLASSES.get(event, 0):
        return
    if events & KEYSPACE:
        hub.publish(b"__keyspace@%d__:%b" % (db.index, key), event)
    if events & KEYEVENT:
        hub.publish(b"__keyevent@%d__:%b" % (db.index, event), key)
