"""Send commands to the nodes of a cluster, all nodes at once, and follow slots that move and masters that fall.

Commands of one slot keep their order. A command that a node has turned down (MOVED, ASK, TRYAGAIN, …), or never saw, is
sent again where it belongs; one that alters data and whose reply was lost is not: its reply is then the error
FateUnknown, and what comes after it goes on.
"""

from __future__ import annotations

from time import monotonic, sleep

from redtool.backends.connection import exchange_all
from redtool.backends.nodes import Lost
from redtool.backends.routing import only_reads
from redtool.backends.target import written
from redtool.backends.topology import redirect, unsettled
from redtool.errors import ConnectError, FateUnknown, ReplyError
from redtool.resp import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from redtool.backends.connection import Exchange
    from redtool.backends.remote import Remote
    from redtool.backends.topology import Address
    from redtool.resp import Reply

    class Places(Protocol):
        """Who serves what: the nodes of a cluster, or the master that sentinels name."""

        warn: Callable[[str], None] | None

        def owner(self, slot: int) -> Address: ...

        def node(self, address: Address) -> Remote: ...

        def refresh(self, failed: Address | None = None, moved: dict[int, Address] | None = None) -> None: ...


PATIENCE = 30.0  # seconds to wait for a new master: a cluster notices after cluster-node-timeout, 15 s unless changed
NOTICE = 1.0  # seconds after which a person is told what is waited for
PAUSES = (0.01, 0.05, 0.1, 0.25)  # seconds between looks; the last one again and again
HASTE = 8  # redirections that are followed at once; the cluster is rearranging itself when there are more


class Job:
    """A command on its way. ``slot`` finds its node, ``fixed`` is the node whatever the slots say; ``done`` when it
    has its ``reply``.
    """

    __slots__ = ("asked", "done", "fixed", "refusal", "reply", "slot", "words")

    def __init__(self, words: list[bytes], slot: int, fixed: Address | None = None) -> None:
        self.words, self.slot, self.fixed = words, slot, fixed
        self.asked: Address | None = None  # where ASK sends it, this once
        self.done = False
        self.reply: Reply = None
        self.refusal: ReplyError | None = None  # why the last node has not run it

    def finish(self, reply: Reply) -> None:
        self.done, self.reply = True, reply


