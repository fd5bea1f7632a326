"""Whether a user may run a command: the database, the command itself, its keys, its channels."""

from __future__ import annotations

from redtool.acl.selectors import READ, WRITE
from redtool.commands.categories import categories
from redtool.commands.keyspecs import found_keys, key_specs
from redtool.numeric import is_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from redtool.acl.selectors import Selector
    from redtool.acl.users import User
    from redtool.commands.table import Command
    from redtool.session import Argv

    Denial = tuple[int, int]  # why, and which word

DATABASE, COMMAND, KEY, CHANNEL = range(4)  # of two selectors' denials the greater is told
NEEDS = {"access": READ, "insert": WRITE, "delete": WRITE, "update": WRITE}
PATTERN_CHANNELS = frozenset(("PSUBSCRIBE",))
CHANNELS = frozenset(("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"))
ONE_CHANNEL = frozenset(("PUBLISH", "SPUBLISH"))
EVERY_DATABASE = frozenset(("FLUSHALL", "CLUSTER CANCELSLOTMIGRATIONS", "CLUSTER MIGRATESLOTS", "CLUSTER FLUSHSLOT"))



class Traits:
    """What judging a command needs of its declaration, worked out once."""

    __slots__ = ("anyone", "has_keys", "uses_database")

    def __init__(self, command: Command) -> None:
        flags = command.flags
        self.anyone = "no_auth" in flags
        self.has_keys = any("not_key" not in spec.flags for spec in key_specs(command))
        looks = bool(flags & {"write", "readonly"}) or "keyspace" in categories(command)
        self.uses_database = looks or self.has_keys  # looks into the selected database


_traits: dict[Command, Traits] = {}


def traits(command: Command) -> Traits:
    known = _traits.get(command)
    if known is None:
        known = _traits[command] = Traits(command)
    return known


def denied(user: User, db: int, command: Command, argv: Argv, databases: int) -> Denial | None:
    """What forbids a command: of all selectors the one that gets furthest. None when one of them allows it."""
    worst = (DATABASE, 0)
    for selector in user.selectors:
        found = judge(selector, db, command, argv, databases)
        if found is None:
            return None
        worst = max(worst, found)
    return worst


def judge(selector: Selector, db: int, command: Command, argv: Argv, databases: int) -> Denial | None:
    """What forbids a command in one selector."""
    if selector.databases is not None and (place := _database(selector, db, command, argv, databases)) is not None:
        return DATABASE, place
    known = traits(command)
    if not known.anyone:
        allowed, firsts = selector.verdict(command)
        if not allowed and not (firsts and len(argv) > 1 and argv[1].lower() in firsts):
            return COMMAND, 0
    if known.has_keys and not selector.all_keys:
        for place, needs in keys(command, argv):
            if not may_touch(selector, argv[place], needs):
                return KEY, place
    if not selector.all_channels:
        for place in channels(command, argv):
            if not may_listen(selector, argv[place], command.name in PATTERN_CHANNELS):
                return CHANNEL, place
    return None


def keys(command: Command, argv: Argv) -> Iterator[tuple[int, int]]:
    """(place, READ | WRITE) of each key of a line; none where the line does not tell."""
    for place, flags in found_keys(command, argv) or ():
        if "not_key" not in flags:
            needs = 0
            for flag in flags:
                needs |= NEEDS.get(flag, 0)
            yield place, needs


def may_touch(selector: Selector, key: bytes, needs: int) -> bool:
    """Whether one pattern gives all that is needed of a key."""
    return any(needs & access == needs and matches(key) for access, matches in selector.patterns.values())


def channels(command: Command, argv: Argv) -> range:
    """The places of the channels of a line that sends or listens."""
    if command.name in ONE_CHANNEL:
        return range(1, min(2, len(argv)))
    return range(1, len(argv) if command.name in CHANNELS else 1)


def may_listen(selector: Selector, channel: bytes, is_pattern: bool) -> bool:
    """Whether a channel may be used; a pattern must be given literally, for it may match anything."""
    if is_pattern:
        return channel in selector.channels
    return any(matches(channel) for matches in selector.channels.values())


def may_read_all(user: User, command: Command, argv: Argv) -> bool:
    """Whether a command may read any key: SORT's BY and GET may name all of them."""
    for selector in user.selectors:
        if selector.all_keys or any(text == b"*" and access & READ for text, (access, _) in selector.patterns.items()):
            allowed, firsts = selector.verdict(command)
            if allowed or (len(argv) > 1 and argv[1].lower() in firsts):
                return True
    return False


# -- databases


def _database(selector: Selector, db: int, command: Command, argv: Argv, databases: int) -> int | None:
    """The word that tells of a database which is not allowed, 0 for the selected one; None when all are."""
    allowed = selector.databases or frozenset()
    if command.name in EVERY_DATABASE:
        return None if len(allowed.intersection(range(databases))) == databases else 0
    named = list(_named(command, argv, databases))
    for place in named:
        if int(argv[place]) not in allowed:
            return place
    if command.name in ("SELECT", "SWAPDB") or db in allowed or not traits(command).uses_database:
        return None
    return 0


def _named(command: Command, argv: Argv, databases: int) -> Iterator[int]:
    """The places of the databases that a line names."""
    places: list[int] = []
    if command.name == "SELECT":
        places = [1]
    elif command.name == "SWAPDB":
        places = [1, 2]
    elif command.name == "MOVE":
        places = [2]
    elif command.name == "COPY":
        places = [at + 1 for at in range(3, len(argv) - 1) if argv[at].upper() == b"DB"]
    for place in places:
        if place < len(argv) and is_int(argv[place]) and 0 <= int(argv[place]) < databases:
            yield place
