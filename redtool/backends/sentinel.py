"""A master that sentinels watch over, as a backend: found by its name, and found again when another takes its place.

Sentinels are asked where the master is when a connection is opened, and one of them is listened to from the second
command on: +switch-master sends what comes next to the new master, even while the old one still answers.
"""

from __future__ import annotations

from time import monotonic

from redtool.backends.batches import ALONE, Batch
from redtool.backends.connection import ALERT_MS, Connection, Uncertain
from redtool.backends.dispatch import Job, dispatch
from redtool.backends.remote import APART, STATEFUL, Remote
from redtool.backends.routing import ANY, only_reads
from redtool.backends.target import written
from redtool.backends.topology import unsettled
from redtool.errors import ConnectError, ReplyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from redtool.backends.remote import Word
    from redtool.backends.target import Target
    from redtool.backends.topology import Address
    from redtool.commands.table import Command
    from redtool.resp import Push, Reply

AGAIN = 1.0  # seconds before another try to listen to a sentinel
SWITCH = "+switch-master"


class Watch:
    """The sentinels: where the master is, and the news that it is elsewhere."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._seeds = list(target.seeds)
        self._connection: Connection | None = None
        self._tried = 0.0

    def locate(self) -> Address:
        """Ask for the master's address. ConnectError when nobody knows."""
        trouble: list[str] = []
        for seed in self._seeds:
            try:
                connection = self._connect(seed)
                try:
                    reply: Any = connection.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._target.master)
                finally:
                    connection.close()
            except ConnectError as error:
                trouble.append(str(error))
                continue
            if isinstance(reply, list):
                return reply[0].decode(), int(reply[1])
            trouble.append(f"{written(*seed)}: {_refusal(reply, self._target.master)}")
        raise ConnectError(trouble[0] if len(trouble) == 1 else f"no sentinel can be asked: {'; '.join(trouble)}")

    def _connect(self, seed: Address) -> Connection:
        target = self._target.at(*seed)
        target.db, target.resp = 0, 2
        return Connection(target, *self._target.sentinel)

    def news(self) -> Address | None:
        """Where the master is now, if a sentinel has said so since the last time. Does not wait."""
        if self._connection is None:
            self._subscribe()
        if (connection := self._connection) is None:
            return None
        if not connection.poll():
            self.close()
        found: Address | None = None
        for value in connection.take_ready():
            words = value[2].decode().split() if isinstance(value, list) and value[0] == b"message" else []
            if len(words) == 5 and words[0] == self._target.master:
                found = words[3], int(words[4])
        return found

    def _subscribe(self) -> None:
        """Listen to the first sentinel that answers, and learn of others from it."""
        if monotonic() - self._tried < AGAIN:
            return
        self._tried = monotonic()
        for seed in tuple(self._seeds):
            try:
                connection = self._connect(seed)
                self._learn(connection.call("SENTINEL", "SENTINELS", self._target.master))
                if isinstance(connection.call("SUBSCRIBE", SWITCH), list):
                    self._connection = connection
                    return
                connection.close()
            except ConnectError:
                continue

    def _learn(self, reply: Reply) -> None:
        for entry in reply if isinstance(reply, list) else ():
            facts: Any = dict(zip(entry[::2], entry[1::2], strict=True)) if isinstance(entry, list) else entry
            address = facts[b"ip"].decode(), int(facts[b"port"])
            if address not in self._seeds:
                self._seeds.append(address)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _refusal(reply: Reply, master: str) -> str:
    return reply.message if isinstance(reply, ReplyError) else f"it knows no master called '{master}'"