class Part:
    """What goes to one node in one round. ``counts`` are the replies each job is due: ASKING has one of its own."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.jobs: list[Job] = []
        self.counts: list[int] = []
        self.lines: list[list[bytes]] = []
        self.replies: list[Reply] = []
        self.exchange: Exchange | None = None

    def add(self, job: Job) -> None:
        asking = [[b"ASKING"]] if job.asked is not None else []
        self.jobs.append(job)
        self.counts.append(len(asking) + 1)
        self.lines += [*asking, job.words]
        job.asked = None

    def settle(self, sent: int) -> tuple[list[Job], dict[int, Address], ReplyError | None]:
        """Take over the replies; gives jobs to send again, slots that moved, and what says: not now.

        ``sent`` bytes left. A command not all of which was sent has not run.
        """
        again: list[Job] = []
        moved: dict[int, Address] = {}
        later: ReplyError | None = None
        came, at, size = len(self.replies), 0, 0
        for job, count in zip(self.jobs, self.counts, strict=True):
            at += count
            if at <= came:
                reply = self.replies[at - 1]
                if type(reply) is not ReplyError or not self._refused(job, reply, moved):
                    job.finish(reply)
                    continue
                later = later if job.asked or job.slot in moved else reply
                again.append(job)
                continue
            if came < at - count + 1 and not size:
                size = sum(len(pack(line)) for line in self.lines[: at - count])
            size += sum(len(pack(line)) for line in self.lines[at - count : at])
            if size > sent or only_reads(job.words):
                again.append(job)
            else:
                job.finish(FateUnknown(written(*self.address), job.words[0].decode("utf-8", "replace").upper()))
        return again, moved, later

    def _refused(self, job: Job, error: ReplyError, moved: dict[int, Address]) -> bool:
        """Whether the node has not run the command, but another or a later one will."""
        if job.fixed is not None:
            return False
        to = redirect(error.message, self.address)
        if to is None:
            if not unsettled(error.message):
                return False
        elif to.slot != job.slot:
            return False  # made up by a script
        elif to.ask:
            job.asked = to.address
        else:
            moved[to.slot] = to.address
        job.refusal = error
        return True


class Patience:
    """How long trouble has lasted. ``wait`` sleeps a little; False when it has been long enough."""

    def __init__(self, warn: Callable[[str], None] | None = None, limit: float | None = None) -> None:
        self._warn, self._limit = warn, PATIENCE if limit is None else limit
        self.reset()

    def reset(self) -> None:
        self._began: float | None = None
        self._rounds, self._told = 0, False

    def wait(self, why: str) -> bool:
        now = monotonic()
        if self._began is None:
            self._began = now
        if now - self._began >= self._limit:
            return False
        if self._warn is not None and not self._told and now - self._began >= NOTICE:
            self._told = True
            self._warn(f"{why}; waiting up to {self._limit:.0f} s for another master")
        sleep(PAUSES[min(self._rounds, len(PAUSES) - 1)])
        self._rounds += 1
        return True


def dispatch(nodes: Places, jobs: Sequence[Job]) -> None:
    """Run jobs; each is ``done`` then. ConnectError when a node stays out of reach: those not done have not run."""
    pending, patience, turns = list(jobs), Patience(nodes.warn), 0
    while True:
        before = len(pending)
        pending, moved, trouble = _round(nodes, pending)
        if not pending:
            return
        if len(pending) < before:
            turns = 0
            patience.reset()
        turns += 1
        if trouble is None and turns <= HASTE:
            if moved:
                nodes.refresh(None, moved)
            continue
        if not patience.wait(str(trouble or pending[0].refusal)):
            break
        nodes.refresh(trouble.address if isinstance(trouble, Lost) else None)
    for job in pending:
        if job.refusal is not None:
            job.finish(job.refusal)  # what the nodes have said last
    if isinstance(trouble, ConnectError):
        raise trouble


def _round(nodes: Places,
           pending: list[Job]) -> tuple[list[Job], dict[int, Address], ConnectError | ReplyError | None]:  # fmt: skip
    """Send all that is pending once; gives what is still to be sent, slots that moved, and what is in the way."""
    parts: dict[Address, Part] = {}
    rest: list[Job] = []
    trouble: ConnectError | ReplyError | None = None
    for job in pending:
        try:
            address = job.fixed or job.asked or nodes.owner(job.slot)
        except ReplyError as error:
            job.refusal = trouble = error
            rest.append(job)
            continue
        part = parts.get(address)
        if part is None:
            part = parts[address] = Part(address)
        part.add(job)
    for part in parts.values():
        try:
            part.exchange = nodes.node(part.address).begin(part.lines, part.replies)
        except ConnectError as error:
            trouble = Lost(part.address, str(error))
            rest += part.jobs
    begun = [part for part in parts.values() if part.exchange is not None]
    try:
        exchange_all([part.exchange for part in begun if part.exchange is not None])
    except BaseException:  # Ctrl-C: replies that come later would be taken for others'
        for part in begun:
            nodes.node(part.address).close()
        raise
    moved: dict[int, Address] = {}
    for part in begun:
        lost = part.exchange.lost if part.exchange is not None else None
        again, gone, later = part.settle(nodes.node(part.address).sent)
        rest += again
        moved |= gone
        trouble = later or trouble
        if lost is not None:
            nodes.node(part.address).close()
            trouble = Lost(part.address, f"{written(*part.address)}: {lost}")
    if len(rest) > 1:
        place = {id(job): at for at, job in enumerate(pending)}
        rest.sort(key=lambda job: place[id(job)])
    return rest, moved, trouble
