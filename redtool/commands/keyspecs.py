"""Where the keys of a command are and what it does with them: COMMAND INFO's key specifications.

The places follow from the syntax tree; what a command does with a key (RO, RW, OW overwrite, RM remove,
and access, update, insert, delete) is declared here, for those that it does not follow for.
"""

from __future__ import annotations

from redtool import errors, notation
from redtool.notation import ARG, BAG, CHOICE, OPT, POOL, REP, SEQ, TOKEN
from redtool.numeric import to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redtool.commands.table import Command
    from redtool.notation import Node

# Flags of each key specification in turn, separated by a comma; a readonly command has "RO access" by default, a
# writing one "RW access update".
FLAGS = {
    name: tuple(flags.split(", "))
    for flags, names in {
        "RO": "EXISTS HEXISTS HLEN HSTRLEN LLEN SCARD SISMEMBER STRLEN TOUCH TYPE WATCH XLEN ZCARD MEMORY_USAGE "
        "OBJECT_ENCODING OBJECT_FREQ OBJECT_IDLETIME OBJECT_REFCOUNT",
        "RW insert": "APPEND HSETEX HSETNX LINSERT LPUSH LPUSHX RPUSH RPUSHX PFADD SADD XGROUP_CREATE "
        "XGROUP_CREATECONSUMER",
        "RW update": "EXPIRE EXPIREAT PEXPIRE PEXPIREAT PERSIST GEOADD HEXPIRE HEXPIREAT HPEXPIRE HPEXPIREAT HPERSIST "
        "HSET HMSET LSET SETRANGE XACK XADD XCLAIM XSETID XGROUP_SETID ZADD",
        "RW delete": "HDEL LREM LTRIM SREM XAUTOCLAIM XDEL XDELEX XTRIM XGROUP_DELCONSUMER XGROUP_DESTROY ZREM "
        "ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE",
        "RW access delete": "BLMPOP BLPOP BRPOP BZMPOP BZPOPMAX BZPOPMIN GETDEL HGETDEL LMPOP LPOP RPOP SPOP ZMPOP "
        "ZPOPMAX ZPOPMIN",
        "RW access delete, RW insert": "BLMOVE BRPOPLPUSH LMOVE RPOPLPUSH SMOVE",
        "RW access delete, OW update": "RENAME",
        "RW access delete, OW insert": "RENAMENX",
        "RW access delete, RW access delete incomplete": "MIGRATE",
        "RW access update variable_flags": "SET BITFIELD",
        "RW update delete": "XACKDEL",
        "RW access update": "VCARD VDIM VEMB VGETATTR VINFO VISMEMBER VLINKS VRANDMEMBER VSIM",
        "RW access": "PFCOUNT PFDEBUG",
        "RW access insert, RO access": "PFMERGE",
        "RO access, OW update": "COPY",
        "RO access, OW update variable_flags, OW update variable_flags": "GEORADIUS GEORADIUSBYMEMBER",
        "RO access, RO access, OW update": "SORT",
        "RO access": "XREADGROUP",
        "OW insert": "MSETNX SETNX",
        "OW update": "MSET MSETEX PSETEX SETEX RESTORE RESTORE-ASKING",
        "OW update, RO access": "BITOP GEOSEARCHSTORE SDIFFSTORE SINTERSTORE SUNIONSTORE ZDIFFSTORE ZINTERSTORE "
        "ZRANGESTORE ZUNIONSTORE",
        "RM delete": "DEL DELEX DELIFEQ UNLINK",
        "not_key": "SPUBLISH SSUBSCRIBE SUNSUBSCRIBE CLUSTERSCAN",
    }.items()
    for name in names.split()
}
UNKNOWN = {"SORT": 2, "SORT_RO": 1}  # how many of their keys no specification can point at
OPTIONS_FROM = {"XREADGROUP": 4, "MIGRATE": -2}  # from where the word before the keys is looked for, if declared so


class KeySpec:
    """One specification: ``search`` says where it begins, ``find`` which words from there are keys.

    search: ("index", place) | ("keyword", word, start) | ("unknown",)
    find: ("range", lastkey, step, limit) | ("keynum", place of the number, first, step) | ("unknown",)
    """

    __slots__ = ("find", "flags", "search")

    def __init__(self, flags: tuple[str, ...], search: tuple[str | int, ...], find: tuple[str | int, ...]) -> None:
        self.flags, self.search, self.find = flags, search, find


_known: dict[Command, list[KeySpec]] = {}


def key_specs(command: Command) -> list[KeySpec]:
    """All specifications of a command, in the order of its syntax line."""
    known = _known.get(command)
    if known is None:
        known = _known[command] = _derived(command)
    return known


def _derived(command: Command) -> list[KeySpec]:
    name = command.name
    declared = FLAGS.get(name.replace(" ", "_"), ())
    usual = "RO access" if "readonly" in command.flags else "RW access update"
    found = []
    for number, (search, find) in enumerate(_places(command)):
        flags = declared[min(number, len(declared) - 1)] if declared else usual
        found.append(KeySpec(tuple(flags.split()), search, find))
    return found


def _places(command: Command) -> Iterator[tuple[tuple[str | int, ...], tuple[str | int, ...]]]:
    syntax = command.syntax
    if "keys" in command.overrides:
        first, last, step = command.overrides["keys"]
        if first:
            yield ("index", first), ("range", last - first if last >= 0 else last, step, 0)
        return
    unknown = UNKNOWN.get(command.name, 0)
    start = len(syntax.name)
    for place in _walk(syntax.tree, start, OPTIONS_FROM.get(command.name)):
        if place[0][0] == "index" or not unknown:
            yield place
    for _ in range(unknown):
        yield ("unknown",), ("unknown",)


