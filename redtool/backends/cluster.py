"""A cluster as a backend: commands go to the node of their keys, or to all nodes, and their replies become one.

Keys of different nodes are served at the same time, so in a pipeline only commands of one slot, and commands before and
after one that concerns no key or all nodes, keep their order. Database 0 only. A transaction is on keys of one slot.
"""

from __future__ import annotations

from redtool.backends.batches import ALONE, Batch
from redtool.backends.connection import Uncertain
from redtool.backends.dispatch import Job, dispatch
from redtool.backends.gathered import by_node, info
from redtool.backends.listeners import Listeners, stream
from redtool.backends.nodes import Nodes
from redtool.backends.remote import SUBSCRIBING, WAITING, name_of
from redtool.backends.routing import ANY, Router, divided, only_reads, policy, restored
from redtool.backends.sweep import Sweep
from redtool.backends.target import written
from redtool.backends.topology import redirect, unsettled
from redtool.backends.transaction import Transaction
from redtool.commands.cluster import slot_of
from redtool.errors import ConnectError, ReplyError
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from redtool.backends.remote import Remote, Word
    from redtool.backends.target import Target
    from redtool.commands.table import Command
    from redtool.resp import Push, Reply

NO_SELECT = "ERR SELECT is not allowed in cluster mode"


