"""What is allowed together: the rules of ACL SETUSER about commands, keys, channels and databases.

Command rules are kept as they were given, in lower case; a rule replaces earlier ones of the same command, its
subcommands or the same category. What they allow is worked out from them in their order when it is first asked.
"""

from __future__ import annotations

from redtool.commands import table
from redtool.commands.categories import CATEGORIES, categories
from redtool.globs import matcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.commands.table import Command
    from redtool.globs import Matcher

READ, WRITE = 1, 2
SIGNS = {READ: b"%R~", WRITE: b"%W~", READ | WRITE: b"~"}
BLANKS = b" \t\n\v\f\r\0"
INT_MAX = 2**31 - 1

UNKNOWN = "Unknown command or category name in ACL"
SYNTAX = "Syntax error"
AFTER_ALL_KEYS = (
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. "
    "Try 'resetkeys' to start with an empty list of patterns"
)
AFTER_ALL_CHANNELS = (
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. "
    "Try 'resetchannels' to start with an empty list of channels"
)
FIRST_ARG_OF_SUB = "Allowing first-arg of a subcommand is not supported"
DB_OUT_OF_RANGE = "The provided database ID is out of range"


class BadRule(Exception):
    """A rule that cannot be applied; its text is the server's."""


def has_blanks(text: bytes) -> bool:
    """Whether a name or a pattern could not be told from two in a line."""
    return any(byte in BLANKS for byte in text)


def full_name(command: Command) -> str:
    """The name of a command in a rule: ``config|get``."""
    return command.name.lower().replace(" ", "|")


def lookup(name: bytes) -> Command | None:
    """The command of a rule; None when there is none, or more words than its name has."""
    first, bar, second = name.partition(b"|")
    found = table.find(first)
    if found is None or not bar:
        return found
    return (found.subs or {}).get(second.upper())


