"""CLUSTER and its companions, as a server answers that is no member of a cluster.

All but CLUSTER KEYSLOT, which needs no cluster, say that there is none.
"""

from __future__ import annotations

from binascii import crc_hqx

from redtool import errors
from redtool.commands.table import declare_help, group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.commands.table import Handler
    from redtool.resp import Reply
    from redtool.session import Session

command = group("cluster")

SLOTS = 16384
CHANGING = "admin stale no_async_loading"
CONNECTION = "fast loading stale"


def slot_of(key: bytes) -> int:
    """The slot of a key, 0 to 16383: CRC-16/XMODEM of it, or of what stands in its first ``{…}``."""
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return crc_hqx(key, 0) & 0x3FFF


@command("CLUSTER KEYSLOT key", "stale", since="3.0.0", complexity="O(N) bytes", keys=(0, 0, 0))
def cluster_keyslot(c: Session, key: bytes) -> Reply:
    """Give the slot of a key, from 0 to 16383.

    > CLUSTER KEYSLOT user:1000
    (integer) 1649
    > CLUSTER KEYSLOT {user:1000}.cart
    (integer) 1649
    """
    return slot_of(key)


def refusing(summary: str, name: str = "CLUSTER INFO") -> Handler:
    """A handler that says that there is no cluster, with its documentation."""

    def handler(c: Session, *words: bytes) -> Reply:
        raise errors.NoCluster

    handler.__doc__ = f"{summary}\n\n    > {name}\n    (error) {errors.NoCluster.text}\n    "
    return handler


def declare(rows: str, flags: str) -> None:
    """Declare subcommands from lines of ``since | syntax line | summary``."""
    for row in rows.strip().splitlines():
        since, line, summary = (part.strip() for part in row.split(" : "))
        command(line, flags, since=since)(refusing(summary, EXAMPLES.get(line.split()[1], line)))


EXAMPLES = {
    "ADDSLOTS": "CLUSTER ADDSLOTS 1 2 3",
    "ADDSLOTSRANGE": "CLUSTER ADDSLOTSRANGE 0 5460",
    "COUNT-FAILURE-REPORTS": "CLUSTER COUNT-FAILURE-REPORTS 07c37df",
    "COUNTKEYSINSLOT": "CLUSTER COUNTKEYSINSLOT 1649",
    "DELSLOTS": "CLUSTER DELSLOTS 1 2 3",
    "DELSLOTSRANGE": "CLUSTER DELSLOTSRANGE 0 5460",
    "FAILOVER": "CLUSTER FAILOVER",
    "FLUSHSLOT": "CLUSTER FLUSHSLOT 1649",
    "FORGET": "CLUSTER FORGET 07c37df",
    "GETKEYSINSLOT": "CLUSTER GETKEYSINSLOT 1649 10",
    "MEET": "CLUSTER MEET 127.0.0.1 7001",
    "MIGRATESLOTS": "CLUSTER MIGRATESLOTS SLOTSRANGE 0 10 NODE 07c37df",
    "REPLICAS": "CLUSTER REPLICAS 07c37df",
    "REPLICATE": "CLUSTER REPLICATE 07c37df",
    "RESET": "CLUSTER RESET",
    "SET-CONFIG-EPOCH": "CLUSTER SET-CONFIG-EPOCH 1",
    "SETSLOT": "CLUSTER SETSLOT 1649 STABLE",
    "SLAVES": "CLUSTER SLAVES 07c37df",
    "SLOT-STATS": "CLUSTER SLOT-STATS SLOTSRANGE 0 10",
    "SYNCSLOTS": "CLUSTER SYNCSLOTS FINISH",
}