def _walk(tree: Node, at: int, options: int | None) -> Iterator[tuple[tuple[str | int, ...], tuple[str | int, ...]]]:
    """The places of keys among the parts of a tree; ``at`` is the position of its first word."""
    parts = tree.items if tree.kind in (SEQ, BAG) else (tree,)
    fixed = True
    for number, part in enumerate(parts):
        part = part.items[0] if part.kind == OPT and part.items[0].kind == REP else part
        before = parts[number - 1] if number else None
        if fixed and part.kind in (ARG, REP, CHOICE) and notation.has_key(part):
            if before is not None and before.text.startswith("num"):
                yield ("index", at - 1), ("keynum", 0, 1, notation.least(part.items[0]))
            elif part.kind == REP:
                after = sum(map(notation.least, parts[number + 1 :]))
                yield ("index", at), ("range", -1 - after, notation.least(part.items[0]), 0)
            else:
                yield ("index", at), ("range", 0, 1, 0)
        elif part.kind == POOL or (part.kind == ARG and not fixed and notation.has_key(part)):
            if before is not None and before.kind == TOKEN:
                yield _keyword(before, part, at - fixed if options is None else options)
        elif part.kind not in (ARG, TOKEN):
            yield from _options(part, at if options is None else options)
        fixed = fixed and (part.kind in (ARG, TOKEN) or notation.least(part) == notation.most(part))
        at += notation.least(part) if fixed else 0


def _options(part: Node, at: int) -> Iterator[tuple[tuple[str | int, ...], tuple[str | int, ...]]]:
    """Keys behind an option word, anywhere in a part."""
    items = part.items
    for number, item in enumerate(items[1:]):
        if items[number].kind == TOKEN and notation.has_key(item):
            yield _keyword(items[number], item, at)
            return
    for item in items:
        yield from _options(item, at)


def _keyword(word: Node, keys: Node, at: int) -> tuple[tuple[str | int, ...], tuple[str | int, ...]]:
    if keys.kind == POOL:  # half of the words to the end are keys
        return ("keyword", word.text, at), ("range", -1, 1, 2)
    return ("keyword", word.text, at), ("range", -1 if keys.kind == REP else 0, 1, 0)


# -- the keys of a command line


def found_keys(command: Command, argv: Sequence[bytes]) -> list[tuple[int, tuple[str, ...]]] | None:
    """(position, flags) of each key in a command line; None when the line does not tell."""
    keys: dict[int, tuple[str, ...]] = {}
    unknown: tuple[str, ...] = ()
    for spec in key_specs(command):
        if spec.search[0] == "unknown":
            unknown = spec.flags
            continue
        places = _resolve(spec, argv)
        if places is None and command.name.startswith("GEORADIUS"):  # STORE at the end of the line
            continue
        if places is None:
            return _loosely(command, spec, argv, [*keys])
        keys.update(dict.fromkeys(places, _precise(command.name, spec.flags, argv)))
    if command.name == "MIGRATE" and len(keys) > 1 and not argv[3]:  # the empty word that KEYS wants in a key's place
        del keys[3]
    if unknown:  # the last one tells of the keys that a line can name
        keys.update((place, unknown) for place in command.syntax.keys(argv) if place not in keys)
    return list(keys.items())


def _loosely(command: Command, spec: KeySpec, argv: Sequence[bytes],
             before: list[int]) -> list[tuple[int, tuple[str, ...]]] | None:  # fmt: skip
    """The keys behind a count that is none, read as C's atoi does: a server then knows no flags of them."""
    if spec.find[0] != "keynum" or spec.search[0] != "index" or command.name == "MSETEX":
        return None
    at = int(spec.search[1]) + int(spec.find[1])
    digits = (argv[at] if at < len(argv) else b"").lstrip(b" \t\n\v\f\r").removeprefix(b"+")
    count = int(b"0" + digits[: len(digits) - len(digits.lstrip(b"0123456789"))][:10])
    first = int(spec.search[1]) + int(spec.find[2])
    if not 1 <= count <= len(argv) - first:
        return None
    return [(place, ()) for place in (*range(first, first + count), *before)]


def _precise(name: str, flags: tuple[str, ...], argv: Sequence[bytes]) -> tuple[str, ...]:
    """What this line does with a key of which the specification only tells the worst."""
    if "variable_flags" not in flags:
        return flags
    words = {word.upper() for word in argv[2:]}
    if name == "SET" and b"GET" not in {word.upper() for word in argv[3:]}:
        return "OW", "update"
    if name == "BITFIELD" and words.isdisjoint((b"SET", b"INCRBY")):
        return "RO", "access"
    return tuple(flag for flag in flags if flag != "variable_flags")


def _resolve(spec: KeySpec, argv: Sequence[bytes]) -> Sequence[int] | None:
    if spec.search[0] == "index":
        first = int(spec.search[1])
    else:
        word, start = str(spec.search[1]).encode(), int(spec.search[2])
        order = range(start, len(argv)) if start > 0 else range(len(argv) + start, 0, -1)
        first = next((at + 1 for at in order if argv[at].upper() == word), 0)
        if not first:
            return ()
    numbers = [int(number) for number in spec.find[1:]]
    if spec.find[0] == "keynum":
        at, skip, step = numbers
        try:
            count = to_int(argv[first + at])
        except (errors.ReplyError, IndexError):
            return None
        last = first + skip + (count - 1) * step
        return range(first + skip, last + 1, step) if count >= 0 and last < len(argv) else None
    last, step, limit = numbers
    end = first + last if last >= 0 else len(argv) + last
    if limit > 1:
        end = first + (len(argv) - first) // limit - 1
    return range(first, end + 1, step) if first <= end < len(argv) else None
