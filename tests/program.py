"""Random histories for the differential test: which commands are drawn, how, and in what blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from redtool.commands.table import TABLE, Command
from tests import dialects, embedded, servers
from tests.draw import draw
from tests.samples import SCRIPTED, STRAY, WRONG, Samples, planted

EXCLUDED: dict[str, str] = {
    "ACL": "users of the process; ACL DRYRUN, CAT and WHOAMI are drawn",
    "ASKING": "no cluster; see test_alone",
    "AUTH": "users of the process",
    "BGREWRITEAOF": "files",
    "BGSAVE": "files",
    "CLIENT": "connections of the process; some subcommands are drawn",
    "CLUSTER": "no cluster; see test_alone",
    "CLUSTERSCAN": "no cluster; see test_alone",
    "COMMAND": "lists what the server has; COMMAND GETKEYS and GETKEYSANDFLAGS are drawn",
    "COMMANDLOG": "figures of the process",
    "CONFIG": "parameters of the process; CONFIG GET is drawn",
    "DEBUG": "internals",
    "DUMP": "encodings differ; drawn as CARRY, which restores on each side what the other one dumped",
    "FAILOVER": "replication; see test_alone",
    "HELLO": "versions of the process, and the round sets the protocol",
    "INFO": "figures of the process",
    "LASTSAVE": "files",
    "LATENCY": "figures of the process",
    "LOLWUT": "art",
    "MEMORY": "figures of the process; MEMORY USAGE is drawn",
    "MIGRATE": "needs another server; see test_alone",
    "MODULE": "modules; see test_alone",
    "MONITOR": "no reply to compare",
    "PFSELFTEST": "touches no data, and takes long",
    "PSUBSCRIBE": "no reply to compare",
    "PSYNC": "replication; see test_alone",
    "PUNSUBSCRIBE": "no reply to compare",
    "QUIT": "ends the connection",
    "READONLY": "no cluster; see test_alone",
    "READWRITE": "no cluster; see test_alone",
    "REPLCONF": "replication; see test_alone",
    "REPLICAOF": "replication; see test_alone",
    "RESET": "sets the protocol back",
    "RESTORE": "wants DUMP's value; see DUMP",
    "RESTORE-ASKING": "wants DUMP's value; see DUMP",
    "ROLE": "replication",
    "SAVE": "files",
    "SHUTDOWN": "ends the server",
    "SLAVEOF": "replication; see test_alone",
    "SLOWLOG": "figures of the process",
    "SSUBSCRIBE": "no reply to compare",
    "SUBSCRIBE": "no reply to compare",
    "SUNSUBSCRIBE": "no reply to compare",
    "SYNC": "replication; see test_alone",
    "TIME": "the clock",
    "UNSUBSCRIBE": "no reply to compare",
    "WAITAOF": "replication; see test_alone",
    "FUNCTION DUMP": "the version and checksum of a payload are the server's own",
    "FUNCTION RESTORE": "wants the value of FUNCTION DUMP",
    "SCRIPT DEBUG": "makes the connection a debugger's",
}
DRAWN = {"ACL DRYRUN", "ACL CAT", "ACL WHOAMI", "CLIENT GETNAME", "CLIENT SETNAME", "CLIENT SETINFO",
         "CLIENT NO-TOUCH", "CLIENT NO-EVICT", "CLIENT GETREDIR", "CLIENT TRACKINGINFO", "COMMAND GETKEYS",
         "COMMAND GETKEYSANDFLAGS", "CONFIG GET", "MEMORY USAGE"}  # fmt: skip
PLACED = {"MULTI", "EXEC", "DISCARD", "WATCH"}  # drawn as blocks
ABOUT_LINES = {"ACL DRYRUN", "COMMAND GETKEYS", "COMMAND GETKEYSANDFLAGS"}  # another command's line follows
RANDOM = {"SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "RANDOMKEY", "SPOP"}
SCANS = {"SCAN": 1, "HSCAN": 2, "SSCAN": 2, "ZSCAN": 2}  # place of the cursor
ALONE = RANDOM | SCANS.keys() | {"SORT", "SORT_RO"}  # not inside MULTI: comparing them takes further questions
CARRY = b"CARRY"  # source destination option …: the destination is restored from what the other side dumps
SCRIPTS = (b"return redis.pcall(unpack(ARGV))", b"redis.setresp(3) return redis.pcall(unpack(ARGV))")
WAITING = {"BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "XREAD", "XREADGROUP"}
RARE = {"FLUSHALL": 0.05, "FLUSHDB": 0.1, "SWAPDB": 0.2, "SELECT": 0.3, "DEL": 0.5, "UNLINK": 0.5, "MOVE": 0.5,
        **dict.fromkeys(WAITING, 0.3), "SCRIPT FLUSH": 0.3, "FUNCTION FLUSH": 0.3}  # fmt: skip

Argv = tuple[bytes, ...]
Step = tuple[int, Argv]  # which of two clients says what


class Program:
    """Draws the steps of a round."""

    def __init__(self, rng: Random, commands: Sequence[Command], lacking: Mapping[str, set[bytes]] | None = None,
                 dialect: dialects.Dialect | None = None, unscripted: frozenset[str] = frozenset()) -> None:
        self.commands = commands
        self.lacking = lacking or {}  # option words not to draw
        self.dialect = dialect or dialects.Dialect()
        self.weights = [RARE.get(command.name, 1.0) for command in commands]
        self.inside = [command for command in commands if command.name not in ALONE]
        self.inside = [command for command in self.inside if command.name not in self.dialect.introduced]
        self.scripted = [command for command in self.inside if command.name not in unscripted]
        self.reset(rng)

    def reset(self, rng: Random) -> None:
        """Draw from here on with these numbers."""
        self.rng, self.samples = rng, Samples(rng)

    def steps(self, length: int) -> list[Step]:
        out: list[Step] = [(0, argv) for argv in planted()]
        while len(out) < length:
            chance = self.rng.random()
            if chance < 0.03:
                out += self.transaction()
            elif chance < 0.13:
                out.append((int(self.rng.random() < 0.15), self.script()))
            elif chance < 0.14:
                out.append((0, self.carry()))
            else:
                command = self.rng.choices(self.commands, self.weights)[0]
                client, argv = int(self.rng.random() < 0.15), self.command(command)
                if command.name in self.dialect.introduced and len(argv) > 3:
                    out.append((client, (b"XGROUP", b"CREATECONSUMER", *argv[1:4])))
                out.append((client, argv))
        return out

    def carry(self) -> Argv:
        """A value dumped and restored."""
        self.samples.begin("RESTORE", "")
        options = [word for word in (b"REPLACE", b"ABSTTL") if self.rng.random() < 0.6]
        ttl = self.rng.choice((b"0", b"0", b"5000000" if b"ABSTTL" not in options else b"4000000000000", b"-1"))
        return (CARRY, self.samples("key"), self.samples("key"), ttl, *options)

    def script(self) -> Argv:
        """A command within a script."""
        while True:
            command = self.rng.choice(self.scripted)
            argv = self.command(command)
            refuses = self.dialect.refuses_in_scripts.get(command.name)
            if refuses is None or not refuses(argv):
                body = SCRIPTS[0] if command.name.startswith(("XINFO", "XREAD")) else self.rng.choice(SCRIPTS)
                return (b"EVAL", body, b"0", *argv)

    def transaction(self) -> Iterator[Step]:
        """Sometimes WATCH and what another client does then; MULTI … EXEC or DISCARD."""
        rng = self.rng
        if rng.random() < 0.5:
            self.samples.begin("WATCH", "")
            yield 0, (b"WATCH", *(self.samples("key") for _ in range(rng.randint(1, 3))))
            if rng.random() < 0.5:
                between = rng.choice(self.inside)
                if between.name not in self.dialect.unwatched:
                    yield rng.randint(0, 1), self.command(between)
        yield 0, (b"MULTI",)
        for _ in range(rng.randint(0, 5)):
            argv = self.script() if rng.random() < 0.1 else self.command(rng.choice(self.inside))
            if not lexical(argv):
                yield 0, argv
        yield 0, (rng.choice((b"EXEC", b"EXEC", b"exec", b"DISCARD")),)

    def command(self, command: Command) -> Argv:
        """One line of a command; some have one fault: a word too few, too many, or a wrong one."""
        if command.name in ABOUT_LINES:
            return self.about(command)
        refuses = self.dialect.refuses.get(command.name, nothing)
        while True:
            argv = pacified(command.name, self.line(command))
            if not refuses(argv):
                return argv

    def line(self, command: Command) -> Argv:
        chance = self.rng.random()
        argv = self.valid(command, chance > 0.9)
        if chance < 0.01:
            argv = argv[:-1] or [b"PING"]
        elif chance < 0.02 and command.name not in self.lacking:  # one word more could be one too many there
            argv = [*argv, STRAY]
        elif chance < 0.03 and len(argv) > 1:
            argv[self.rng.randrange(1, len(argv))] = self.rng.choice(WRONG)
        if self.rng.random() < 0.1:
            argv[0] = argv[0].lower()
        return tuple(argv)

    def about(self, command: Command) -> Argv:
        """A question about another command's line."""
        refuses = self.dialect.refuses.get(command.name, nothing)
        user = (b"default",) if command.name == "ACL DRYRUN" else ()
        while True:
            other = self.rng.choice(self.commands)
            if other.name not in ABOUT_LINES:
                argv = (*command.name.encode().split(), *user, *self.command(other))
                if not refuses(argv):
                    return argv

    def valid(self, command: Command, may_fail: bool) -> list[bytes]:
        """A line of words that the server knows; one value may be wrong."""
        lacking = self.lacking.get(command.name, set())
        if command.name in SCRIPTED and self.rng.random() < 0.8:
            return list(self.rng.choice(SCRIPTED[command.name]))
        while True:
            self.samples.begin(command.name, command.group, may_fail)
            argv = draw(command.syntax, self.rng, self.samples)
            if lacking.isdisjoint(word.upper() for word in argv):
                return argv


