"""Where a command goes in a cluster, and how the replies of several nodes become one.

A key's slot is the CRC-16 of its hash tag. What has no key goes to any node, or to all of them, as the servers' own
request and response policies (the tips of COMMAND) say; commands on many keys are divided by slot where they can be.
"""

from __future__ import annotations

from binascii import crc_hqx

from redtool.commands.cluster import slot_of
from redtool.commands.table import find
from redtool.errors import ReplyError
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from redtool.commands.table import Command
    from redtool.resp import Reply

    Merge = Callable[[Sequence[Reply]], Reply]

ANY = -1  # no key: any node will do
CROSSED = "CROSSSLOT Keys in request don't hash to the same slot"

# The commands whose channels are routed as keys are; they have none in the table.
SHARDED = frozenset((b"SSUBSCRIBE", b"SUNSUBSCRIBE", b"SPUBLISH"))


def declared(words: Sequence[bytes]) -> Command | None:
    """The command, or subcommand, as redtool declares it."""
    found = find(words[0])
    if found is not None and found.subs and len(words) > 1:
        return found.subs.get(words[1].upper(), found)
    return found


def only_reads(words: Sequence[bytes]) -> bool:
    """Whether running the command twice is as good as once; what redtool does not know may write."""
    found = declared(words)
    return found is not None and "readonly" in found.flags


def keys_of(words: Sequence[bytes]) -> list[int]:
    """The positions of the keys, and of the channels of sharded pub/sub."""
    if words[0].upper() in SHARDED:
        return list(range(1, len(words)))[: 1 if words[0].upper() == b"SPUBLISH" else None]
    found = declared(words)
    return [] if found is None else found.syntax.keys(words)


class Router:
    """Tells slots. Keeps what it needs to know of commands with their key in one place, which most are."""

    def __init__(self) -> None:
        self._single: dict[bytes, int] = {}

    def slots(self, words: Sequence[bytes]) -> set[int]:
        """The slots of the command's keys; empty without any."""
        at = self._single.get(words[0])
        if at is None:
            self._learn(words[0])
            at = self._single[words[0]]
        if at > 0 and at < len(words):
            return {slot_of(words[at])}
        return {slot_of(words[at]) for at in keys_of(words)}

    def _learn(self, name: bytes) -> None:
        found = find(name)
        at = 0
        if found is not None and not found.subs and not found.flags & {"movablekeys"}:
            first, last, _ = found.syntax.key_spec
            at = first if first == last else 0
        self._single[name] = at


def divided(words: Sequence[bytes]) -> list[tuple[list[bytes], list[int]]] | None:
    """Divide a command on many keys by slot: (command, which of the keys are in it). None when it cannot be.

    The parts are no longer one atomic step.
    """
    width = DIVISIBLE.get(words[0].upper(), 0)
    if not width or len(words) % width != 1 % width:
        return None
    parts: dict[int, tuple[list[bytes], list[int]]] = {}
    for place, at in enumerate(range(1, len(words), width)):
        part, places = parts.setdefault(slot_of(words[at]), ([words[0]], []))
        part += words[at : at + width]
        places.append(place)
    return list(parts.values())


# command -> words a key, for those that the servers' tips call multi_shard
DIVISIBLE = {b"MGET": 1, b"MSET": 2, b"DEL": 1, b"UNLINK": 1, b"EXISTS": 1, b"TOUCH": 1}


# -- replies of several nodes made one; errors are values


def failed(replies: Sequence[Reply]) -> ReplyError | None:
    return next((reply for reply in replies if isinstance(reply, ReplyError)), None)


def succeeded(replies: Sequence[Reply]) -> Reply:
    """All must have succeeded."""
    return failed(replies) or replies[0]


def one_succeeded(replies: Sequence[Reply]) -> Reply:
    return next((reply for reply in replies if not isinstance(reply, ReplyError)), replies[0])


def total(replies: Sequence[Reply]) -> Reply:
    return failed(replies) or sum(reply for reply in replies if isinstance(reply, int))


def least(replies: Sequence[Reply]) -> Reply:
    """The least number; of lists (WAITAOF) element by element."""
    if (error := failed(replies)) is not None:
        return error
    if isinstance(replies[0], list):
        return [min(row) for row in zip(*replies, strict=False)]
    return min(replies)  # type: ignore[type-var]


