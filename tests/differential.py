"""Random commands on the embedded engine and on a real server: replies, errors and datasets must agree.

    python -m tests.differential --count 50000 --seed 1 --server valkey

Commands are drawn from the syntax tree of every command in TABLE, ``EXCLUDED`` apart, over a few keys of all types,
in rounds that begin with empty databases, RESP2 and RESP3 in turn. Replies are compared byte for byte, after dropping
what a server does not promise (``RULES``); every few commands, and at the end of a round, so are all keys, values and
expiries. A round that shows a difference is run again with ever fewer commands, and the shortest history is printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import hiredis

from redtool import words
from redtool.commands.table import TABLE, Command
from tests import embedded, servers, wire
from tests.draw import draw
from tests.samples import STRAY, WRONG, Samples, planted
from tests.wire import Tree

EXCLUDED: dict[str, str] = {
    "ACL": "users of the process",
    "ASKING": "no cluster; see test_alone",
    "AUTH": "users of the process",
    "BGREWRITEAOF": "files",
    "BGSAVE": "files",
    "CLIENT": "connections of the process",
    "CLUSTER": "no cluster; see test_alone",
    "CLUSTERSCAN": "no cluster; see test_alone",
    "COMMAND": "lists what the server has; checked on its own",
    "CONFIG": "parameters of the process; checked on its own",
    "DEBUG": "internals",
    "COMMANDLOG": "figures of the process",
    "DUMP": "encodings differ, the values are the same; checked on its own",
    "FAILOVER": "replication; see test_alone",
    "HELLO": "versions of the process, and the round sets the protocol",
    "INFO": "figures of the process",
    "LASTSAVE": "files",
    "LATENCY": "figures of the process",
    "LOLWUT": "art",
    "MEMORY": "figures of the process",
    "MIGRATE": "needs another server; see test_alone",
    "MODULE": "modules; see test_alone",
    "MONITOR": "no reply to compare",
    "OBJECT": "encodings depend on the history in a real server; checked on its own",
    "PFSELFTEST": "touches no data, and takes long",
    "PSUBSCRIBE": "no reply to compare",
    "PSYNC": "replication; see test_alone",
    "PUBSUB": "listeners of the process; see test_pubsub",
    "PUNSUBSCRIBE": "no reply to compare",
    "QUIT": "ends the connection",
    "READONLY": "no cluster; see test_alone",
    "READWRITE": "no cluster; see test_alone",
    "REPLCONF": "replication; see test_alone",
    "REPLICAOF": "replication; see test_alone",
    "RESET": "sets the protocol back",
    "RESTORE-ASKING": "wants DUMP's value; checked on its own",
    "RESTORE": "wants DUMP's value; checked on its own",
    "ROLE": "replication",
    "SAVE": "files",
    "SHUTDOWN": "ends the server",
    "SSUBSCRIBE": "no reply to compare",
    "SUNSUBSCRIBE": "no reply to compare",
    "UNSUBSCRIBE": "no reply to compare",
    "SLAVEOF": "replication; see test_alone",
    "SLOWLOG": "figures of the process",
    "SUBSCRIBE": "no reply to compare",
    "SYNC": "replication; see test_alone",
    "TIME": "the clock",
    "WAITAOF": "replication; see test_alone",
}
PLACED = {"MULTI", "EXEC", "DISCARD", "WATCH"}  # drawn as blocks
RANDOM = {"SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "RANDOMKEY", "SPOP"}
SCANS = {"SCAN": 1, "HSCAN": 2, "SSCAN": 2, "ZSCAN": 2}  # place of the cursor
ALONE = RANDOM | SCANS.keys() | {"SORT", "SORT_RO"}  # not inside MULTI: comparing them takes further questions
SCRIPTS = (b"return redis.pcall(unpack(ARGV))", b"redis.setresp(3) return redis.pcall(unpack(ARGV))")
WAITING = {"BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "XREAD", "XREADGROUP"}
RARE = {"FLUSHALL": 0.05, "FLUSHDB": 0.1, "SWAPDB": 0.2, "SELECT": 0.3, "DEL": 0.5, "UNLINK": 0.5, "MOVE": 0.5,
        **dict.fromkeys(WAITING, 0.5)}  # fmt: skip

# Where Valkey 9 gives an error and the engine, like Redis 7, nil or WRONGTYPE.
AS_REDIS = {"GETEX": "Valkey reads the expiry before it looks for the key"}
# Where ours are Redis's texts and Valkey has others of its own.
REWORDED = {"HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME",
            "HPERSIST", "HGETEX", "HSETEX", "HGETDEL"}  # fmt: skip

# Options that not every server has.
NEW_WORDS = {
    "SET": b"IFEQ IFNE IFDEQ IFDNE".split(),
    **dict.fromkeys(("XADD", "XTRIM"), b"KEEPREF DELREF ACKED".split()),
}

Argv = tuple[bytes, ...]
Step = tuple[int, Argv]  # which of two clients says what

OPTIONS = ("--hz", "500", "--enable-debug-command", "yes")  # so that a wait of a millisecond ends after about one
CHECK_EVERY = 25
TTL_TOLERANCE = 5000  # ms between two clocks read one after the other


# -- drawing


class Program:
    """Draws the steps of a round."""

    def __init__(self, rng: Random, commands: Sequence[Command],
                 lacking: Mapping[str, set[bytes]] | None = None) -> None:  # fmt: skip
        self.rng, self.commands = rng, commands
        self.lacking = lacking or {}  # option words not to draw
        self.weights = [RARE.get(command.name, 1.0) for command in commands]
        self.inside = [command for command in commands if command.name not in ALONE]
        self.scripted = any(name in TABLE for name in (b"EVAL",))
        self.samples = Samples(rng)

    def steps(self, length: int) -> list[Step]:
        out: list[Step] = [(0, argv) for argv in planted()]
        while len(out) < length:
            if self.rng.random() < 0.03:
                out += self.transaction()
            elif self.scripted and self.rng.random() < 0.1:
                out.append((int(self.rng.random() < 0.15), self.script()))
            else:
                command = self.rng.choices(self.commands, self.weights)[0]
                out.append((int(self.rng.random() < 0.15), self.command(command)))
        return out

    def script(self) -> Argv:
        """A command within a script."""
        command = self.rng.choice(self.inside)
        return (b"EVAL", self.rng.choice(SCRIPTS), b"0", *self.command(command))

    def transaction(self) -> Iterator[Step]:
        """Sometimes WATCH and what another client does then; MULTI … EXEC or DISCARD."""
        rng = self.rng
        if rng.random() < 0.5:
            self.samples.begin("WATCH", "")
            yield 0, (b"WATCH", *(self.samples("key") for _ in range(rng.randint(1, 3))))
            if rng.random() < 0.5:
                yield rng.randint(0, 1), self.command(rng.choice(self.inside))
        yield 0, (b"MULTI",)
        for _ in range(rng.randint(0, 5)):
            yield 0, self.script() if self.scripted and rng.random() < 0.1 else self.command(rng.choice(self.inside))
        yield 0, (rng.choice((b"EXEC", b"EXEC", b"exec", b"DISCARD")),)

    def command(self, command: Command) -> Argv:
        """One line of a command; some have one fault: a word too few, too many, or a wrong one."""
        chance = self.rng.random()
        self.samples.begin(command.name, command.group, may_fail=chance > 0.9)
        argv = draw(command.syntax, self.rng, self.samples)
        while not self.lacking.get(command.name, set()).isdisjoint(word.upper() for word in argv):
            argv = draw(command.syntax, self.rng, self.samples)
        if chance < 0.01:
            argv = argv[:-1] or [b"PING"]
        elif chance < 0.02:
            argv = [*argv, STRAY]
        elif chance < 0.03 and len(argv) > 1:
            argv[self.rng.randrange(1, len(argv))] = self.rng.choice(WRONG)
        if self.rng.random() < 0.1:
            argv[0] = argv[0].lower()
        return pacified(command.name, tuple(argv))


def pacified(name: str, argv: Argv) -> Argv:
    """Leave out words that make the outcome depend on what no server promises."""
    if name == "SORT" and {b"STORE", b"BY", b"ALPHA"} <= {word.upper() for word in argv}:
        return tuple(word for word in argv if word.upper() != b"ALPHA")  # equal weights are stored in any order
    if name.startswith("GEORADIUS"):
        return tuple(b"STORE" if word.upper() == b"STOREDIST" else word for word in argv)  # see test_geo.stored
    if name.startswith("GEOSEARCH"):  # an error names the command as it was sent
        return (name.encode(), *(word for word in argv[1:] if word.upper() != b"STOREDIST"))
    if name == "XADD":
        return tuple(b"9-*" if word == b"*" else word for word in argv)  # two clocks give two ids
    return argv


def drawable(server: servers.RealServer, only: Sequence[str] = ()) -> list[Command]:
    """The commands to draw: all that are declared and that this server has."""
    embedded.import_all()
    chosen: list[Command] = []
    for command in TABLE.values():
        if command.name in EXCLUDED or command.name in PLACED or (only and command.name not in only):
            continue
        if server.call("COMMAND", "INFO", command.name) != [None]:
            subs = (command,) if command.subs is None else command.subs.values()
            chosen += [sub for sub in subs if not sub.name.endswith(" HELP")]
    return sorted(chosen, key=lambda command: command.name)


def lacking_words(server: servers.RealServer, name: str) -> set[bytes]:
    """The option words of a command that this server does not know."""
    docs = repr(server.call("COMMAND", "DOCS", name))
    return {word for word in NEW_WORDS[name] if f"b'{word.decode()}'" not in docs}


# -- running


@dataclass
class Difference:
    """What was found, after which steps."""

    what: str
    history: list[Step]
    ours: str
    theirs: str

    @property
    def name(self) -> str:
        argv = self.history[-1][1]
        return name_of(argv) if argv else ""

    def __str__(self) -> str:
        lines = [f"{self.what}: {self.name}"]
        lines += [f"  {client}> {' '.join(map(shown, argv))}" for client, argv in self.history]
        return "\n".join([*lines, f"  engine  {self.ours}", f"  server  {self.theirs}"])


def shown(word: bytes) -> str:
    text = words.quote(word).decode()
    return text[1:-1] if word and text[1:-1] == word.decode("latin-1") and b" " not in word else text


class Pair:
    """Two clients of an engine and two of a server, in step."""

    def __init__(self, server: servers.RealServer, proto: int) -> None:
        server.flush()
        self.proto = proto
        first = embedded.Client(proto=proto, frozen=False)
        self.engine: list[Any] = [first, *(embedded.Client(first.store, proto, False) for _ in range(2))]
        self.server: list[Any] = [server.client(proto) for _ in range(3)]
        self.queued: list[list[Argv]] = [[], []]
        self.events = Events(first.store, server)

    def close(self) -> None:
        for client in self.server:
            client.close()
        self.events.close()

    def step(self, step: Step) -> Difference | None:
        """Run one step on both sides and compare the replies."""
        client, argv = step
        name = name_of(argv)
        vague = self.is_vague(client, argv) if name in ("SORT", "SORT_RO") else False
        ours = reply_of(name, self.engine[client].wire(*argv))
        theirs = reply_of(name, self.server[client].wire(*argv))
        if name == "EXEC":
            same = self.same_exec(client, ours, theirs)
        elif theirs == ("+", b"QUEUED"):
            self.queued[client].append(argv)
            same = ours == theirs
        else:
            same = ours == theirs or self.same(client, argv, ours, theirs, vague)
            if name == "SPOP" and same and not wire.is_error(theirs):
                self.resynchronise(client, argv, ours, theirs)
        if name in ("EXEC", "DISCARD") or (name == "MULTI" and not wire.is_error(theirs)):
            self.queued[client] = []
        return None if same else Difference("reply", [step], wire.show(ours), wire.show(theirs))

    def same_exec(self, client: int, ours: Tree, theirs: Tree) -> bool:
        if theirs[0] != "*" or ours[0] != "*" or len(ours[1]) != len(theirs[1]):
            return ours == theirs
        replies = zip(self.queued[client], ours[1], theirs[1], strict=True)
        return all(left == right or self.same(client, argv, left, right) for argv, left, right in replies)

    def same(self, client: int, argv: Argv, ours: Tree, theirs: Tree, vague: bool = False) -> bool:
        """Whether two replies that are not equal are as good as equal for this command."""
        name = name_of(argv)
        if wire.is_error(ours) or wire.is_error(theirs):
            return tolerated(name, argv, ours, theirs)
        if name in SCANS:
            return self.sweep(self.engine[client], argv, name) == self.sweep(self.server[client], argv, name)
        if name in RANDOM:
            return self.same_picks(client, argv, name, ours, theirs)
        if vague:
            limited = any(word.upper() == b"LIMIT" for word in argv)
            return wire.shape(ours)[:2] == wire.shape(theirs)[:2] if limited else ordered(ours) == ordered(theirs)
        rule = RULES.get(name)
        return rule is not None and rule(ours, theirs)

    def is_vague(self, client: int, argv: Argv) -> bool:
        """Whether a SORT has no order of its own: a set left as it is, or weights that may be equal texts."""
        upper = [word.upper() for word in argv]
        if b"BY" not in upper or len(argv) < 2:
            return False
        pattern = argv[len(upper) - upper[::-1].index(b"BY") :][:1]
        is_set = self.server[client].call("TYPE", argv[1]) == b"set"
        return b"ALPHA" in upper or (is_set and b"*" not in b"".join(pattern))

    def sweep(self, client: Any, argv: Argv, name: str) -> set[str]:
        """Everything that a whole scan gives."""
        place, seen = SCANS[name], set()
        paired = name in ("HSCAN", "ZSCAN") and not {b"NOVALUES", b"NOSCORES"} & {word.upper() for word in argv}
        width = 1 + paired
        cursor = b"0"
        while True:
            tree = wire.parse(client.wire(*argv[:place], cursor, *argv[place + 1 :]))
            cursor, items = tree[1][0][1], tree[1][1][1]
            if name == "ZSCAN" and paired:  # the digits of a score depend on the encoding
                items = [float(item[1]) + 0.0 if i % 2 else item for i, item in enumerate(items)]
            seen.update(repr(items[i : i + width]) for i in range(0, len(items), width))
            if cursor == b"0":
                return seen

    def same_picks(self, client: int, argv: Argv, name: str, ours: Tree, theirs: Tree) -> bool:
        """Random elements: as many, of the same form, and all of them elements."""
        if name == "SPOP":
            return wire.shape(ours) == wire.shape(theirs)
        ask: Argv = {
            "SRANDMEMBER": (b"SMEMBERS", *argv[1:2]),
            "HRANDFIELD": (b"HGETALL", *argv[1:2]),
            "ZRANDMEMBER": (b"ZRANGE", *argv[1:2], b"0", b"-1", b"WITHSCORES"),
            "RANDOMKEY": (b"KEYS", b"*"),
        }[name]
        known = leaves(wire.parse(self.server[client].wire(*ask)))
        return wire.shape(ours) == wire.shape(theirs) and leaves(ours) <= known

    def resynchronise(self, client: int, argv: Argv, ours: Tree, theirs: Tree) -> None:
        """After SPOP, let the engine's set be the server's."""
        mine, taken = leaves(ours), leaves(theirs)
        told = list(self.events.ours.session.inbox)
        if back := mine - taken:
            self.engine[client].call("SADD", argv[1], *(member for _, member in back))
            self.engine[client].call("SREM", argv[1], *(member for _, member in taken - mine))
            self.events.ours.session.inbox.clear()
            self.events.ours.session.inbox.extend(told)

    def compare(self, history: list[Step]) -> Difference | None:
        """The keyspace events since the last time, and a digest of all data; where it differs, key by key."""
        ours, theirs = self.events.take()
        if ours != theirs:
            at = next((i for i, (left, right) in enumerate(zip(ours, theirs, strict=False)) if left != right),
                      min(len(ours), len(theirs)))  # fmt: skip
            return Difference("events", history, *(f"… {' '.join(each[at : at + 6])}" for each in (ours, theirs)))
        if self.engine[2].wire("DEBUG", "DIGEST") == self.server[2].wire("DEBUG", "DIGEST"):
            return None
        return self.compare_datasets(history)

    def compare_datasets(self, history: list[Step]) -> Difference | None:
        ours, theirs = dataset(self.engine[2]), dataset(self.server[2])
        for key in sorted({*ours, *theirs}):
            left, right = ours.get(key), theirs.get(key)
            if left is None or right is None or not same_entry(left, right):
                where = f"db {key[0]} {shown(key[1])} = "
                return Difference("dataset", history, f"{where}{entry_text(left)}", f"{where}{entry_text(right)}")
        return None


class Events:
    """What an engine and a server tell of their keys: the messages of every ``__keyevent@`` channel."""

    def __init__(self, store: Any, server: servers.RealServer) -> None:
        self.ours = embedded.Client(store)
        self.server, self.theirs = server, server.client()
        for client in (self.ours, self.theirs):
            client.call("CONFIG", "SET", "notify-keyspace-events", "EA")
            client.call("PSUBSCRIBE", "__keyevent@*")
        self.theirs.call("SUBSCRIBE", "so far")
        self.reader = hiredis.Reader()

    def take(self) -> tuple[list[str], list[str]]:
        """The events since the last time, each as ``database event key``."""
        inbox = self.ours.session.inbox
        ours = [event_text(message) for message in inbox]
        inbox.clear()
        self.server.call("PUBLISH", "so far", "")
        theirs = []
        while True:
            message = self.reader.gets()
            if message is False:
                self.reader.feed(self.theirs.receive_wire())
            elif message[0] == b"message":
                return without_expired(ours), without_expired(theirs)
            else:
                theirs.append(event_text(message))

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


def without_expired(events: list[str]) -> list[str]:
    """Tell as Redis of keys and fields given a time that has passed: ``del`` and ``hdel`` where Valkey has ``expired``
    and ``hexpire, hexpired``."""
    out: list[str] = []
    for event in events:
        event = event.replace(" hexpired ", " hdel ").replace(" expired ", " del ")
        if " hdel " in event and out and out[-1] == event.replace(" hdel ", " hexpire "):
            out.pop()
        out.append(event)
    return out


def event_text(message: Any) -> str:
    database, event = message[2].removeprefix(b"__keyevent@").split(b"__:")
    return f"{database.decode()} {event.decode()} {shown(message[3])};"


def name_of(argv: Argv) -> str:
    """The name of a command, or of the one within a script."""
    word = argv[3] if argv[0] == b"EVAL" and len(argv) > 3 else argv[0]
    return word.decode("latin-1").upper()


def reply_of(name: str, data: bytes) -> Tree:
    """A reply; a score of -0 is 0, for which of them a server keeps depends on the encoding of the sorted set."""
    tree = wire.parse(data)
    return wire.without_negative_zero(tree) if "Z" in name or name == "EXEC" else tree


def tolerated(name: str, argv: Argv, ours: Tree, theirs: Tree) -> bool:
    """Whether an error that the other side does not give, or words differently, is one of those known."""
    if name in AS_REDIS and wire.is_error(theirs) and (ours in wire.NULLS or ours[1].startswith(b"WRONGTYPE")):
        return True
    return wire.is_error(ours) and wire.is_error(theirs) and (argv[-1] == STRAY or name in REWORDED)


def ordered(tree: Tree) -> Tree:
    return wire.unordered(tree)


def leaves(tree: Tree) -> set[Tree]:
    """The strings and numbers in a reply."""
    if tree[0] in wire.AGGREGATES:
        return {leaf for item in tree[1] for leaf in leaves(item)}
    return set() if tree in wire.NULLS else {tree}


def same_unordered(ours: Tree, theirs: Tree) -> bool:
    return wire.unordered(ours) == wire.unordered(theirs)


def same_pairs(ours: Tree, theirs: Tree) -> bool:
    return wire.unordered(ours, 2) == wire.unordered(theirs, 2)


def same_seconds(ours: Tree, theirs: Tree) -> bool:
    return wire.near(ours, theirs, 2)


def same_milliseconds(ours: Tree, theirs: Tree) -> bool:
    return wire.near(ours, theirs, TTL_TOLERANCE)


def all_near(same: Callable[[Tree, Tree], bool]) -> Callable[[Tree, Tree], bool]:
    """The rule for a list of what ``same`` compares; for anything else, be equal."""

    def near(ours: Tree, theirs: Tree) -> bool:
        left, right = wire.items_of(ours), wire.items_of(theirs)
        return ours == theirs or (len(left) == len(right) > 0 and wire.all_match(zip(left, right, strict=True), same))

    return near


# In XINFO's replies, labels of a time, and of what depends on how a stream came to be.
LABELS = (b"idle", b"inactive", b"seen-time", b"active-time", b"radix-tree-keys", b"radix-tree-nodes")


def same_but_for_times(ours: Tree, theirs: Tree) -> bool:
    """Replies of XPENDING and XINFO: times may differ a little, behind their label or in a list of pending entries."""
    left, right = wire.items_of(ours), wire.items_of(theirs)
    if ours[0] == theirs[0] == ":":
        return ours == theirs or (min(ours[1], theirs[1]) > 10**12 and same_milliseconds(ours, theirs))
    if not left or ours[0] != theirs[0] or len(left) != len(right):
        return ours == theirs
    pending = len(left) == 4 and left[0][0] == left[1][0] == "$" and left[2][0] == left[3][0] == ":"
    for at, (mine, other) in enumerate(zip(left, right, strict=True)):
        timed = (pending and at == 2) or (at and left[at - 1] in [("$", label) for label in LABELS])
        if mine != other and not (timed and same_milliseconds(mine, other)) and not same_but_for_times(mine, other):
            return False
    return True


RULES: dict[str, Callable[[Tree, Tree], bool]] = {
    **dict.fromkeys(("SMEMBERS", "SINTER", "SUNION", "SDIFF", "KEYS", "HKEYS", "HVALS"), same_unordered),
    "HGETALL": same_pairs,
    **dict.fromkeys(("TTL", "EXPIRETIME"), same_seconds),
    **dict.fromkeys(("PTTL", "PEXPIRETIME"), same_milliseconds),
    **dict.fromkeys(("HTTL", "HEXPIRETIME"), all_near(same_seconds)),
    **dict.fromkeys(("HPTTL", "HPEXPIRETIME"), all_near(same_milliseconds)),
    **dict.fromkeys(("XPENDING", "XINFO"), same_but_for_times),
}

READERS: dict[bytes, tuple[tuple[bytes, ...], Callable[[Tree], Tree]]] = {
    b"string": ((b"GET",), lambda tree: tree),
    b"list": ((b"LRANGE", b"0", b"-1"), lambda tree: tree),
    b"hash": ((b"HGETALL",), lambda tree: wire.unordered(tree, 2)),
    b"set": ((b"SMEMBERS",), wire.unordered),
    b"zset": ((b"ZRANGE", b"0", b"-1", b"WITHSCORES"), lambda tree: tree),
    b"stream": ((b"XRANGE", b"-", b"+"), lambda tree: tree),
}

Entry = tuple[bytes, Tree, Tree, Tree]  # type, value, deadline, deadlines of fields in their order


def dataset(client: Any) -> dict[tuple[int, bytes], Entry]:
    """Every key of the databases in use."""
    out: dict[tuple[int, bytes], Entry] = {}
    for index in range(3):
        client.call("SELECT", index)
        for key in client.call("KEYS", "*"):
            kind = client.call("TYPE", key)
            (command, *rest), normal = READERS[kind]
            value = normal(reply_of(command.decode(), client.wire(command, key, *rest)))
            when = wire.parse(client.wire("PEXPIRETIME", key))
            out[index, key] = (kind, value, when, field_deadlines(client, key, kind))
    return out


def field_deadlines(client: Any, key: bytes, kind: bytes) -> Tree:
    """The deadlines of a hash's fields; nil for other types, and where the server has no such thing."""
    if kind != b"hash":
        return wire.NULL
    fields = sorted(client.call("HKEYS", key))
    found = wire.parse(client.wire("HPEXPIRETIME", key, "FIELDS", len(fields), *fields))
    return wire.NULL if wire.is_error(found) else found