class Sentinel:
    """The master. Words may be bytes, str (UTF-8), int or float. Not safe for several threads."""

    remote = True

    def __init__(self, target: Target, warn: Callable[[str], None] | None = None) -> None:
        self.target, self.warn, self.name = target, warn, target.label
        self._watch = Watch(target)
        self._remote = Remote(target.at(*target.seeds[0]))
        self._used = False
        self._batch = Batch(self, self._place, self._alone)

    def connect(self) -> None:
        """Find the master and connect to it. ConnectError when it cannot be found."""
        self._go(self._watch.locate())
        self._remote.connect()

    def _go(self, address: Address) -> None:
        """Be a client of the server there, with the same user and database."""
        at = self._remote.target
        if (at.host, at.port) != address:
            self._remote.close()
            at.host, at.port = address
        self.name = f"{self.target.label} {at.address}"

    # -- what ``dispatch`` asks

    def owner(self, slot: int) -> Address:
        """Where the master is; every command goes there."""
        return self._remote.target.host, self._remote.target.port

    def node(self, address: Address) -> Remote:
        return self._remote

    def refresh(self, failed: Address | None = None, moved: dict[int, Address] | None = None) -> None:
        """Ask the sentinels anew; a server that says it is no master is not believed to be one for long."""
        self._watch.close()
        try:
            self._go(self._watch.locate())
            role = self._remote.execute(b"ROLE")
        except (ConnectError, ReplyError):
            return
        if isinstance(role, list) and role[0] != b"master":
            self._remote.close()

    # -- a backend

    @property
    def master(self) -> Remote:
        """The client of the server that is the master now."""
        return self._remote

    @property
    def db(self) -> int:
        return self._remote.db

    @property
    def in_multi(self) -> bool:
        return self._remote.in_multi

    @property
    def server(self) -> Mapping[Reply, Reply]:
        """What HELLO said of the master."""
        return self._remote.server

    @property
    def proto(self) -> int:
        return self._remote.proto

    def sibling(self) -> Sentinel:
        """Another client of the same master with the same credentials."""
        other = Sentinel(self.target)
        other.name = self.name
        other._remote = self._remote.sibling(self._remote.target.at(*self.owner(ANY)))
        return other

    def execute(self, *argv: Word) -> Reply:
        """Run one command; see Backend."""
        return self._batch.one(argv)

    def _alone(self, name: bytes, words: list[bytes]) -> Reply:
        """Run one command; an error is a value. What has not run is sent to the next master, unless a state is lost."""
        self._look()
        bound = self._remote.bound or name in STATEFUL or name in APART
        try:
            return self._remote.execute(*words)
        except ReplyError as error:
            if bound or not unsettled(error.message):
                return error
        except Uncertain as error:
            if not only_reads(words):
                raise Uncertain(f"{self.name}: {error}") from None
        except ConnectError as error:
            if bound:
                self.refresh()
                raise ConnectError(f"{self.name}: {error}") from None
        job = Job(words, ANY)
        dispatch(self, [job])
        return job.reply

    def _look(self) -> None:
        """Hear what the sentinels say; but not within a transaction, which would be lost by going elsewhere."""
        if self._used and not self._remote.bound and (address := self._watch.news()) is not None:
            self._go(address)
        self._used = True

    def _place(self, name: bytes, words: list[bytes]) -> int:
        return ALONE if name in STATEFUL or name in APART or self._remote.bound else ANY

    def pipeline(self, batch: Sequence[Sequence[Word]], stop: bool = False) -> list[Reply]:
        """Run commands in order; see ``Batch.run``."""
        self._look()
        return self._batch.run(batch, stop)

    def commands(self) -> Mapping[bytes, Command]:
        """The commands that the master knows."""
        return self._remote.commands()

    def messages(self) -> Iterator[Push]:
        """Messages of subscriptions and of MONITOR; see Backend."""
        return self._remote.messages()

    @property
    def listening(self) -> bool:
        """Whether messages come."""
        return self._remote.listening

    def arrived(self) -> list[Push]:
        """The messages that have come, without waiting."""
        return self._remote.arrived()

    def await_news(self) -> None:
        """Wait until messages may have come, for a moment."""
        from select import POLLIN, poll

        poller = poll()
        poller.register(self._remote.fileno(), POLLIN)
        poller.poll(ALERT_MS)

    def close(self) -> None:
        """Close all connections. Safe to call twice; a command would open them again."""
        self._watch.close()
        self._remote.close()

    def __enter__(self) -> Sentinel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
