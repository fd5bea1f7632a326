"""ACL categories of a command: what follows from its flags and group, and the few that do not."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.commands.table import Command

BY_FLAG = {"write": "write", "readonly": "read", "pubsub": "pubsub", "blocking": "blocking"}
BY_GROUP = {
    "generic": "keyspace", "sorted_set": "sortedset", "transactions": "transaction", "server": "", "cluster": "",
}  # fmt: skip
CATEGORIES = (
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo", "stream",
    "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
)  # fmt: skip

# Instead of the category of the group, for these.
INSTEAD = {
    **dict.fromkeys(("SORT", "SORT_RO"), "list set sortedset dangerous"),
    **dict.fromkeys(("WAIT", "WAITAOF", "READONLY", "READWRITE", "ASKING"), "connection"),
    **dict.fromkeys(("ROLE", "LASTSAVE"), "admin dangerous"),
    **dict.fromkeys(("FLUSHDB", "FLUSHALL", "SWAPDB", "RESTORE-ASKING"), "keyspace dangerous"),
    **dict.fromkeys(("KEYS", "MIGRATE", "RESTORE"), "keyspace dangerous"),
    **dict.fromkeys(("DBSIZE", "CLUSTERSCAN", "CLUSTER FLUSHSLOT"), "keyspace"),
    "INFO": "dangerous",
    "PUBSUB HELP": "",
}


def categories(command: Command) -> frozenset[str]:
    """The categories of a command, without the ``@``; a module's have none in Redis 8.2."""
    flags = command.flags
    if "module" in flags:
        return frozenset()
    found = {name for flag, name in BY_FLAG.items() if flag in flags}
    found.add("fast" if "fast" in flags else "slow")
    if "admin" in flags:
        found |= {"admin", "dangerous"}
    group = BY_GROUP.get(command.group, command.group)
    if group == "scripting":
        found.discard("read")
    if command.name.split(" ")[0] == "COMMAND":
        found.add("connection")
    elif command.name in INSTEAD:
        found.update(INSTEAD[command.name].split())
    elif command.subs is None and group:
        found.add(group)
    return frozenset(found)
