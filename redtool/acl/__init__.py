"""Users and what they may do. Nothing of this is imported before a store has users, a password or a refused login.

``of(store)`` gives the register, made when first asked for; ``welcome`` decides what a new client may do; ``allowed``
tells whether a user may run a command. ``users`` and ``selectors`` are what users are made of, ``checks`` is how
commands are judged; reading and writing files is done elsewhere (``redtool.aclfile``).
"""

from __future__ import annotations

from redtool import errors
from redtool.acl import checks
from redtool.acl.log import Log
from redtool.acl.selectors import BadRule, Selector, full_name, has_blanks
from redtool.acl.users import User, hashed, merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.acl.checks import Denial
    from redtool.commands.table import Command
    from redtool.session import Argv, Session
    from redtool.store import Store

__all__ = ["Acl", "BadRule", "Selector", "User", "allowed", "has_blanks", "name_of", "of", "welcome"]

DEFAULT = b"default"
EXEC_REASONS = {
    checks.COMMAND: "no permission to execute the command or subcommand",
    checks.KEY: "no permission to touch the specified keys",
    checks.CHANNEL: "no permission to access one of the channels used as arguments to the command",
}


class Acl:
    """The users of a store, and the log of what was refused to them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.log = Log(store)
        self.default = User(DEFAULT)
        self.users: dict[bytes, User] = {DEFAULT: self.default}
        self.default.apply_all((b"allcommands", b"allkeys", b"allchannels", b"on", b"nopass"))
        if store.config["requirepass"]:
            self._password(store.config["requirepass"])

    # -- users

    def make(self, name: bytes) -> User:
        """A user that is not registered yet, as a new one begins."""
        return User(name, self.store.config["acl-pubsub-default"] == "allchannels")

    def define(self, name: bytes, rules: Argv) -> None:
        """Make or change a user, wholly or not at all."""
        known = self.users.get(name)
        draft = self.make(name)
        if known is not None:
            draft.become(known)
        try:
            whole = merged(rules)
        except BadRule as error:
            raise errors.UnmatchedParenthesis(error) from None
        for rule in whole:
            try:
                draft.apply(rule)
            except BadRule as error:
                raise errors.BadAclRule(rule.decode("utf-8", "surrogateescape"), error) from None
        self.put(draft)

    def put(self, draft: User) -> None:
        """Register a user, or let a known one become like it; clients that use it notice at once."""
        known = self.users.get(draft.name)
        if known is None:
            self.users[draft.name] = draft
            return
        lost = _lost_channels(known, draft)
        known.become(draft)
        for session in list(self.store.sessions.values()):
            if session.user is known:
                session.review()
                if lost and _listens_too_much(known, session):
                    session.end()
        if known is self.default:
            self._let_strangers()

    def drop(self, name: bytes) -> bool:
        """Remove a user and end its clients. False when there is none."""
        user = self.users.pop(name, None)
        if user is None:
            return False
        for session in list(self.store.sessions.values()):
            if session.user is user:
                session.user = self.default
                session.authenticated = False
                session.end()
        return True

    def lines(self) -> list[bytes]:
        """``user NAME RULES`` of every user, by name."""
        return [b" ".join([b"user", name, *user.all_rules()]) for name, user in sorted(self.users.items())]

    @property
    def plain(self) -> bool:
        """Whether there is nothing to remember: the default user alone, who may do everything."""
        return self.lines() == [b"user default on nopass ~* &* +@all"]

    # -- logging in

    def set_password(self, text: str) -> None:
        """Give the default user this password alone, or none: CONFIG SET requirepass."""
        self._password(text)
        self._let_strangers()

    def _password(self, text: str) -> None:
        self.default.apply(b"resetpass")
        self.default.apply(b">" + text.encode("utf-8", "surrogateescape") if text else b"nopass")

    @property
    def open(self) -> bool:
        """Whether clients need not log in."""
        return self.default.nopass and self.default.enabled

    def _let_strangers(self) -> None:
        for session in self.store.sessions.values():
            if session.stranger:
                session.authenticated = self.open
                session.review()

    def login(self, session: Session, name: bytes, password: bytes, command: bytes) -> None:
        """Let a client be a user. Raises WrongPass, and notes it."""
        user = self.users.get(name)
        if user is None or not user.enabled or not (user.nopass or hashed(password) in user.passwords):
            self.log.add(session, "auth", command, name, command.decode().lower())
            raise errors.WrongPass
        session.user = user
        session.authenticated, session.stranger = True, False
        session.review()

    # -- refusals

    def refuse(self, session: Session, user: User, command: Command, argv: Argv, denial: Denial) -> errors.ReplyError:
        """The error of a denied command; the denial is noted in the log."""
        reason, place = denial
        # A command that is denied whole, or for the selected database, is noted by its full name.
        shown = argv[place] if place else full_name(command).encode()
        self.log.add(session, LOGGED[reason], shown, user.name, full_name(command))
        if session.caller is not None:
            return errors.ScriptDenied(message(reason, user, command, shown))
        if session.deny_block:
            return errors.ExecDenied(EXEC_REASONS.get(reason, "no permission"))
        return errors.NoPerm(message(reason, user, command, shown))


LOGGED = {checks.COMMAND: "command", checks.KEY: "key", checks.CHANNEL: "channel", checks.DATABASE: "database"}


def message(reason: int, user: User, command: Command, shown: bytes, verbose: bool = False) -> str:
    """Say why a command is denied; ``verbose`` names what of it is."""
    who = f"User {user.name.decode('utf-8', 'surrogateescape')} has no permissions to"
    if reason == checks.COMMAND:
        return f"{who} run the '{full_name(command)}' command"
    word = shown.decode("utf-8", "surrogateescape")
    if reason == checks.DATABASE:
        return f"{who} access database {word}" if verbose else "No permissions to access database"
    what = "key" if reason == checks.KEY else "channel"
    return f"{who} access the '{word}' {what}" if verbose else f"No permissions to access a {what}"


def _lost_channels(old: User, new: User) -> bool:
    """Whether a channel pattern that a user had is no longer there."""
    if any(selector.all_channels for selector in new.selectors):
        return False
    kept = {pattern for selector in new.selectors for pattern in selector.channels}
    return any(selector.all_channels or not kept.issuperset(selector.channels) for selector in old.selectors)


def _listens_too_much(user: User, session: Session) -> bool:
    """Whether a client is subscribed to what its user may not hear."""

    def refused(channel: bytes, is_pattern: bool) -> bool:
        return not any(checks.may_listen(selector, channel, is_pattern) for selector in user.selectors)

    return any(refused(pattern, True) for pattern in session.patterns) or any(
        refused(channel, False) for channel in (*session.channels, *session.shards)
    )


# -- for the rest of the program


def of(store: Store) -> Acl:
    """The register of a store's users."""
    if store.acl is None:
        store.acl = Acl(store)
        store.default_user = store.acl.default
        for session in store.sessions.values():
            if session.user is None:
                session.user = store.acl.default
    return store.acl


def welcome(store: Store, session: Session) -> None:
    """Make a client what it is before it logs in: the default user, let in if that needs no password.

    A session inside this process has no descriptor; its owner has the files and needs no password.
    """
    if store.acl is None and store.config["requirepass"]:
        of(store)
    session.user = store.default_user
    inside = session.peer[2] < 0
    session.authenticated = inside or store.acl is None or store.acl.open
    session.stranger = not session.authenticated
    session.review()


def name_of(session: Session) -> bytes:
    """The name of a client's user."""
    return DEFAULT if session.user is None else session.user.name


def allowed(who: Session | User, argv: Argv, db: int = 0, databases: int = 16) -> bool:
    """Whether a session or a user may run a command: redis.acl_check_cmd. Raises InvalidCommand for none."""
    from redtool.commands import table

    found = table.find(argv[0])
    if found is not None and found.subs is not None and len(argv) > 1:
        found = found.subs.get(argv[1].upper())
    if found is None:
        raise errors.InvalidCommand
    user = who if isinstance(who, User) else who.user
    if not isinstance(who, User):
        db, databases = who.db.index, len(who.store.databases)
    return user is None or checks.denied(user, db, found, argv, databases) is None
