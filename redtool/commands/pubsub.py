"""Publish and subscribe: messages to whoever listens to a channel at that moment; nothing is kept."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.globs import matcher
from redtool.resp import Push, Replies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redtool.resp import Reply
    from redtool.session import Session
    from redtool.store import Store

    Listeners = dict[bytes, dict[Session, None]]

command = group("pubsub")

LISTEN = "pubsub noscript loading stale"
# In RESP2 a client that listens may do nothing else: the replies would look like messages.
ALLOWED = frozenset({"SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE", "PING",
                     "QUIT", "RESET"})  # fmt: skip


class Hub:
    """Who listens to which channels, patterns and shard channels, each in the order of subscribing."""

    def __init__(self) -> None:
        self.channels: Listeners = {}
        self.patterns: Listeners = {}
        self.shards: Listeners = {}
        self.matchers: dict[bytes, Callable[[bytes], object]] = {}

    def leave(self, session: Session) -> None:
        """End all subscriptions of a client."""
        for kind in KINDS:
            for name in list(kind.of(session)):
                kind.remove(self, session, name)

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send a message to the listeners of a channel, then to those of matching patterns; gives how many."""
        sent = 0
        for session in self.channels.get(channel, ()):
            session.deliver(Push([b"message", channel, message]))
            sent += 1
        for pattern, sessions in self.patterns.items():
            if self.matchers[pattern](channel):
                for session in sessions:
                    session.deliver(Push([b"pmessage", pattern, channel, message]))
                sent += len(sessions)
        return sent

    def publish_shard(self, channel: bytes, message: bytes) -> int:
        """Send a message to the listeners of a shard channel; gives how many."""
        sessions = self.shards.get(channel, {})
        for session in sessions:
            session.deliver(Push([b"smessage", channel, message]))
        return len(sessions)


class Kind:
    """One of the three kinds of subscription: the attribute of Hub and Session that holds it, and its verbs."""

    def __init__(self, attribute: str, prefix: bytes) -> None:
        self.attribute = attribute
        self.on, self.off = prefix + b"subscribe", prefix + b"unsubscribe"

    def of(self, owner: Hub | Session) -> dict[bytes, dict[Session, None] | None]:
        found: dict[bytes, dict[Session, None] | None] = getattr(owner, self.attribute)
        return found

    def count(self, session: Session) -> int:
        """What a confirmation tells: shard channels are counted on their own."""
        return len(session.shards) if self.attribute == "shards" else len(session.channels) + len(session.patterns)

    def add(self, hub: Hub, session: Session, name: bytes) -> None:
        listeners: Listeners = getattr(hub, self.attribute)
        listeners.setdefault(name, {})[session] = None
        self.of(session)[name] = None
        if self.attribute == "patterns" and name not in hub.matchers:
            hub.matchers[name] = matcher(name)

    def remove(self, hub: Hub, session: Session, name: bytes) -> None:
        listeners: Listeners = getattr(hub, self.attribute)
        if self.of(session).pop(name, hub) is hub:
            return
        del listeners[name][session]
        if not listeners[name]:
            del listeners[name]
            if self.attribute == "patterns":
                del hub.matchers[name]


CHANNELS, PATTERNS, SHARDS = KINDS = Kind("channels", b""), Kind("patterns", b"p"), Kind("shards", b"s")


def hub_of(store: Store) -> Hub:
    """The store's hub, made when somebody first subscribes."""
    if store.hub is None:
        store.hub = Hub()
    return store.hub


def listen(c: Session, kind: Kind, names: Iterable[bytes]) -> Reply:
    """Subscribe; a confirmation for each name."""
    if c.deny_block and (kind is SHARDS or c.caller is not None):  # EXEC takes the other two
        raise errors.DenyBlocking(kind.on.decode().upper())
    hub, replies = hub_of(c.store), Replies()
    for name in names:
        kind.add(hub, c, name)
        replies.append(Push([kind.on, name, kind.count(c)]))
    c.review()
    return replies


def unlisten(c: Session, kind: Kind, names: tuple[bytes, ...]) -> Reply:
    """Unsubscribe from these, or from all; a confirmation for each, and one for none."""
    hub, replies = hub_of(c.store), Replies()
    for name in names or list(kind.of(c)):
        kind.remove(hub, c, name)
        replies.append(Push([kind.off, name, kind.count(c)]))
    c.review()
    return replies or Replies([Push([kind.off, None, kind.count(c)])])


@command("SUBSCRIBE channel [channel ...]", LISTEN, since="2.0.0", complexity="O(N) channels")
def subscribe(c: Session, *channels: bytes) -> Reply:
    """Listen to channels.

    > SUBSCRIBE news
    1) "subscribe"
    2) "news"
    3) (integer) 1
    """
    return listen(c, CHANNELS, channels)


@command("UNSUBSCRIBE [channel [channel ...]]", LISTEN, since="2.0.0", complexity="O(N) channels")
def unsubscribe(c: Session, *channels: bytes) -> Reply:
    """Stop listening to channels, or to all.

    > UNSUBSCRIBE news
    1) "unsubscribe"
    2) "news"
    3) (integer) 0
    """
    return unlisten(c, CHANNELS, channels)


