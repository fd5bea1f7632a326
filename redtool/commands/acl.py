"""ACL: users, what they may do, and what was refused to them."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.numeric import to_int
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.acl import Acl, Selector
    from redtool.commands.table import Command
    from redtool.resp import Reply
    from redtool.session import Session

command = group("server")

ADMIN = "admin noscript loading stale"
ANYONE = "noscript loading stale"
MOST_BITS = 4096


def register(c: Session) -> Acl:
    """The store's users."""
    from redtool import acl

    return acl.of(c.store)


def text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


# -- users


@command("ACL SETUSER username [rule [rule ...]]", ADMIN, since="6.0.0", complexity="O(N) rules")
def acl_setuser(c: Session, username: bytes, *rules: bytes) -> Reply:
    """Make a user or change one by rules, all or none; clients notice at once.

    > ACL SETUSER ada on >secret ~user:* +@read +set
    OK
    > ACL DRYRUN ada DEL user:1
    "User ada has no permissions to run the 'del' command"
    """
    from redtool import acl, aclfile

    if acl.has_blanks(username):
        raise errors.BadUsername
    register(c).define(username, rules)
    aclfile.keep(c.store)
    return OK


@command("ACL DELUSER username [username ...]", ADMIN, since="6.0.0", complexity="O(N) clients a user")
def acl_deluser(c: Session, *usernames: bytes) -> Reply:
    """Remove users and end their clients; gives how many there were.

    > ACL SETUSER ada on >secret
    OK
    > ACL DELUSER ada bob
    (integer) 1
    """
    from redtool import acl, aclfile

    if acl.DEFAULT in usernames:
        raise errors.DefaultUserStays
    gone = sum(register(c).drop(name) for name in usernames)
    if gone:
        aclfile.keep(c.store)
    return gone


@command("ACL GETUSER username", ADMIN, since="6.0.0", complexity="O(N) rules")
def acl_getuser(c: Session, username: bytes) -> Reply:
    """Show a user: flags, hashed passwords, what it may do, selectors.

    > ACL GETUSER nobody
    (nil)
    """
    user = register(c).users.get(username)
    if user is None:
        return None
    return {b"flags": user.flags if c.proto == 2 else _statuses(user.flags), b"passwords": list(user.passwords),
            **_selector(user.root), b"selectors": [_selector(each) for each in user.selectors[1:]]}  # fmt: skip


def _statuses(words: list[bytes]) -> Reply:
    return set(words)


def _selector(selector: Selector) -> dict[Reply, Reply]:
    return {b"commands": b" ".join(selector.command_rules), b"keys": b" ".join(selector.key_rules),
            b"channels": b" ".join(selector.channel_rules), b"databases": selector.database_rule}  # fmt: skip


@command("ACL LIST", ADMIN, since="6.0.0", complexity="O(N) users")
def acl_list(c: Session) -> Reply:
    """List the users, each as a line of an ACL file.

    > ACL LIST
    1) "user default on nopass ~* &* +@all"
    """
    return list(register(c).lines())


@command("ACL USERS", ADMIN, since="6.0.0", complexity="O(N) users")
def acl_users(c: Session) -> Reply:
    """List the names of the users.

    > ACL USERS
    1) "default"
    """
    return sorted(register(c).users)


@command("ACL WHOAMI", ANYONE, since="6.0.0")
def acl_whoami(c: Session) -> Reply:
    """Give the name of the user that this session is.

    > ACL WHOAMI
    "default"
    """
    return b"default" if c.user is None else c.user.name


# -- what is allowed


@command("ACL CAT [category]", ANYONE, since="6.0.0", arity=-2, complexity="O(N) commands")
def acl_cat(c: Session, *words: bytes) -> Reply:
    """List the categories of commands, or the commands of one.

    > ACL CAT geo
     1) "geoadd"
    …
    """
    from redtool.acl.selectors import full_name
    from redtool.commands.categories import CATEGORIES, categories
    from redtool.commands.table import load_all

    if len(words) > 1:
        raise errors.UnknownSubcommandOrArity("CAT", "ACL")
    if not words:
        return [name.encode() for name in CATEGORIES]
    wanted = text(words[0]).lower()
    if wanted not in CATEGORIES:
        raise errors.UnknownCategory(text(words[0].partition(b"\0")[0])[:128])
    every = [each for top in load_all().values() for each in (top, *(top.subs or {}).values())]
    return sorted(full_name(each).encode() for each in every if wanted in categories(each))


