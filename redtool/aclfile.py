"""Users in files: the ``user`` lines of redtool.conf, or an ACL file named by ``aclfile``.

A store that names no ACL file keeps its users in redtool.conf at once, as it keeps CONFIG SET; with an ACL file they
are read from it when the store is opened and by ACL LOAD, and written by ACL SAVE.
"""

from __future__ import annotations

import os

from redtool import acl, errors, words
from redtool.acl.selectors import UNKNOWN, BadRule
from redtool.acl.users import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from redtool.acl import Acl, User
    from redtool.store import Store

UNCHANGED = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"


def path_of(store: Store) -> str:
    """The ACL file of a store, "" when it has none. A relative name is one in the store's directory."""
    name = store.config["aclfile"]
    return os.path.join(store.config["dir"] or os.curdir, name) if name else ""


def restore(store: Store) -> None:
    """Give a store that was just opened its users. Raises StoreError."""
    register = acl.of(store)
    path = path_of(store)
    if path:
        if store.config.users:
            raise errors.StoreError("redtool.conf has users and names an ACL file (aclfile): keep one of the two")
        try:
            load(register, path)
        except errors.ReplyError as error:
            raise errors.StoreError(error.message.removeprefix("ERR ")) from None
        return
    users = parsed(register, store.config.users, store.config_path or "")
    for user in users:
        register.put(user)


def keep(store: Store) -> None:
    """Write the users into the configuration file, unless they have a file of their own."""
    if path_of(store):
        return
    note(store)
    if store.config_path is not None and store.config.at_once:
        try:
            store.config.rewrite(store.config_path)
        except OSError as error:
            raise errors.ConfigRewriteFailed(error.strerror) from None


def note(store: Store) -> None:
    """Put the users where the configuration file is written from."""
    register = acl.of(store)
    if not path_of(store):
        store.config.users = [] if register.plain else [line_of(user) for _, user in sorted(register.users.items())]


def line_of(user: User) -> bytes:
    """A user as a line of the configuration file, whose words may be quoted."""
    return b" ".join([b"user", *map(quoted, [user.name, *user.all_rules(quoted)])])


def quoted(word: bytes) -> bytes:
    """Put a word in quotes where it would not be read as it is; a selector may have spaces."""
    plain = word and all(32 <= c < 127 and c not in b"\"'\\" for c in word)
    return word if plain and (b" " not in word or word[:1] == b"(") else words.quote(word)


def parsed(register: Acl, lines: Iterable[bytes], path: str) -> list[User]:
    """The users of the configuration file's lines. Raises StoreError."""
    users: dict[bytes, User] = {}
    for line in lines:
        try:
            name, *rules = words.split(line)[1:] or [b" "]
            user = users[name] = _fresh(register, name, users)
            user.apply_all(merged(rules))
        except (BadRule, errors.QuotingError) as error:
            shown = line.decode("utf-8", "replace").split(" ")[:2]
            raise errors.StoreError(f"{path}: '{' '.join(shown)} …': {error}") from None
    return list(users.values())


def _fresh(register: Acl, name: bytes, users: dict[bytes, User]) -> User:
    if name in users:
        raise BadRule("Duplicate user found. A user can only be defined once in config files")
    if acl.has_blanks(name):
        raise BadRule("the line should be: user, a name without spaces, rules")
    return register.make(name)


# -- ACL LOAD and ACL SAVE


def load(register: Acl, path: str) -> None:
    """Replace all users by those of the ACL file, or raise what is wrong in all its lines."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise errors.AclFileUnreadable(path, error.strerror) from None
    users: dict[bytes, User] = {}
    wrong = "".join(_read(register, users, number, line, path) for number, line in enumerate(data.split(b"\n"), 1))
    if wrong:
        raise errors.AclFileErrors(wrong + UNCHANGED)
    if acl.DEFAULT not in users:
        default = users[acl.DEFAULT] = register.make(acl.DEFAULT)
        default.apply_all((b"allcommands", b"allkeys", b"allchannels", b"on", b"nopass"))
    for name in [name for name in register.users if name not in users]:
        register.drop(name)
    for user in users.values():
        register.put(user)


def _read(register: Acl, users: dict[bytes, User], number: int, line: bytes, path: str) -> str:
    """Add the user of a line; gives what is wrong with it, in a server's words."""
    line = line.strip(b" \t\r\n")
    if not line:
        return ""
    where = f"{path}:{number}"
    argv = line.split(b" ")
    if argv[0] != b"user" or len(argv) < 2:
        return f"{where} should start with user keyword followed by the username. "
    name = argv[1]
    shown = name.decode("utf-8", "surrogateescape")
    if acl.has_blanks(name):
        return f"'{where}: username '{shown}' contains invalid characters. "
    if name in users:
        return f"WARNING: Duplicate user '{shown}' found on line {number}. "
    user = users[name] = register.make(name)
    try:
        rules = merged(argv[2:])
    except BadRule:
        return f"{where}: Unmatched parenthesis in selector definition."
    wrong, other = "", False
    for rule in rules:
        rule = rule.strip(b"\t\r\n")
        try:
            user.apply(rule)
        except BadRule as error:
            if str(error) == UNKNOWN:
                wrong += f"{where}: Error in applying operation '{rule.decode('utf-8', 'surrogateescape')}': {error}. "
            elif not other:
                other = True
                wrong += f"{where}: {error}. "
    return wrong


def save(register: Acl, path: str) -> None:
    """Write all users into the ACL file. Raises OSError and then leaves the old one."""
    from redtool.rewriting import replace

    try:
        mode = os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mode = 0o600
    replace(os.path.realpath(path), b"".join(line + b"\n" for line in register.lines()), mode)