def same_entry(left: Entry, right: Entry) -> bool:
    timed = wire.NULL in (left[3], right[3]) or all_near(same_milliseconds)(left[3], right[3])
    return left[:2] == right[:2] and same_milliseconds(left[2], right[2]) and timed


def entry_text(entry: Entry | None) -> str:
    if entry is None:
        return "missing"
    return f"{entry[0].decode()} {wire.show(entry[1])} until {wire.show(entry[2])}, fields {wire.show(entry[3])}"


def run(server: servers.RealServer, steps: Sequence[Step], proto: int, every: int) -> Difference | None:
    """Run steps on empty databases; give the first difference, with the steps up to it."""
    pair = Pair(server, proto)
    try:
        for i, step in enumerate(steps):
            found = pair.step(step)
            if found is None and i % every == every - 1:
                found = pair.compare([])
            if found is not None:
                found.history = list(steps[: i + 1])
                return found
        return pair.compare(list(steps)) or pair.compare_datasets(list(steps))
    finally:
        pair.close()


def shrink(server: servers.RealServer, found: Difference, proto: int, tries: int = 400) -> Difference:
    """Leave out steps as long as a difference of the same kind remains."""
    size = len(found.history) // 2
    while size and tries:
        start = 0
        while start < len(found.history) and tries:
            shorter = found.history[:start] + found.history[start + size :]
            tries -= 1
            again = run(server, shorter, proto, len(shorter) + 1) if shorter else None
            if again is not None and again.what == found.what and (again.what != "reply" or again.name == found.name):
                found = again
            else:
                start += size
        size = min(size // 2, len(found.history) // 2)
    return found


def differences(server: servers.RealServer, count: int, seed: int, *, length: int = 250, only: Sequence[str] = (),
                progress: Callable[[int], None] = lambda done: None) -> Iterator[Difference]:  # fmt: skip
    """Run ``count`` random commands in rounds, and give each difference with the shortest history found."""
    commands = drawable(server, only)
    lacking = {name: words for name in NEW_WORDS if (words := lacking_words(server, name))}
    done = 0
    while done < count:
        rng = Random(f"{seed}/{done}")
        steps = Program(rng, commands, lacking).steps(min(length, count - done))
        proto = 2 + (done // length) % 2
        found = run(server, steps, proto, CHECK_EVERY)
        if found is not None:
            yield shrink(server, found, proto)
        done += len(steps)
        progress(done)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=10000, help="how many commands to run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", default="valkey", choices=list(servers.named_servers()))
    parser.add_argument("--only", action="append", default=[], metavar="COMMAND", help="draw this command alone")
    parser.add_argument("--keep-going", type=int, default=20, metavar="N", help="stop after N differences")
    options = parser.parse_args(argv)
    seen: dict[tuple[str, str], int] = {}
    with servers.running(options.server, *OPTIONS) as server:
        only = [name.upper() for name in options.only]
        progress = Progress(options.count)
        for found in differences(server, options.count, options.seed, only=only, progress=progress):
            kind = (found.what, found.name)
            seen[kind] = seen.get(kind, 0) + 1
            if seen[kind] == 1:
                print(found, flush=True)
            if len(seen) >= options.keep_going:
                break
        print(f"{progress.done} commands, {sum(seen.values())} differences of {len(seen)} kinds")
    return 1 if seen else 0


class Progress:
    """Tells a terminal how far the run is."""

    def __init__(self, count: int) -> None:
        self.count, self.done = count, 0

    def __call__(self, done: int) -> None:
        self.done = done
        if sys.stderr.isatty():
            print(f"\r{done}/{self.count}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
