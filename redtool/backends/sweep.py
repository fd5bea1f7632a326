"""SCAN over a whole cluster: one node after the other, and at the end what has moved between them meanwhile.

A cursor holds the node's own cursor and the lowest slot of its shard (cursor * 16384 + slot), so that an iteration may
go on in another process. Where the one that began it also ends it, SCAN's promise holds while slots move and masters
fall: a key that is there all the while is given at least once. (Unless its slot goes away and comes back meanwhile.)
"""

from __future__ import annotations

from redtool.backends.dispatch import Job, dispatch
from redtool.backends.routing import ANY
from redtool.commands.cluster import SLOTS
from redtool.errors import ReplyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.backends.nodes import Nodes
    from redtool.backends.topology import Address, Shard
    from redtool.resp import Reply

KEPT = 1000  # iterations that are remembered
TOGETHER = 256  # slots whose keys are fetched at a time


class Iteration:
    """What this process knows of an iteration: who had which slots when it began, and where its cursor is from."""

    __slots__ = ("address", "moved", "owned")

    def __init__(self, owned: dict[Address, set[int]]) -> None:
        self.owned = owned
        self.address: Address | None = None
        self.moved: list[tuple[Address, int]] | None = None  # at the end: where which slots are to be looked through


class Sweep:
    """SCAN's state, between one cursor and the next."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._iterations: dict[int, Iteration] = {}

    def run(self, words: list[bytes]) -> Reply:
        """Run one SCAN; an error is a value."""
        if len(words) < 2 or not words[1].isdigit():
            return self._one(Job(words, ANY))  # a node says what is wrong with it
        cursor, low = divmod(int(words[1]), SLOTS)
        known = self._iterations.pop(int(words[1]), None) if cursor or low else None
        this = known or Iteration({address: set(slots) for address, slots, _ in self._holdings()})
        if this.moved is not None:
            return self._moved(this, words)
        shard = self._nodes.topology.after(low - 1)
        if cursor:
            owner = self._nodes.topology.owners[low]
            cursor = cursor if owner is not None else 0
            shard = next((each for each in self._nodes.topology.shards if each.master == owner), shard)
        if shard is None:
            return [b"0", []]
        if cursor and this.address not in (None, shard.master):
            cursor = 0  # another node serves it now, and cursors are a node's own
        return self._page(this, shard, low if cursor else shard.low, cursor, words)

    def _page(self, this: Iteration, shard: Shard, low: int, cursor: int, words: list[bytes]) -> Reply:
        job = Job([words[0], b"%d" % cursor, *words[2:]], low)
        reply: Any = self._one(job)
        if isinstance(reply, ReplyError):
            return reply
        served = self._nodes.topology.owners[low]
        if cursor and served != shard.master:  # it fell while it was asked: its successor begins anew
            job = Job([words[0], b"0", *words[2:]], low)
            reply = self._one(job)
            if isinstance(reply, ReplyError):
                return reply
        this.address = self._nodes.topology.owners[low]
        further = int(reply[0])
        if further:
            return [self._keep(this, further * SLOTS + low), reply[1]]
        this.address = None
        following = self._nodes.topology.after(low)
        if following is not None:
            return [self._keep(this, following.low), reply[1]]
        this.moved = self._look_back(this)
        return [self._keep(this, this.moved[0][1] or SLOTS) if this.moved else b"0", reply[1]]

    def _keep(self, this: Iteration, cursor: int) -> bytes:
        self._iterations[cursor] = this
        if len(self._iterations) > KEPT:
            del self._iterations[next(iter(self._iterations))]
        return b"%d" % cursor

    def _look_back(self, this: Iteration) -> list[tuple[Address, int]]:
        """Where keys may have come from a node not yet gone through to one that was: slots that a master has, or is
        taking over, and had not at the beginning. Each is asked itself: what the others know of it comes later.
        """
        self._nodes.refresh()
        nothing: set[int] = set()
        return [(address, slot) for address, slots, coming in self._holdings() for slot in slots + coming
                if slot not in this.owned.get(address, nothing)]  # fmt: skip

    def _holdings(self) -> list[tuple[Address, list[int], list[int]]]:
        """Ask each master for the slots that it has, and those that it is taking over."""
        shards = self._nodes.topology.shards
        jobs = [Job([b"CLUSTER", b"NODES"], shard.low) for shard in shards]
        dispatch(self._nodes, jobs)
        return [(shard.master, *_own(job.reply)) for shard, job in zip(shards, jobs, strict=True)]

    def _moved(self, this: Iteration, words: list[bytes]) -> Reply:
        """Give the keys of some slots that moved."""
        assert this.moved is not None
        part, this.moved = this.moved[:TOGETHER], this.moved[TOGETHER:]
        keys: list[bytes] = []
        counts = [Job([b"CLUSTER", b"COUNTKEYSINSLOT", b"%d" % slot], slot, address) for address, slot in part]
        dispatch(self._nodes, counts)
        lists = [Job([b"CLUSTER", b"GETKEYSINSLOT", b"%d" % job.slot, b"%d" % job.reply], job.slot, job.fixed)
                 for job in counts if isinstance(job.reply, int) and job.reply]  # fmt: skip
        dispatch(self._nodes, lists)
        for job in lists:
            keys += job.reply if isinstance(job.reply, list) else []
        cursor = self._keep(this, this.moved[0][1] or SLOTS) if this.moved else b"0"
        return [cursor, self._wanted(keys, words)]

    def _wanted(self, keys: list[bytes], words: list[bytes]) -> list[bytes]:
        """Those that MATCH and TYPE let through."""
        from redtool.commands.cluster import slot_of
        from redtool.globs import matcher

        options = {words[at].upper(): words[at + 1] for at in range(2, len(words) - 1, 2)}
        if b"MATCH" in options:
            fits = matcher(options[b"MATCH"])
            keys = [key for key in keys if fits(key)]
        if b"TYPE" in options:
            jobs = [Job([b"TYPE", key], slot_of(key)) for key in keys]
            dispatch(self._nodes, jobs)
            kind = options[b"TYPE"].lower()
            keys = [job.words[1] for job in jobs if job.reply == kind]
        return keys

    def _one(self, job: Job) -> Reply:
        dispatch(self._nodes, [job])
        return job.reply


def _own(reply: Reply) -> tuple[list[int], list[int]]:
    """The slots of the node whose CLUSTER NODES it is, and those it takes over: 0-99 100 [101-<-node] on its line."""
    text = bytes(reply).decode() if isinstance(reply, bytes) else ""
    mine = next((line for line in text.splitlines() if "myself" in line), "")
    found: list[int] = []
    coming: list[int] = []
    for word in mine.split()[8:]:
        first, _, last = word.strip("[]").partition("-")
        if word[:1] != "[":
            found += range(int(first), int(last or first) + 1)
        elif last[:1] == "<":
            coming.append(int(first))
    return found, coming