def joined(replies: Sequence[Reply]) -> Reply:
    """One list of all lists, one map of all maps."""
    if (error := failed(replies)) is not None:
        return error
    if isinstance(replies[0], dict):
        return {name: value for reply in replies if isinstance(reply, dict) for name, value in reply.items()}
    if isinstance(replies[0], set):
        return {item for reply in replies if isinstance(reply, set) for item in reply}
    return [item for reply in replies if isinstance(reply, list) for item in reply]


def newest(replies: Sequence[Reply]) -> Reply:
    """Entries of slow logs, [id, unix time, …], the newest first."""
    entries: Any = joined(replies)
    return sorted(entries, key=lambda entry: -entry[1]) if isinstance(entries, list) else entries


def any_key(replies: Sequence[Reply]) -> Reply:
    """RANDOMKEY: of a node that has keys, and not always of the same one."""
    found = [reply for reply in replies if isinstance(reply, bytes)]
    return found[crc_hqx(b"".join(found), 0) % len(found)] if found else failed(replies)


def counted(replies: Sequence[Reply]) -> Reply:
    """PUBSUB NUMSUB: a number a name, [name, n, …] or a map, added up over the nodes."""
    if (error := failed(replies)) is not None:
        return error
    sums: dict[Any, int] = {}
    reply: Any
    for reply in replies:
        for name, count in reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True):
            sums[name] = sums.get(name, 0) + count
    return [part for pair in sums.items() for part in pair] if isinstance(replies[0], list) else dict(sums)


def distinct(replies: Sequence[Reply]) -> Reply:
    """PUBSUB CHANNELS: each name once."""
    names = joined(replies)
    return list(dict.fromkeys(names)) if isinstance(names, list) else names


def restored(words: Sequence[bytes], parts: Sequence[tuple[list[bytes], list[int]]], replies: Sequence[Reply]) -> Reply:
    """The reply of a divided command: values in the order of its keys, sums, or OK."""
    if (error := failed(replies)) is not None:
        return error
    if words[0].upper() == b"MSET":
        return OK
    if words[0].upper() != b"MGET":
        return total(replies)
    values: list[Reply] = [None] * (len(words) - 1)
    for (_, places), found in zip(parts, replies, strict=True):
        for place, value in zip(places, found if isinstance(found, list) else (), strict=True):
            values[place] = value
    return values


# (whether replicas are asked too, how the replies become one; None: shown node by node)
Policy = tuple[bool, "Merge | None"]


def _policies() -> dict[bytes, Policy]:
    masters: dict[Merge | None, str] = {
        total: "DBSIZE",
        succeeded: "FLUSHALL FLUSHDB PING SAVE BGSAVE BGREWRITEAOF FUNCTION|DELETE FUNCTION|FLUSH FUNCTION|RESTORE "
                   "FUNCTION|LOAD MEMORY|PURGE",
        one_succeeded: "FUNCTION|KILL SCRIPT|KILL",
        joined: "KEYS",
        any_key: "RANDOMKEY",
        least: "SCRIPT|EXISTS WAIT WAITAOF",
        distinct: "PUBSUB|SHARDCHANNELS",
        counted: "PUBSUB|SHARDNUMSUB",
        None: "FUNCTION|STATS MEMORY|DOCTOR MEMORY|MALLOC-STATS MEMORY|STATS",
    }  # fmt: skip
    everybody: dict[Merge | None, str] = {
        succeeded: "ACL|DELUSER ACL|SETUSER ACL|SAVE ACL|LOAD CONFIG|RESETSTAT CONFIG|REWRITE CONFIG|SET SCRIPT|FLUSH "
                   "SCRIPT|LOAD SLOWLOG|RESET COMMANDLOG|RESET",
        total: "SLOWLOG|LEN COMMANDLOG|LEN LATENCY|RESET PUBSUB|NUMPAT",
        newest: "SLOWLOG|GET COMMANDLOG|GET",
        distinct: "PUBSUB|CHANNELS",
        counted: "PUBSUB|NUMSUB",
        None: "LATENCY|DOCTOR LATENCY|GRAPH LATENCY|HISTOGRAM LATENCY|HISTORY LATENCY|LATEST",
    }  # fmt: skip
    found: dict[bytes, Policy] = {}
    for replicas, table in ((False, masters), (True, everybody)):
        for merge, names in table.items():
            found |= dict.fromkeys(names.encode().split(), (replicas, merge))
    return found


POLICIES: dict[bytes, Policy] = _policies()


def policy(words: Sequence[bytes]) -> Policy | None:
    """Of a command that concerns more than one node."""
    name = words[0].upper()
    found = POLICIES.get(name)
    return found or (POLICIES.get(b"%b|%b" % (name, words[1].upper())) if len(words) > 1 else None)