class Selector:
    """Commands, keys, channels and databases that are allowed together.

    ``patterns`` maps a key pattern to READ, WRITE or both; ``databases`` is None where all are allowed; ``base`` is
    whether commands are allowed that no rule names.
    """

    __slots__ = ("_verdicts", "all_channels", "all_keys", "base", "channels", "databases", "patterns", "rules")

    def __init__(self, all_channels: bool = False) -> None:
        self.all_keys, self.all_channels = False, all_channels
        self.patterns: dict[bytes, tuple[int, Matcher]] = {}
        self.channels: dict[bytes, Matcher] = {}
        self.databases: frozenset[int] | None = None
        self.base = False
        self.rules: list[bytes] = []
        self._verdicts: dict[str, tuple[bool, tuple[bytes, ...]]] = {}

    @property
    def unlimited(self) -> bool:
        """Whether everything is allowed."""
        plain = self.base and all(rule[:1] == b"+" for rule in self.rules)
        return plain and self.all_keys and self.all_channels and self.databases is None

    @property
    def all_commands(self) -> bool:
        return self.base and not self.rules

    def copy(self) -> Selector:
        made = Selector(self.all_channels)
        made.all_keys, made.databases, made.base = self.all_keys, self.databases, self.base
        made.patterns, made.channels, made.rules = dict(self.patterns), dict(self.channels), list(self.rules)
        return made

    # -- rules

    def apply(self, rule: bytes) -> None:
        """Change what is allowed by one rule. Raises BadRule."""
        word = rule.lower()
        self._verdicts.clear()
        if word in WHOLE:
            WHOLE[word](self)
        elif rule[:1] in (b"~", b"%"):
            self._key(rule)
        elif rule[:1] == b"&":
            self._channel(rule[1:])
        elif rule[:2] in (b"+@", b"-@"):
            if word[2:].decode("utf-8", "replace") not in CATEGORIES:
                raise BadRule(UNKNOWN)
            self._keep(word)
        elif rule[:1] in (b"+", b"-"):
            self._command(rule)
        elif word[:3] == b"db=":
            self._databases(word[3:])
        else:
            raise BadRule(SYNTAX)

    def _every_key(self) -> None:
        self.all_keys = True
        self.patterns.clear()

    def _no_key(self) -> None:
        self.all_keys = False
        self.patterns.clear()

    def _every_channel(self) -> None:
        self.all_channels = True
        self.channels.clear()

    def _no_channel(self) -> None:
        self.all_channels = False
        self.channels.clear()

    def _every_command(self) -> None:
        self.base = True
        self.rules.clear()

    def _no_command(self) -> None:
        self.base = False
        self.rules.clear()

    def _every_database(self) -> None:
        self.databases = None

    def _no_database(self) -> None:
        self.databases = frozenset()

    def _key(self, rule: bytes) -> None:
        if self.all_keys:
            raise BadRule(AFTER_ALL_KEYS)
        access, pattern = READ | WRITE, rule[1:]
        if rule[:1] == b"%":
            letters, tilde, pattern = pattern.partition(b"~")
            marks = {b"": 0, b"R": READ, b"W": WRITE, b"RW": READ | WRITE, b"WR": READ | WRITE}
            access = marks.get(letters.upper(), 0)
            # A server takes the letters alone for the pattern of the empty key.
            if not access or (not tilde and pattern):
                raise BadRule(SYNTAX)
        if has_blanks(pattern):
            raise BadRule(SYNTAX)
        before = self.patterns.get(pattern)
        self.patterns[pattern] = (access | before[0], before[1]) if before else (access, matcher(pattern))

    def _channel(self, pattern: bytes) -> None:
        if self.all_channels:
            raise BadRule(AFTER_ALL_CHANNELS)
        if has_blanks(pattern):
            raise BadRule(SYNTAX)
        self.channels.setdefault(pattern, matcher(pattern))

    def _command(self, rule: bytes) -> None:
        name = rule[1:]
        head, bar, tail = name.rpartition(b"|")
        if rule[:1] == b"+" and bar:
            found = lookup(head)
            if found is None:
                raise BadRule(UNKNOWN)
            if " " in found.name:
                raise BadRule(FIRST_ARG_OF_SUB)
            if not tail:
                raise BadRule(SYNTAX)
            if found.subs is not None and lookup(name) is None:
                raise BadRule(UNKNOWN)
        elif lookup(name) is None:
            raise BadRule(UNKNOWN)
        self._keep(rule.lower())

    def _keep(self, rule: bytes) -> None:
        """Note a command or category rule, instead of those that it makes void."""
        name = rule[1:]
        self.rules = [old for old in self.rules if old[1:] != name and not old[1:].startswith(name + b"|")]
        self.rules.append(rule)

    def _databases(self, text: bytes) -> None:
        numbers = set()
        for word in text.split(b","):
            number = word.lstrip(b" \t\n\v\f\r")  # as strtol reads it
            digits = number[1:] if number[:1] in (b"+", b"-") else number
            if not digits.isdigit():
                raise BadRule(SYNTAX)
            significant = digits.lstrip(b"0") or b"0"
            below = number[:1] == b"-" and significant != b"0"
            if below or len(significant) > 10 or int(significant) > INT_MAX:
                raise BadRule(DB_OUT_OF_RANGE)
            numbers.add(int(significant))
        self.databases = frozenset(numbers)

    def verdict(self, command: Command) -> tuple[bool, tuple[bytes, ...]]:
        """Whether a command is allowed, and if not, with which first arguments it still is."""
        known = self._verdicts.get(command.name)
        if known is None:
            known = self._verdicts[command.name] = self._judged(command)
        return known

    def _judged(self, command: Command) -> tuple[bool, tuple[bytes, ...]]:
        name = full_name(command).encode()
        parent = name.partition(b"|")[0]
        groups = categories(command)
        if parent != name:  # a rule about a container is one about all that it contains
            groups |= categories(table.TABLE[parent.upper()])
        allowed = self.base
        firsts: tuple[bytes, ...] = ()
        for rule in self.rules:
            what = rule[1:]
            if what in (name, parent) or (what[:1] == b"@" and what[1:].decode() in groups):
                allowed, firsts = rule[:1] == b"+", ()
            elif what.startswith(name + b"|"):
                firsts += (what[len(name) + 1 :],)
        return allowed, firsts

    # -- descriptions

    @property
    def command_rules(self) -> list[bytes]:
        return [b"+@all" if self.base else b"-@all", *self.rules]

    @property
    def key_rules(self) -> list[bytes]:
        return [b"~*"] if self.all_keys else [SIGNS[way] + text for text, (way, _) in self.patterns.items()]

    @property
    def channel_rules(self) -> list[bytes]:
        return [b"&*"] if self.all_channels else [b"&" + pattern for pattern in self.channels]

    @property
    def database_rule(self) -> bytes:
        if self.databases is None:
            return b"alldbs"
        numbers = b",".join(b"%d" % number for number in sorted(self.databases))
        return b"db=" + numbers if numbers else b""

    def all_rules(self) -> list[bytes]:
        """The rules that make a new selector like this one."""
        found = [*self.key_rules, *([] if self.all_channels else [b"resetchannels"]), *self.channel_rules]
        if self.databases is not None:
            found.append(self.database_rule or b"resetdbs")
        return found + self.command_rules


WHOLE = {
    b"allkeys": Selector._every_key, b"~*": Selector._every_key, b"resetkeys": Selector._no_key,
    b"allchannels": Selector._every_channel, b"&*": Selector._every_channel, b"resetchannels": Selector._no_channel,
    b"allcommands": Selector._every_command, b"+@all": Selector._every_command,
    b"nocommands": Selector._no_command, b"-@all": Selector._no_command,
    b"alldbs": Selector._every_database, b"resetdbs": Selector._no_database,
}  # fmt: skip