@command("PSUBSCRIBE pattern [pattern ...]", LISTEN, since="2.0.0", complexity="O(N) patterns")
def psubscribe(c: Session, *patterns: bytes) -> Reply:
    """Listen to all channels that match a pattern.

    > PSUBSCRIBE news.*
    1) "psubscribe"
    2) "news.*"
    3) (integer) 1
    """
    return listen(c, PATTERNS, patterns)


@command("PUNSUBSCRIBE [pattern [pattern ...]]", LISTEN, since="2.0.0", complexity="O(N) patterns")
def punsubscribe(c: Session, *patterns: bytes) -> Reply:
    """Stop listening to patterns, or to all.

    > PUNSUBSCRIBE
    1) "punsubscribe"
    2) (nil)
    3) (integer) 0
    """
    return unlisten(c, PATTERNS, patterns)


@command("SSUBSCRIBE shardchannel [shardchannel ...]", LISTEN, since="7.0.0", complexity="O(N) channels")
def ssubscribe(c: Session, *channels: bytes) -> Reply:
    """Listen to shard channels.

    > SSUBSCRIBE orders
    1) "ssubscribe"
    2) "orders"
    3) (integer) 1
    """
    return listen(c, SHARDS, channels)


@command("SUNSUBSCRIBE [shardchannel [shardchannel ...]]", LISTEN, since="7.0.0", complexity="O(N) channels")
def sunsubscribe(c: Session, *channels: bytes) -> Reply:
    """Stop listening to shard channels, or to all.

    > SUNSUBSCRIBE orders
    1) "sunsubscribe"
    2) "orders"
    3) (integer) 0
    """
    return unlisten(c, SHARDS, channels)


@command("PUBLISH channel message", "pubsub loading stale fast", since="2.0.0",
         complexity="O(N+M) listeners, patterns")  # fmt: skip
def publish(c: Session, channel: bytes, message: bytes) -> Reply:
    """Send a message to a channel; gives how many receive it.

    > PUBLISH news "it rains"
    (integer) 0
    """
    return 0 if c.store.hub is None else c.store.hub.publish(channel, message)


@command("SPUBLISH shardchannel message", "pubsub loading stale fast", since="7.0.0",
         complexity="O(N) listeners")  # fmt: skip
def spublish(c: Session, channel: bytes, message: bytes) -> Reply:
    """Send a message to a shard channel; gives how many receive it.

    > SPUBLISH orders 1001
    (integer) 0
    """
    return 0 if c.store.hub is None else c.store.hub.publish_shard(channel, message)


# -- PUBSUB


def active(listeners: Listeners, pattern: tuple[bytes, ...], word: str) -> Reply:
    """The names that somebody listens to, or those of them that match."""
    if len(pattern) > 1:
        raise errors.UnknownSubcommandOrArity(word, "PUBSUB")
    return list(filter(matcher(pattern[0]), listeners)) if pattern else list(listeners)


def numbers(listeners: Listeners, names: tuple[bytes, ...]) -> list[Reply]:
    """Each name with its number of listeners: no map in RESP3 either, and a name asked for twice is there twice."""
    return [item for name in names for item in (name, len(listeners.get(name, ())))]


@command("PUBSUB CHANNELS [pattern]", "pubsub loading stale", since="2.8.0", arity=-2, complexity="O(N) channels")
def channels(c: Session, *pattern: bytes) -> Reply:
    """List the channels that somebody listens to.

    > PUBSUB CHANNELS news.*
    (empty array)
    """
    return active(hub_of(c.store).channels, pattern, "CHANNELS")


@command("PUBSUB NUMSUB [channel [channel ...]]", "pubsub loading stale", since="2.8.0",
         complexity="O(N) channels asked for")  # fmt: skip
def numsub(c: Session, *names: bytes) -> Reply:
    """Count the listeners of channels; patterns are left out.

    > PUBSUB NUMSUB news sport
    1) "news"
    2) (integer) 0
    3) "sport"
    4) (integer) 0
    """
    return numbers(hub_of(c.store).channels, names)


@command("PUBSUB NUMPAT", "pubsub loading stale", since="2.8.0")
def numpat(c: Session) -> Reply:
    """Count the different patterns that somebody listens to.

    > PUBSUB NUMPAT
    (integer) 0
    """
    return len(hub_of(c.store).patterns)


@command("PUBSUB SHARDCHANNELS [pattern]", "pubsub loading stale", since="7.0.0", arity=-2,
         complexity="O(N) channels")  # fmt: skip
def shardchannels(c: Session, *pattern: bytes) -> Reply:
    """List the shard channels that somebody listens to.

    > PUBSUB SHARDCHANNELS
    (empty array)
    """
    return active(hub_of(c.store).shards, pattern, "SHARDCHANNELS")


@command("PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]", "pubsub loading stale", since="7.0.0",
         complexity="O(N) channels asked for")  # fmt: skip
def shardnumsub(c: Session, *names: bytes) -> Reply:
    """Count the listeners of shard channels.

    > PUBSUB SHARDNUMSUB orders
    1) "orders"
    2) (integer) 0
    """
    return numbers(hub_of(c.store).shards, names)


declare_help(command, "PUBSUB", since="6.2.0")