def nothing(argv: Argv) -> bool:
    return False


def lexical(argv: Argv) -> bool:
    """Whether a line selects by members; among different scores, which ones is up to the levels of a skiplist."""
    return any(b"LEX" in word.upper() for word in argv[:12])


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
    skipped = dialects.dialect_of(server).skipped
    for command in TABLE.values():
        for sub in (command,) if command.subs is None else command.subs.values():
            excluded = {command.name, sub.name} & EXCLUDED.keys() and sub.name not in DRAWN
            if excluded or sub.name in PLACED or sub.name in skipped or sub.name.endswith(" HELP"):
                continue
            if (not only or command.name in only or sub.name in only) and dialects.has(server, sub.name):
                chosen.append(sub)
    return sorted(chosen, key=lambda command: command.name)


def unscripted(server: servers.RealServer, commands: Sequence[Command]) -> frozenset[str]:
    """The commands that this server does not let a script call, while redtool does as later ones do."""
    return frozenset(
        command.name
        for command in commands
        if (b"noscript" in dialects.flags(server, command.name)) != ("noscript" in command.flags)
    )


def program(server: servers.RealServer, only: Sequence[str] = ()) -> Program:
    """What draws for this server; ``reset`` it before each round."""
    commands = drawable(server, only)
    lacking = {command.name: words for command in commands if (words := dialects.lacking(server, command))}
    return Program(Random(0), commands, lacking, dialects.dialect_of(server), unscripted(server, commands))