@command("ACL DRYRUN username command [arg [arg ...]]", ADMIN, since="7.0.0")
def acl_dryrun(c: Session, username: bytes, *argv: bytes) -> Reply:
    """Tell whether a user may run a command, without running it.

    > ACL DRYRUN default SET greeting hello
    OK
    """
    from redtool import acl
    from redtool.acl import checks
    from redtool.acl.selectors import full_name

    user = register(c).users.get(username)
    if user is None:
        raise errors.NoSuchUser(text(username))
    found = _looked_up(argv)
    arity = found.syntax.arity
    if len(argv) != arity if arity > 0 else len(argv) < -arity:
        raise errors.WrongArity(full_name(found))
    denial = checks.denied(user, c.db.index, found, argv, len(c.store.databases))
    if denial is None:
        return OK
    reason, place = denial
    return acl.message(reason, user, found, argv[place], verbose=True).encode("utf-8", "surrogateescape")


def _looked_up(argv: tuple[bytes, ...]) -> Command:
    from redtool.commands.table import find

    found = find(argv[0])
    if found is not None and found.subs is not None and len(argv) > 1:
        found = found.subs.get(argv[1].upper())
    if found is None:
        raise errors.CommandNotFound(text(argv[0]))
    return found


@command("ACL GENPASS [bits]", ANYONE, since="6.0.0", arity=-2)
def acl_genpass(c: Session, *bits: bytes) -> Reply:
    """Make up a password of 256 bits, or of another size, in hexadecimal.

    > ACL GENPASS 32
    "…"
    """
    from os import urandom

    if len(bits) > 1:
        raise errors.UnknownSubcommandOrArity("GENPASS", "ACL")
    wanted = to_int(bits[0]) if bits else 256
    if not 0 < wanted <= MOST_BITS:
        raise errors.PasswordBits(MOST_BITS)
    digits = (wanted + 3) // 4
    return urandom(digits).hex()[:digits].encode()


# -- the log


@command("ACL LOG [count | RESET]", ADMIN, since="6.0.0", arity=-2, complexity="O(N) entries")
def acl_log(c: Session, *words: bytes) -> Reply:
    """Show what was refused to users lately, the newest first; RESET forgets it.

    > ACL LOG RESET
    OK
    > ACL LOG
    (empty array)
    """
    if len(words) > 1:
        raise errors.UnknownSubcommandOrArity("LOG", "ACL")
    log = c.store.acl.log if c.store.acl is not None else None
    if words and words[0].upper() == b"RESET":
        if log is not None:
            log.entries.clear()
        return OK
    count = to_int(words[0]) if words else 10
    if log is None:
        return []
    shown = [entry for _, entry in zip(range(max(count, 0)), log.entries, strict=False)]
    return [entry.reply(c.now) for entry in shown]


# -- the file


def _file(c: Session) -> str:
    from redtool.aclfile import path_of

    path = path_of(c.store)
    if not path:
        raise errors.NoAclFile
    return path


@command("ACL LOAD", ADMIN, since="6.0.0", complexity="O(N) users")
def acl_load(c: Session) -> Reply:
    """Replace all users by those of the ACL file, or none when a line is wrong.

    > ACL SAVE
    OK
    > ACL SETUSER ada on nopass ~cart:* +@read
    OK
    > ACL LOAD
    OK
    > ACL USERS
    1) "default"
    """
    from redtool.aclfile import load

    load(register(c), _file(c))
    return OK


@command("ACL SAVE", ADMIN, since="6.0.0", complexity="O(N) users")
def acl_save(c: Session) -> Reply:
    """Write all users into the ACL file.

    > ACL SETUSER ada on nopass ~cart:* +@read
    OK
    > ACL SAVE
    OK
    """
    from redtool.aclfile import save

    try:
        save(register(c), _file(c))
    except OSError:
        raise errors.AclFileUnwritable from None
    return OK


declare_help(command, "ACL", since="6.0.0")
