"""Users: a name, passwords, and one or more selectors; a command must be allowed by one of these as a whole."""

from __future__ import annotations

from redtool.acl.selectors import SYNTAX, BadRule, Selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from redtool.commands.table import Command
    from redtool.errors import ReplyError
    from redtool.session import Argv, Session

HEX = frozenset(b"0123456789abcdef")

NO_PASSWORD = "The password you are trying to remove from the user does not exist"
BAD_HASH = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"


class User:
    """A name, passwords (SHA-256 in hexadecimal) and selectors, the first of which is the root.

    ``open_channels`` is whether a new selector may use every channel: acl-pubsub-default.
    """

    __slots__ = ("enabled", "name", "nopass", "open_channels", "passwords", "sanitize", "selectors", "unlimited")

    def __init__(self, name: bytes, open_channels: bool = False) -> None:
        self.name, self.open_channels = name, open_channels
        self.enabled = self.nopass = False
        self.sanitize = True
        self.passwords: list[bytes] = []
        self.selectors = [Selector(open_channels)]
        self.unlimited = False

    @property
    def root(self) -> Selector:
        return self.selectors[0]

    def copy(self) -> User:
        made = User(self.name, self.open_channels)
        made.become(self)
        return made

    def become(self, other: User) -> None:
        """Take over all of another user but the name."""
        self.enabled, self.nopass, self.sanitize = other.enabled, other.nopass, other.sanitize
        self.passwords = list(other.passwords)
        self.selectors = [selector.copy() for selector in other.selectors]
        self.unlimited = other.unlimited

    # -- rules

    def apply(self, rule: bytes) -> None:
        """Change the user by one rule; a selector comes whole, in its parentheses. Raises BadRule."""
        word = rule.lower()
        if word in SWITCHES:
            SWITCHES[word](self)
        elif rule[:1] in (b">", b"#"):
            password = hashed(rule[1:]) if rule[:1] == b">" else checked_hash(rule[1:])
            if password not in self.passwords:
                self.passwords.append(password)
            self.nopass = False
        elif rule[:1] in (b"<", b"!"):
            password = hashed(rule[1:]) if rule[:1] == b"<" else checked_hash(rule[1:])
            if password not in self.passwords:
                raise BadRule(NO_PASSWORD)
            self.passwords.remove(password)
        elif rule[:1] == b"(" and rule[-1:] == b")":
            self._select(rule)
        elif rule:
            self.root.apply(rule)
        self.unlimited = any(selector.unlimited for selector in self.selectors)

    def apply_all(self, rules: Iterable[bytes]) -> None:
        for rule in rules:
            self.apply(rule)

    def _select(self, rule: bytes) -> None:
        from redtool import errors, words

        made = Selector(self.open_channels)
        try:
            inner = words.split(rule[1:-1])
        except errors.QuotingError:  # a server then takes nothing of it
            inner = []
        for each in inner:
            if each:
                made.apply(each)
            else:
                raise BadRule(SYNTAX)
        self.selectors.append(made)

    def _on(self) -> None:
        self.enabled = True

    def _off(self) -> None:
        self.enabled = False

    def _no_password(self) -> None:
        self.nopass = True
        self.passwords.clear()

    def _reset_passwords(self) -> None:
        self.nopass = False
        self.passwords.clear()

    def _sanitize(self) -> None:
        self.sanitize = True

    def _skip_sanitize(self) -> None:
        self.sanitize = False

    def _clear_selectors(self) -> None:
        del self.selectors[1:]

    def _reset(self) -> None:
        self.become(User(self.name, self.open_channels))

    # -- descriptions

    @property
    def flags(self) -> list[bytes]:
        found = [b"on" if self.enabled else b"off"]
        return found + [b"nopass"] * self.nopass + [b"skip-sanitize-payload"] * (not self.sanitize)

    def all_rules(self, quoted: Callable[[bytes], bytes] = bytes) -> list[bytes]:
        """The rules that make a new user like this one; ``quoted`` is done to the rules inside a selector."""
        found = [*self.flags, *(b"#" + password for password in self.passwords), *self.root.all_rules()]
        return found + [b"(" + b" ".join(map(quoted, each.all_rules())) + b")" for each in self.selectors[1:]]

    # -- the choke point

    def refusal(self, session: Session, command: Command, argv: Argv) -> ReplyError | None:
        """Why this user may not run a command, noted in the log; None when it may."""
        from redtool.acl import checks

        denial = checks.denied(self, session.db.index, command, argv, len(session.store.databases))
        if denial is None:
            return None
        acl = session.store.acl
        assert acl is not None
        return acl.refuse(session, self, command, argv, denial)


SWITCHES = {
    b"on": User._on, b"off": User._off, b"nopass": User._no_password, b"resetpass": User._reset_passwords,
    b"sanitize-payload": User._sanitize, b"skip-sanitize-payload": User._skip_sanitize,
    b"clearselectors": User._clear_selectors, b"reset": User._reset,
}  # fmt: skip


def hashed(password: bytes) -> bytes:
    """A password as it is kept."""
    from hashlib import sha256

    return sha256(password).hexdigest().encode()


def checked_hash(text: bytes) -> bytes:
    if len(text) != 64 or not HEX.issuperset(text):
        raise BadRule(BAD_HASH)
    return text


def merged(rules: Iterable[bytes]) -> list[bytes]:
    """Join the words of each selector. Raises BadRule with the word whose parenthesis is not closed."""
    found: list[bytes] = []
    open_: bytes | None = None
    start = b""
    for rule in rules:
        if open_ is not None:
            open_ += b" " + rule
        elif rule[:1] == b"(" and rule[-1:] != b")":
            open_ = start = rule
            continue
        else:
            found.append(rule)
            continue
        if rule[-1:] == b")":
            found.append(open_)
            open_ = None
    if open_ is not None:
        raise BadRule(start.decode("utf-8", "surrogateescape"))
    return found