declare(
    """
    3.0.0 : CLUSTER ADDSLOTS slot [slot ...] : Make a node of a cluster serve slots.
    7.0.0 : CLUSTER ADDSLOTSRANGE start-slot end-slot [start-slot end-slot ...] : Make a node serve ranges of slots.
    3.0.0 : CLUSTER BUMPEPOCH : Raise the epoch of a node's configuration.
    9.0.0 : CLUSTER CANCELSLOTMIGRATIONS : Stop the slot migrations of a node.
    3.0.0 : CLUSTER DELSLOTS slot [slot ...] : Make a node of a cluster give up slots.
    7.0.0 : CLUSTER DELSLOTSRANGE start-slot end-slot [start-slot end-slot ...] : Make a node give up ranges of slots.
    3.0.0 : CLUSTER FAILOVER [FORCE | TAKEOVER] : Let a replica take its primary's place.
    3.0.0 : CLUSTER FLUSHSLOTS : Make a node of a cluster forget all its slots.
    3.0.0 : CLUSTER FORGET node-id : Take a node off a cluster's list.
    9.0.0 : CLUSTER GETSLOTMIGRATIONS : List the slot migrations of a node.
    3.0.0 : CLUSTER MEET ip port [cluster-bus-port] : Make two nodes of a cluster known to each other.
    3.0.0 : CLUSTER REPLICATE node-id : Make a node the replica of another.
    3.0.0 : CLUSTER SAVECONFIG : Write a node's cluster configuration to disk.
    3.0.0 : CLUSTER SET-CONFIG-EPOCH config-epoch : Give a new node the epoch of its configuration.
    3.0.0 : CLUSTER SETSLOT slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE> [TIMEOUT timeout] : Tell a node where a slot belongs, or goes.
    """,  # noqa: E501
    CHANGING,
)
declare(
    "9.0.0 : CLUSTER FLUSHSLOT slot [ASYNC | SYNC] : Remove every key of a slot.",
    f"write {CHANGING.replace(' stale', '')}",
)
declare(
    """
    3.0.0 : CLUSTER COUNT-FAILURE-REPORTS node-id : Count how many nodes report a node as failing.
    5.0.0 : CLUSTER REPLICAS node-id : List the replicas of a node.
    3.0.0 : CLUSTER SLAVES node-id : List the replicas of a node; the older name.
    """,
    "admin stale",
)
declare("3.0.0 : CLUSTER RESET [HARD | SOFT] : Make a node forget its cluster.", "admin noscript stale")
declare(
    """
    3.0.0 : CLUSTER COUNTKEYSINSLOT slot : Count the keys of a slot.
    3.0.0 : CLUSTER GETKEYSINSLOT slot count : List keys of a slot.
    3.0.0 : CLUSTER INFO : Describe the state of a node's cluster.
    7.0.0 : CLUSTER LINKS : List the connections between the nodes.
    3.0.0 : CLUSTER MYID : Give the id of a node.
    7.2.0 : CLUSTER MYSHARDID : Give the id of a node's shard.
    3.0.0 : CLUSTER NODES : List the nodes of a cluster.
    """,
    "stale",
)
declare(
    """
    7.0.0 : CLUSTER SHARDS : List the shards of a cluster, their slots and nodes.
    8.2.0 : CLUSTER SLOT-STATS <SLOTSRANGE start-slot end-slot | ORDERBY metric [LIMIT limit] [ASC | DESC]> : Give figures about slots.
    3.0.0 : CLUSTER SLOTS : List which node serves which slots.
    """,  # noqa: E501
    "loading stale",
)
for line, summary in (
    ("CLUSTER MIGRATESLOTS SLOTSRANGE start-slot end-slot [start-slot end-slot ...] NODE node-id [SLOTSRANGE "
     "start-slot end-slot [start-slot end-slot ...] NODE node-id ...]", "Move slots to other nodes."),
    ("CLUSTER SYNCSLOTS subcommand [argument [argument ...]]", "Carry slots from node to node; nodes say this."),
):  # fmt: skip
    arity = -4 if "MIGRATE" in line else -3
    command(line, CHANGING, since="9.0.0", arity=arity)(refusing(summary, EXAMPLES[line.split()[1]]))


declare_help(command, "CLUSTER", since="5.0.0")


scan = refusing("Go through the keys of a whole cluster, slot by slot.", "CLUSTERSCAN 0")
command("CLUSTERSCAN cursor [MATCH match-pattern] [COUNT count] [TYPE type] [SLOT slot]", "readonly", since="9.1.0",
        complexity="O(N) keys given")(scan)  # fmt: skip
command("ASKING", "fast", since="3.0.0")(refusing("Let the next command use a slot that is on its way here.", "ASKING"))
command("READONLY", CONNECTION, since="3.0.0")(refusing("Let a replica in a cluster answer reads.", "READONLY"))
command("READWRITE", CONNECTION, since="3.0.0")(refusing("Take READONLY back.", "READWRITE"))