class Cluster:
    """A cluster. Words may be bytes, str (UTF-8), int or float. Not safe for several threads."""

    remote = True
    db = 0

    def __init__(self, target: Target, warn: Callable[[str], None] | None = None, nodes: Nodes | None = None) -> None:
        self.target, self.name = target, target.label
        self.nodes = nodes or Nodes(target, warn)
        self._router = Router()
        self._sweep = Sweep(self.nodes)
        self._transaction = Transaction(self.nodes)
        self._listeners = Listeners(self.nodes)
        self._batch = Batch(self.nodes, self._place, self._execute)

    def connect(self) -> None:
        """Find the nodes. ConnectError when none answers, NoCluster when the server is one by itself."""
        try:
            self.nodes.join()
        except BaseException:
            self.close()
            raise

    @property
    def in_multi(self) -> bool:
        return self._transaction.open

    @property
    def server(self) -> Mapping[Reply, Reply]:
        """What HELLO said of a node."""
        return self._home().server

    @property
    def proto(self) -> int:
        return self._home().proto

    def _home(self) -> Remote:
        return self.nodes.node(self.nodes.home)

    def sibling(self) -> Cluster:
        """Another client of the same cluster with the same credentials."""
        return Cluster(self.target, None, self.nodes.sibling())

    # -- one command

    def execute(self, *argv: Word) -> Reply:
        """Run one command; see Backend."""
        return self._batch.one(argv)

    def _execute(self, name: bytes, words: list[bytes]) -> Reply:
        """Run one command; an error is a value."""
        own = OWN.get(name)
        if own is not None and not (self.in_multi and name not in (b"RESET", b"QUIT")):
            return own(self, words)
        slots = self._router.slots(words)
        if self._transaction.takes(name):
            return self._transaction.run(name, words, slots)
        if len(slots) == 1:
            return self._keyed(words, *slots)
        if slots:
            return self._divided(words, min(slots))
        if (found := policy(words)) is None:
            return self._keyed(words, ANY)
        replicas, merge = found
        names, replies = self._everywhere(words, replicas)
        return by_node(names, replies) if merge is None else merge(replies)

    def _keyed(self, words: list[bytes], slot: int) -> Reply:
        """Run a command on the node of a slot; where it has not run, it is sent where it belongs."""
        job = Job(words, slot)
        try:
            address = self.nodes.owner(slot)
            try:
                return self.nodes.node(address).execute(*words)
            except ReplyError as error:
                to = redirect(error.message, address)
                if to is None and not unsettled(error.message):
                    return error
                if to is not None and to.ask:
                    job.asked = to.address
                elif to is not None:
                    self.nodes.refresh(None, {to.slot: to.address})
            except Uncertain as error:
                if not only_reads(words):
                    raise Uncertain(f"{written(*address)}: {error}") from None
            except ConnectError:
                pass  # it was never sent
        except ReplyError:
            pass  # nobody serves the slot: perhaps in a moment
        dispatch(self.nodes, [job])
        return job.reply

    def _divided(self, words: list[bytes], slot: int) -> Reply:
        """Run a command on keys of several slots, in parts where that is possible; else a node says why not."""
        parts = divided(words)
        if parts is None:
            return self._keyed(words, slot)
        jobs = [Job(part, slot_of(part[1])) for part, _ in parts]
        dispatch(self.nodes, jobs)
        return restored(words, parts, [job.reply for job in jobs])

    def _everywhere(self, words: list[bytes], replicas: bool) -> tuple[list[bytes], list[Reply]]:
        """Run a command on all masters, or nodes; gives their names and replies. A replica out of reach is left out."""
        shards = self.nodes.topology.shards
        jobs = [Job(words, shard.low) for shard in shards]
        names = [shard.name for shard in shards]
        if replicas:
            others = [address for shard in shards for address in shard.replicas if self._answers(address)]
            jobs += [Job(words, ANY, address) for address in others]
            names += [written(*address).encode() for address in others]
        dispatch(self.nodes, jobs)
        return names, [job.reply for job in jobs]

    def _answers(self, address: tuple[str, int]) -> bool:
        try:
            self.nodes.node(address).connect()
        except ConnectError as error:
            if self.nodes.warn is not None:
                self.nodes.warn(f"{error}: this replica is left out")
            return False
        return True

    # -- commands with a way of their own

    def _select(self, words: list[bytes]) -> Reply:
        return OK if words[1:] == [b"0"] else self._keyed(words, ANY) if len(words) != 2 else ReplyError.of(NO_SELECT)

    def _scan(self, words: list[bytes]) -> Reply:
        return self._sweep.run(words)

    def _info(self, words: list[bytes]) -> Reply:
        return info(*self._everywhere(words, False))

    def _cluster(self, words: list[bytes]) -> Reply:
        """What asks for a slot goes to its node."""
        by_slot = len(words) > 2 and words[1].upper() in (b"COUNTKEYSINSLOT", b"GETKEYSINSLOT") and words[2].isdigit()
        if not by_slot or int(words[2]) >= len(self.nodes.topology.owners):
            return self._keyed(words, ANY)
        try:
            return self.nodes.node(self.nodes.owner(int(words[2]))).execute(*words)
        except ReplyError as error:
            return error

    def _listen(self, words: list[bytes]) -> Reply:
        try:
            return self._listeners.run(name_of(words), words)
        except ReplyError as error:
            return error

    def _identify(self, words: list[bytes]) -> Reply:
        """AUTH, HELLO: what one node accepts holds for all."""
        home = self._home()
        try:
            reply = home.execute(*words)
        except ReplyError as error:
            return error
        self.nodes.adopt(home)
        return reply

    def _reset(self, words: list[bytes]) -> Reply:
        self._transaction.reset()
        self._listeners.close()
        return self._identify(words)

    def _quit(self, words: list[bytes]) -> Reply:
        self.close()
        return OK

    # -- many commands

    def pipeline(self, batch: Sequence[Sequence[Word]], stop: bool = False) -> list[Reply]:
        """Run commands, those of different nodes at the same time; see ``Batch.run``."""
        return self._batch.run(batch, stop)

    def _place(self, name: bytes, words: list[bytes]) -> int:
        """The slot of a command that may go together with others; ANY when it concerns no key, or ALONE."""
        if name in OWN or name in WAITING or self._transaction.takes(name):
            return ALONE
        slots = self._router.slots(words)
        if slots:
            return next(iter(slots)) if len(slots) == 1 else ALONE
        return ANY if policy(words) is None else ALONE

    # -- the rest of a backend

    def commands(self) -> Mapping[bytes, Command]:
        """The commands that a node knows."""
        return self._home().commands()

    def messages(self) -> Iterator[Push]:
        """Messages of subscriptions and of MONITOR on all masters; see Backend."""
        try:
            yield from stream(self, self.arrived)
        except BaseException:
            self._listeners.close()
            raise

    @property
    def listening(self) -> bool:
        """Whether messages come."""
        return self._listeners.listening

    def arrived(self) -> list[Push]:
        """The messages that have come, without waiting."""
        return self._listeners.arrived()

    def await_news(self) -> None:
        """Wait until messages may have come, for a moment."""
        self._listeners.await_news()

    def close(self) -> None:
        """Close all connections. Safe to call twice; a command would open them again."""
        self._transaction.reset()
        self._listeners.close()
        self.nodes.close()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


OWN: dict[bytes, Callable[[Cluster, list[bytes]], Reply]] = {
    b"SELECT": Cluster._select,
    b"SCAN": Cluster._scan,
    b"INFO": Cluster._info,
    b"CLUSTER": Cluster._cluster,
    b"MONITOR": Cluster._listen,
    b"AUTH": Cluster._identify,
    b"HELLO": Cluster._identify,
    b"RESET": Cluster._reset,
    b"QUIT": Cluster._quit,
    **dict.fromkeys(SUBSCRIBING, Cluster._listen),
}
