"""A Redis or Valkey server as a backend: one blocking connection, reopened when it must be.

What the server knows of a connection (database, MULTI, WATCH, subscriptions, user) is followed here, so that it can be
restored on a new connection, or its loss be told. A write whose fate is unknown is never sent again.
"""

from __future__ import annotations

from redtool.backends import to_bytes
from redtool.backends.connection import Connection, ConnectionLost, Exchange, Uncertain
from redtool.errors import ConnectError, ReplyError, UsageError
from redtool.resp import OK, QUEUED, Push, Replies, Status, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from redtool.backends.locked import Locked
    from redtool.backends.shared import Shared
    from redtool.backends.target import Target
    from redtool.commands.table import Command
    from redtool.resp import Reply

Word = bytes | str | int | float

# command -> (which set of channels, whether it adds to it)
SUBSCRIBING = {
    b"SUBSCRIBE": (b"", True),
    b"PSUBSCRIBE": (b"p", True),
    b"SSUBSCRIBE": (b"s", True),
    b"UNSUBSCRIBE": (b"", False),
    b"PUNSUBSCRIBE": (b"p", False),
    b"SUNSUBSCRIBE": (b"s", False),
}
CONFIRMATIONS = frozenset(name.lower() for name in SUBSCRIBING)
MESSAGES = frozenset((b"message", b"pmessage", b"smessage"))
# Commands after which the connection is in another state
STATEFUL = frozenset((b"SELECT", b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"UNWATCH", b"RESET", b"AUTH", b"HELLO",
                      b"QUIT"))  # fmt: skip
SINGLE = frozenset(
    (*SUBSCRIBING, b"MONITOR", b"SHUTDOWN", b"QUIT")
)  # not one reply each, or the last: never within a pipeline
# Commands that may wait for data: what came before them is answered first
WAITING = frozenset(b"BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP XREAD XREADGROUP".split())
APART = SINGLE | WAITING
PIECE = 1 << 16  # bytes of requests encoded at a time


