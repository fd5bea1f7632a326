"""What commands and values are: COMMAND and OBJECT."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import Command, declare_help, find, group, load_all
from redtool.engine.uses import Frequency, Recency
from redtool.resp import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from redtool.commands.keyspecs import KeySpec
    from redtool.resp import Reply
    from redtool.session import Session

command = group("server")
generic = group("generic")


def every(names: tuple[bytes, ...] = ()) -> Iterable[tuple[bytes, Command | None]]:
    """The commands of these names (``config|get`` is one), or all that are no subcommands."""
    if not names:
        return [(found.name.lower().encode(), found) for _, found in sorted(load_all().items())]
    return [(name, named(name.split(b"|"))) for name in names]


def named(words: list[bytes]) -> Command | None:
    """The command of a name of one or two words."""
    found = find(words[0])
    if found is None or len(words) == 1:
        return found
    return (found.subs or {}).get(words[1].upper()) if len(words) == 2 else None


def statuses(words: Iterable[str]) -> set[Status]:
    return {Status(word.encode()) for word in words}


def description(found: Command | None) -> Reply:
    """What COMMAND INFO gives: ten elements, nil for an unknown command."""
    if found is None:
        return None
    from redtool.commands.categories import categories
    from redtool.commands.docs import full_name
    from redtool.commands.keyspecs import key_specs

    first, last, step = found.syntax.key_spec
    specs: list[Reply] = [_spec(spec) for spec in key_specs(found)]
    subs: list[Reply] = [description(sub) for sub in (found.subs or {}).values()]
    acl = statuses("@" + name for name in categories(found))
    return [full_name(found), found.syntax.arity, statuses(found.flags), first, last, step, acl, set(), specs, subs]


def _spec(spec: KeySpec) -> Reply:
    """A key specification as a map."""
    search: dict[Reply, Reply] = {}
    find: dict[Reply, Reply] = {}
    if spec.search[0] == "index":
        search = {b"index": spec.search[1]}
    elif spec.search[0] == "keyword":
        search = {b"keyword": str(spec.search[1]).encode(), b"startfrom": spec.search[2]}
    names = {"range": (b"lastkey", b"keystep", b"limit"), "keynum": (b"keynumidx", b"firstkey", b"keystep")}
    if str(spec.find[0]) in names:
        find = dict(zip(names[str(spec.find[0])], spec.find[1:], strict=True))
    return {
        b"flags": statuses(spec.flags),
        b"begin_search": {b"type": str(spec.search[0]).encode(), b"spec": search},
        b"find_keys": {b"type": str(spec.find[0]).encode(), b"spec": find},
    }


@command("COMMAND", "loading stale", since="2.8.13", complexity="O(N) commands")
def command_(c: Session) -> Reply:
    """Describe every command as COMMAND INFO does.

    > COMMAND
    …
    """
    return [description(found) for _, found in every()]


@command("COMMAND COUNT", "loading stale", since="2.8.13")
def command_count(c: Session) -> Reply:
    """Count the commands.

    > COMMAND COUNT
    (integer) …
    """
    return len(load_all())


@command("COMMAND INFO [command-name [command-name ...]]", "loading stale", since="2.8.13", complexity="O(N) names")
def command_info(c: Session, *names: bytes) -> Reply:
    """Give arity, flags, key positions and ACL categories of commands, or of all.

    > COMMAND INFO get
    1)  1) "get"
        2) (integer) 2
    …
    """
    return [description(found) for _, found in every(names)]


@command("COMMAND DOCS [command-name [command-name ...]]", "loading stale", since="7.0.0", complexity="O(N) names")
def command_docs(c: Session, *names: bytes) -> Reply:
    """Tell what commands do and which arguments they take, as a tree.

    > COMMAND DOCS hlen
    1) "hlen"
    2)  1) "summary"
        2) "…"
        3) "since"
        4) "2.0.0"
    …
    """
    from redtool.commands.docs import docs, full_name

    return {full_name(found): docs(found) for _, found in every(names) if found is not None}


@command("COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]", "loading stale",
         since="7.0.0", complexity="O(N) commands")  # fmt: skip
def command_list(c: Session, *words: bytes) -> Reply:
    """List the commands and subcommands, or those that a filter lets through.

    > COMMAND LIST FILTERBY PATTERN hincrby
    1) "hincrby"
    """
    from redtool.commands.categories import categories
    from redtool.commands.docs import full_name
    from redtool.globs import matcher

    found = [each for top in load_all().values() for each in (top, *(top.subs or {}).values())]
    if words:
        kind = words[1].upper() if len(words) == 3 and words[0].upper() == b"FILTERBY" else b""
        if kind == b"ACLCAT":
            wanted = words[2].decode("utf-8", "replace").lower()
            found = [each for each in found if wanted in categories(each)]
        elif kind == b"PATTERN":
            matches = matcher(words[2], ignore_case=True)
            found = [each for each in found if matches(full_name(each))]
        elif kind == b"MODULE":
            found = []
        else:
            raise errors.SyntaxError_
    return sorted(full_name(each) for each in found)


def located(argv: tuple[bytes, ...]) -> list[tuple[bytes, tuple[str, ...]]]:
    """(key, flags) of each key of a command line, or what a server says against it."""
    from redtool.commands.keyspecs import found_keys, key_specs

    found = find(argv[0])
    if found is not None and found.subs is not None and len(argv) > 1:
        found = found.subs.get(argv[1].upper())
    if found is None:
        raise errors.InvalidCommand
    if not key_specs(found):
        raise errors.NoKeyArguments
    if len(argv) < found.low or (len(argv) > found.high == found.low):  # a server has no upper bound but a fixed count
        raise errors.InvalidArgumentCount
    keys = found_keys(found, argv)
    if not keys and "no_mandatory_keys" not in found.flags:
        raise errors.InvalidArguments
    return [(argv[place], flags) for place, flags in keys or ()]


@command("COMMAND GETKEYS command [arg [arg ...]]", "loading stale", since="2.8.13", complexity="O(N) arguments")
def command_getkeys(c: Session, *argv: bytes) -> Reply:
    """Find the keys in a command line.

    > COMMAND GETKEYS MSET user:1 Ada user:2 Grace
    1) "user:1"
    2) "user:2"
    """
    return [key for key, _ in located(argv)]


@command("COMMAND GETKEYSANDFLAGS command [arg [arg ...]]", "loading stale", since="7.0.0",
         complexity="O(N) arguments")  # fmt: skip
def command_getkeysandflags(c: Session, *argv: bytes) -> Reply:
    """Find the keys in a command line, each with what the command would do to it.

    > COMMAND GETKEYSANDFLAGS EXISTS user:1 user:2
    1) 1) "user:1"
       2) 1) RO
    2) 1) "user:2"
       2) 1) RO
    """
    return [[key, statuses(flags)] for key, flags in located(argv)]


declare_help(command, "COMMAND", since="5.0.0")


# -- OBJECT


def encoding_of(c: Session, value: Any) -> bytes:
    """The name of how Redis would hold a value, under the limits configured."""
    if isinstance(value, (bytes, bytearray)):
        from redtool.engine.strings import encoding

        return encoding(value)
    name: bytes = value.encoding(c.config)
    return name


@generic("OBJECT ENCODING key", "readonly", since="2.2.3")
def object_encoding(c: Session, key: bytes) -> Reply:
    """Tell how Redis would hold the value: int, embstr, raw, listpack, hashtable ….

    > MSET visits 42 greeting "good morning"
    OK
    > OBJECT ENCODING visits
    "int"
    > OBJECT ENCODING greeting
    "embstr"
    """
    value = c.db.peek(key)
    return None if value is None else encoding_of(c, value)


def uses_lfu(c: Session) -> bool:
    """Whether the eviction policy in force counts accesses instead of noting the last."""
    return str(c.config["maxmemory-policy"]).endswith("-lfu")


def note_uses(c: Session) -> None:
    """Note from now on when keys are used, where nothing is noted yet."""
    for db in c.store.databases:
        if db.uses is None:
            db.uses = Recency(db.clock)


def idle_seconds(c: Session, key: bytes) -> int:
    """Seconds since a key was last used, or since somebody first asked: only then are accesses noted."""
    note_uses(c)
    return c.db.uses.idle(key) if type(c.db.uses) is Recency else 0


@generic("OBJECT IDLETIME key", "readonly", since="2.2.3")
def object_idletime(c: Session, key: bytes) -> Reply:
    """Give the seconds since a key was last used; counted from the first time asked.

    > SET greeting hello
    OK
    > OBJECT IDLETIME greeting
    (integer) 0
    """
    if c.db.peek(key) is None:
        return None
    if uses_lfu(c):
        raise errors.LfuOn
    return idle_seconds(c, key)


@generic("OBJECT FREQ key", "readonly", since="4.0.0")
def object_freq(c: Session, key: bytes) -> Reply:
    """Tell how often a key is used, as a logarithm; needs an LFU eviction policy.

    > CONFIG SET maxmemory-policy allkeys-lfu
    OK
    > SET greeting hello
    OK
    > OBJECT FREQ greeting
    (integer) …
    """
    if c.db.peek(key) is None:
        return None
    if type(c.db.uses) is not Frequency:
        raise errors.LfuOff
    return c.db.uses.count(key)


@generic("OBJECT REFCOUNT key", "readonly", since="2.2.3")
def object_refcount(c: Session, key: bytes) -> Reply:
    """Tell how many places hold the value: always one.

    > SET greeting hello
    OK
    > OBJECT REFCOUNT greeting
    (integer) 1
    """
    return None if c.db.peek(key) is None else 1


declare_help(generic, "OBJECT", since="6.2.0")