class Remote:
    """A server. Words may be bytes, str (UTF-8), int or float. Not safe for several threads."""

    remote = True

    def __init__(self, target: Target) -> None:
        self.target, self.name = target, target.label
        self.db = target.db
        self.in_multi = False
        self._connection: Connection | None = None
        self._credentials: tuple[str | None, str | None] | None = None
        self._home = self.db  # the database to select anew; within MULTI, the one before it
        self._queued = 0  # commands queued in MULTI, and which of them select a database
        self._selects: dict[int, int] = {}
        self._watching = self._monitoring = False
        self._channels: dict[bytes, set[bytes]] = {b"": set(), b"p": set(), b"s": set()}
        self._messages: list[Push] = []
        self._commands: Mapping[bytes, Command] | None = None
        self._abandoned = False

    @property
    def server(self) -> Mapping[Reply, Reply]:
        """What HELLO said of the server: b"server", b"version", b"mode", …; empty in RESP2."""
        return self._connection.server if self._connection else {}

    @property
    def bound(self) -> bool:
        """Whether the connection has a state that another would not have: MULTI, WATCH, subscriptions."""
        return self.in_multi or self._watching or self.listening

    @property
    def proto(self) -> int:
        """The protocol spoken, 2 or 3."""
        return self._connection.proto if self._connection else 0

    def connect(self) -> Connection:
        """Open the connection if it is not, and select the database. ConnectError when it cannot be."""
        if self._connection is None:
            connection = Connection(self.target, *self.know_credentials())
            try:
                if self._home and connection.welcome:
                    self._reselect(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def know_credentials(self) -> tuple[str | None, str | None]:
        """User and password; asks for them once."""
        if self._credentials is None:
            self._credentials = self.target.credentials()
        return self._credentials

    def sibling(self, target: Target | None = None) -> Remote:
        """Another client of the same server, or of one like it, with the same credentials; connects when first used."""
        other = Remote(target or self.target)
        other._credentials = self._credentials
        return other

    def _reselect(self, connection: Connection) -> None:
        reply = connection.call("SELECT", str(self._home))
        if isinstance(reply, ReplyError):
            home, self._home, self.db = self._home, 0, 0
            raise ConnectError(f"cannot select database {home} of {self.target.address}: {reply.message}")

    def execute(self, *argv: Word) -> Reply:
        """Run one command; see Backend. A subscribing command gives its confirmations: Replies."""
        words = [word if type(word) is bytes else to_bytes(word) for word in argv]
        name = name_of(words)
        check_usage(name, words)
        try:
            reply = self._attempt(name, words)
        except ConnectionLost as lost:
            reply = self._after_loss(name, words, lost)
        except BaseException:  # Ctrl-C too: closing ends what blocks on the server
            self._forget()
            raise
        if self.in_multi or name in STATEFUL:
            self._follow(name, words, reply)
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def _attempt(self, name: bytes, words: list[bytes]) -> Reply:
        """Send a command once and wait for its reply; errors are values."""
        connection = self._at_hand()
        if name in SUBSCRIBING and not self.in_multi:
            return self._subscribe(connection, name, words)
        if name == b"MONITOR" and not self.in_multi:
            connection.send(pack(words))
            reply = self._reply(connection)
            self._monitoring = reply == OK
            return reply
        data = pack(words)
        if len(data) <= PIECE:
            connection.send(data)
            return self._reply(connection)
        return self._exchange(connection, [data], 1)[0]

    def _at_hand(self) -> Connection:
        """Give a connection that is open as far as one can tell, nothing unread on it and nothing sent."""
        if self._connection is not None and not self._absorb(self._connection) and (lost := self._forget()):
            raise ConnectError(f"connection lost: {lost}")
        connection = self.connect()
        connection.sent = 0
        return connection

    def _absorb(self, connection: Connection) -> bool:
        """Keep the messages that came meanwhile. False when the server has closed the connection."""
        alive = connection.poll()
        for value in connection.take_ready():
            if self._is_message(value):
                self._messages.append(_as_push(value))
            else:
                alive = False  # a reply to nothing: out of step
        return alive

    def _is_message(self, value: Reply) -> bool:
        """Tell a message from a reply. In RESP2, and for MONITOR, only the state of the connection can."""
        if isinstance(value, Push):
            return True
        if isinstance(value, Status):
            return self._monitoring and value[:1].isdigit()
        return _opens_with(value, MESSAGES) and any(self._channels.values())

    def _reply(self, connection: Connection) -> Reply:
        """Wait for the next reply; messages that come before it are kept."""
        while True:
            value = connection.next_value()
            if not self._is_message(value):
                return value
            self._messages.append(_as_push(value))

    def _subscribe(self, connection: Connection, name: bytes, words: list[bytes]) -> Reply:
        """Run a subscribing command: it has no reply, but a confirmation for each channel."""
        kind, adding = SUBSCRIBING[name]
        channels = self._channels[kind]
        due = len(words) - 1 if adding else len(words) - 1 or len(channels) or 1
        confirmed = Replies()
        connection.send(pack(words))
        while len(confirmed) < due or not due:
            value = connection.next_value()
            if isinstance(value, list) and _opens_with(value, CONFIRMATIONS):
                confirmed.append(_as_push(value))
                (channels.add if adding else channels.discard)(value[1])
            elif self._is_message(value):
                self._messages.append(_as_push(value))
            else:
                return value  # an error
        return confirmed

    def _exchange(self, connection: Connection, requests: Iterable[bytes], count: int) -> list[Reply]:
        """Send requests while receiving; give ``count`` replies."""
        replies: list[Reply] = []
        try:
            connection.exchange(requests, self._collector(replies, count))
        except ConnectionLost as lost:
            lost.replies = tuple(replies)
            raise
        return replies

    def _collector(self, replies: list[Reply], count: int) -> Callable[[list[Reply]], bool]:
        """What tells messages from replies and gathers the latter; True when all have come."""

        def accept(values: list[Reply]) -> bool:
            if not self.listening and Push not in {*map(type, values)}:
                replies.extend(values)
                return len(replies) >= count
            for value in values:
                if self._is_message(value):
                    self._messages.append(_as_push(value))
                else:
                    replies.append(value)
            return len(replies) >= count

        return accept

    def begin(self, lines: Sequence[list[bytes]], replies: list[Reply]) -> Exchange:
        """Open the connection for commands that have one reply each and leave its state alone; ``exchange_all``
        drives it and ``replies`` fills as they come. ``close`` when it ended otherwise than ``done``.
        """  # fmt: skip
        return Exchange(self._at_hand(), pieces(lines), self._collector(replies, len(lines)))

    @property
    def sent(self) -> int:
        """The bytes of the last requests that the system took; of commands beyond them the server knows nothing."""
        return self._connection.sent if self._connection else 0

    def _after_loss(self, name: bytes, words: list[bytes], lost: ConnectionLost) -> Reply:
        """The connection ended before the reply came: try again if that cannot do harm, else say what is known."""
        sent = self._connection.sent if self._connection else 0
        gone, shown = self._forget(), name.decode("utf-8", "replace")
        if name == b"SHUTDOWN":
            return OK  # a server that obeys does not answer
        if gone and not (name == b"EXEC" and sent):
            raise ConnectError(f"connection lost: {gone}") from None
        if sent and not self._is_readonly(words):
            raise Uncertain(f"connection lost after sending {shown}: it may or may not have run") from None
        try:
            return self._attempt(name, words)
        except ConnectionLost:
            kind = Uncertain if self._connection and self._connection.sent else ConnectError
            self._forget()
            raise kind(f"connection lost after sending {shown}, twice: {lost}") from None
        except BaseException:
            self._forget()
            raise

    def _is_readonly(self, words: list[bytes]) -> bool:
        """Ask the server whether a command only reads, so that running it again is harmless."""
        names = [words[0].decode("utf-8", "replace")]
        if len(words) > 1:
            names.append(f"{names[0]}|{words[1].decode('utf-8', 'replace')}")
        try:
            reply = self.connect().call("COMMAND", "INFO", *names)
        except ConnectError:
            self._forget()
            return False
        found = [info for info in reply if isinstance(info, list)] if isinstance(reply, list) else []
        return any(b"readonly" in info[2] for info in found)

    def _forget(self) -> str:
        """Drop the connection and what the server knew of it; tell which of that a person must know is lost."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        gone = ""
        if self.in_multi:
            gone = "the transaction is gone, none of it has run"
        elif self._watching:
            gone = "the watched keys are watched no more"
        elif self.listening:
            gone = "the subscriptions have ended"
        self.db = self._home
        self.in_multi = self._watching = self._monitoring = False
        self._forget_channels()
        if self._abandoned:
            raise ConnectError("the connection was given up while it waited")
        return gone

    def _follow(self, name: bytes, words: Sequence[bytes], reply: Reply) -> None:
        """Follow what a command did to the state of the connection."""
        if name == b"QUIT" and not isinstance(reply, ReplyError):
            self._forget()  # the server closes it, a little later
        elif self.in_multi:
            self._follow_multi(name, words, reply)
        elif isinstance(reply, ReplyError):
            return
        elif name == b"SELECT":
            self.db = self._home = int(words[1])
        elif name == b"MULTI":
            self.in_multi, self._queued, self._selects = True, 0, {}
        elif name in (b"WATCH", b"UNWATCH"):
            self._watching = name == b"WATCH"
        elif name == b"RESET":
            self._after_reset()
        elif name in (b"AUTH", b"HELLO"):
            self._follow_auth(name, words)

    def _follow_multi(self, name: bytes, words: Sequence[bytes], reply: Reply) -> None:
        """In MULTI a SELECT counts when EXEC has run it; until then ``db`` shows it, as redis-cli's prompt does."""
        if name == b"RESET" and not isinstance(reply, ReplyError):
            self._after_reset()
        elif reply == QUEUED and type(reply) is Status:
            if name == b"SELECT" and words[1].isdigit():
                self._selects[self._queued] = self.db = int(words[1])
            self._queued += 1
        elif name == b"EXEC" or (name == b"DISCARD" and not isinstance(reply, ReplyError)):
            done = reply if isinstance(reply, list) else []
            for at, db in self._selects.items():
                if at < len(done) and done[at] == OK:
                    self._home = db
            self.db, self.in_multi, self._watching = self._home, False, False

    def _after_reset(self) -> None:
        self._forget_channels()
        self.db = self._home = 0
        self.in_multi = self._watching = self._monitoring = False
        if self._connection is not None:
            self._connection.proto = 2

    def _forget_channels(self) -> None:
        for channels in self._channels.values():
            channels.clear()

    def _follow_auth(self, name: bytes, words: Sequence[bytes]) -> None:
        """Remember credentials typed by hand, for the next connection."""
        options = [word.upper() for word in words]
        if name == b"HELLO":
            if len(words) > 1 and self._connection is not None:
                self._connection.proto = self.target.resp = int(words[1])
            at = options.index(b"AUTH") if b"AUTH" in options[2:] else -1
            given = words[at + 1 : at + 3] if at > 0 else ()
        else:
            given = words[1:]
        texts = [word.decode("utf-8", "surrogateescape") for word in given]
        if texts:
            self._credentials = (texts[0] if len(texts) > 1 else None, texts[-1])
            if self._connection is not None and not self._connection.welcome:
                self._forget()  # the next one is greeted properly: RESP3, the database

    def pipeline(self, batch: Sequence[Sequence[Word]], stop: bool = False) -> list[Reply]:
        """Run commands in order; an error is a value. Sending and receiving overlap, so a batch may have any size.

        Gives fewer replies than commands before one that may wait, and when ``stop`` ends it at an error: then nothing
        is sent ahead. ConnectError when the connection is lost midway says how many replies came (``replies``).
        """
        names, lines = encoded(batch)
        replies: list[Reply] = []
        try:
            self._run_apart(names, lines, replies, stop)
        except ConnectError as error:
            lost = ConnectionLost(*error.args)
            lost.replies = (*replies, *getattr(error, "replies", ()))
            raise lost from None
        return replies

    def _run_apart(self, names: list[bytes], lines: list[list[bytes]], replies: list[Reply], stop: bool) -> None:
        """Run commands and append their replies; those that are no part of a pipeline one by one."""
        start = 0
        for at in range(len(names)) if stop else [at for at, name in enumerate(names) if name in APART]:
            replies += self._run(names[start:at], lines[start:at])
            if replies and names[at] in WAITING:
                return
            try:
                replies.append(self.execute(*lines[at]))
            except ReplyError as error:
                replies.append(error)
                if stop:
                    return
            start = at + 1
        replies += self._run(names[start:], lines[start:])

    def _run(self, names: list[bytes], lines: list[list[bytes]]) -> list[Reply]:
        """Run commands that have one reply each."""
        if not lines:
            return []
        try:
            try:
                replies = self._exchange(self._at_hand(), pieces(lines), len(lines))
            except ConnectionLost as lost:
                if lost.replies or (self._connection and self._connection.sent) or self.in_multi or self._watching:
                    raise
                self._forget()  # the server has seen none of it
                replies = self._exchange(self._at_hand(), pieces(lines), len(lines))
        except ConnectionLost as lost:
            self._follow_all(names, lines, lost.replies)
            self._forget()
            lost.args = (f"connection lost after {len(lost.replies)} of {len(lines)} replies: "
                         "the rest may or may not have run",)  # fmt: skip
            raise
        except BaseException:
            self._forget()
            raise
        self._follow_all(names, lines, replies)
        return replies

    def _follow_all(self, names: list[bytes], lines: list[list[bytes]], replies: Sequence[Reply]) -> None:
        if not self.in_multi and STATEFUL.isdisjoint(names):
            return
        for name, words, reply in zip(names, lines, replies, strict=False):
            if self.in_multi or name in STATEFUL:
                self._follow(name, words, reply)

    def commands(self) -> Mapping[bytes, Command]:
        """The server's commands, from its COMMAND DOCS; redtool's own table where it cannot say (before Redis 7)."""
        if self._commands is None:
            from redtool.backends.learn import learn
            from redtool.commands.table import load_all

            try:
                # A connection of its own: the other may be in MULTI, or subscribed
                connection = Connection(self.target, *self.know_credentials())
            except ConnectError:
                return load_all()
            try:
                self._commands = learn(connection)
            except ConnectError:
                return load_all()
            finally:
                connection.close()
        return self._commands

    @property
    def listening(self) -> bool:
        """Whether messages come: there are subscriptions, or MONITOR runs."""
        return self._monitoring or any(self._channels.values())

    def messages(self) -> Iterator[Push]:
        """Messages of subscriptions and MONITOR: [b"monitor", line] for the latter. Waits while there are any.

        Without a subscription it gives what has come (invalidations, …) and ends. Ctrl-C closes the connection.
        """
        while True:
            while self._messages:
                yield self._messages.pop(0)
            connection = self._connection
            if connection is None:
                return
            try:
                if self.listening:
                    self._messages.append(_as_push(connection.next_value()))
                elif not self._absorb(connection) or not self._messages:
                    return
            except ConnectionLost:
                raise ConnectError(f"connection lost: {self._forget()}") from None
            except BaseException:
                self._forget()
                raise

    def arrived(self) -> list[Push]:
        """The messages that have come, without waiting. ConnectError when the subscriptions have ended."""
        if self._connection is not None and not self._absorb(self._connection) and (gone := self._forget()):
            raise ConnectError(f"connection lost: {gone}")
        messages, self._messages = self._messages, []
        return messages

    def fileno(self) -> int:
        return self.connect().fileno()

    def close(self) -> None:
        """Close the connection. Safe to call twice; a command would open it again."""
        self._forget()

    def abandon(self) -> None:
        """End it for good, from another thread: what it waits for ends with ConnectError."""
        self._abandoned = True
        if (connection := self._connection) is not None:
            connection.hang_up()

    def adopt(self, other: Remote) -> None:
        """Be the user that the other is."""
        self._credentials = other._credentials

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def connect(url: str) -> Shared | Locked:
    """Connect to a server: a redis://, rediss:// or unix:// URL, host:port, or a name from the configuration file.

    redis+cluster:// is a cluster, redis+sentinel:// a master under sentinels. Threads may share it: a command that
    waits holds up no other.
    """
    from redtool.backends import open_backend
    from redtool.backends.locked import Locked

    target = _server(url)
    if target.via:
        found: Any = open_backend(target)
        if not isinstance(found, Remote):
            return Locked(found)
        found.close()
        target = found.target  # no cluster after all
    return _connected(target)


def connect_one(url: str) -> Shared:
    """Connect to a server by itself, as ``connect`` does."""
    target = _server(url)
    if target.via:
        raise UsageError(f"clusters and sentinels are not for asyncio: redtool.connect takes {target}")
    return _connected(target)


def _server(url: str) -> Target:
    from redtool.backends.target import parse

    target = parse(url)
    if not target.remote:
        raise UsageError(f"{url} is a store, not a server: use redtool.open")
    return target


def _connected(target: Target) -> Shared:
    from redtool.backends.forked import note
    from redtool.backends.shared import Shared

    server = Shared(target)
    note(server)
    server.connect()
    return server


def encoded(batch: Sequence[Sequence[Word]]) -> tuple[list[bytes], list[list[bytes]]]:
    """The names and the words of commands. Raises UsageError for what cannot be sent."""
    lines = [[word if type(word) is bytes else to_bytes(word) for word in argv] for argv in batch]
    names = [name_of(words) for words in lines]
    for name, words in zip(names, lines, strict=True):
        check_usage(name, words)
    return names, lines


def name_of(words: Sequence[bytes]) -> bytes:
    if not words:
        raise UsageError("no command given")
    return words[0].upper()


def check_usage(name: bytes, words: Sequence[bytes]) -> None:
    """Refuse what would leave nobody knowing which reply belongs to which command."""
    if name == b"CLIENT" and len(words) > 2 and words[1].upper() == b"REPLY" and words[2].upper() != b"ON":
        raise UsageError("CLIENT REPLY OFF and SKIP cannot be used here: a command would wait for its reply for ever")
    if name in (b"SYNC", b"PSYNC"):
        raise UsageError(f"{name.decode()} begins a replication stream, which cannot be shown")


def _opens_with(value: Reply, names: frozenset[bytes]) -> bool:
    """Whether a reply is a list that one of these names begins; its first element may be a list or a map itself."""
    return isinstance(value, list) and value[:1] != [] and type(value[0]) is bytes and value[0] in names


def _as_push(value: Reply) -> Push:
    if isinstance(value, Push):
        return value
    return Push(value) if isinstance(value, list) else Push([b"monitor", value])


def pieces(lines: Iterable[list[bytes]]) -> Iterator[bytes]:
    """Encode requests a piece at a time, so that a batch is never held twice."""
    piece: list[bytes] = []
    size = 0
    for words in lines:
        data = pack(words)
        piece.append(data)
        size += len(data)
        if size >= PIECE:
            yield b"".join(piece)
            piece.clear()
            size = 0
    if piece:
        yield b"".join(piece)
