"""DEBUG's subcommands that do no harm: what tools and test suites use."""

from __future__ import annotations

from redtool import errors
from redtool.numeric import to_int
from redtool.resp import OK, BigNumber, Status, Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.resp import Reply
    from redtool.session import Session

NAP = 0.05  # seconds between looks whether a sleep is to end


class Sub:
    """A subcommand: its handler, how many words it takes, and its line in DEBUG HELP."""

    __slots__ = ("high", "line", "low", "run")

    def __init__(self, run: Callable[..., Reply], line: str, low: int, high: int) -> None:
        self.run, self.line, self.low, self.high = run, line, low, high


def sleep(c: Session, seconds: bytes) -> Reply:
    """Do nothing for so many seconds; the whole store waits."""
    from time import monotonic, sleep

    end = monotonic() + max(_number(seconds), 0.0)
    while (left := end - monotonic()) > 0:
        sleep(min(left, NAP))
        if c.store.breathe is not None:
            c.store.breathe(False)  # Ctrl-C, where the command runs in a thread that no signal reaches
    return OK


def _number(text: bytes) -> float:
    """A number as strtod reads it here: what is none counts as 0."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def describe(c: Session, key: bytes) -> Reply:
    """Where a value lies, its encoding, its size in a snapshot, and when it was last used."""
    from redtool.commands.introspection import encoding_of, idle_seconds

    value = c.db.peek(key)
    if value is None:
        raise errors.NoSuchKey
    size = len(c.store.pack(value)) - 11  # less the type byte and the footer
    idle = idle_seconds(c, key)
    used = c.clock.ns // 1_000_000_000 - idle
    text = (
        f"Value at:0x{id(value):x} refcount:1 encoding:{encoding_of(c, value).decode()} "
        f"serializedlength:{size} lru:{used & 0xFFFFFF} lru_seconds_idle:{idle}"
    )
    return Status(text.encode())


def set_active_expire(c: Session, flag: bytes) -> Reply:
    """Turn the cycle that removes expired keys in the background off (0) or on."""
    c.store.active_expire = flag != b"0" and _number(flag) != 0
    return OK


def set_disable_deny_scripts(c: Session, flag: bytes) -> Reply:
    """Let scripts run what they otherwise may not (1), or not (0)."""
    c.store.deny_scripts = flag == b"0" or _number(flag) == 0
    return OK


def stringmatch_len(c: Session, count: bytes, pattern: bytes) -> Reply:
    """Tell whether a text of so many ``a`` matches a pattern."""
    from redtool.globs import matcher

    length = to_int(count)
    if not 0 <= length <= 1 << 29:
        raise errors.OutOfRange
    return 1 if matcher(pattern)(b"a" * length) else 0


def error(c: Session, text: bytes) -> Reply:
    """Answer this error."""
    raise errors.ReplyError.of(text.decode("utf-8", "surrogateescape").replace("\r", " ").replace("\n", " "))


def populate(c: Session, count: bytes, prefix: bytes = b"key", size: bytes = b"") -> Reply:
    """Make so many string keys ``prefix:N``, each padded or cut to ``size`` bytes; existing ones stay."""
    total = to_int(count, errors.MustBePositive)
    width = to_int(size, errors.MustBePositive) if size else None
    if total < 0 or (width is not None and width < 0):
        raise errors.MustBePositive
    for number in range(total):
        key = b"%b:%d" % (prefix, number)
        if c.db.peek(key) is None:
            value = b"value:%d" % number
            value = value if width is None else value[:width].ljust(width, b"\0")
            c.put(key, value)
            c.changed(key, b"set")
            c.journal(b"SET", key, value)
    return OK


def accepted(c: Session, *words: bytes) -> Reply:
    """Settings that have no meaning here: taken, without effect."""
    return OK


def protocol(c: Session, kind: bytes) -> Reply:
    """Answer a reply of the named type, to test a client's parser; a push or attribute itself is not sent."""
    name = kind.lower()
    if name == b"push" and c.proto < 3:
        raise errors.ReplyError("RESP2 is not supported by this command")
    if name not in SAMPLES:
        raise errors.DebugProtocol
    return SAMPLES[name]


SAMPLES: dict[bytes, Reply] = {
    b"string": b"Hello World",
    b"integer": 12345,
    b"double": 3.141,
    b"bignum": BigNumber(1234567999999999999999999999999999999),
    b"null": None,
    b"array": [0, 1, 2],
    b"set": {0, 1, 2},
    b"map": {0: False, 1: True, 2: False},
    b"attrib": b"Some real reply following the attribute",
    b"push": b"Some real reply following the push reply",
    b"verbatim": Verbatim(b"This is a verbatim\nstring"),
    b"true": True,
    b"false": False,
}


def jmap(c: Session) -> Reply:
    """Refuse: what JMAP did to a Java process was never a Redis command."""
    raise errors.DebugSubcommand("JMAP")


def digest(c: Session) -> Reply:
    """Sum up the whole dataset in 40 hexadecimal digits, those of a real server with the same keys."""
    from redtool.engine.digest import of_databases

    return Status(of_databases(c.store.databases).hex().encode())


def digest_value(c: Session, *keys: bytes) -> Reply:
    """Sum up each of these values; 40 zeros for a missing key."""
    from redtool.engine.digest import EMPTY, of_value

    sums: list[Reply] = []
    for key in keys:
        value = c.db.peek(key)
        found = EMPTY if value is None else of_value(value, key in c.db.expires)
        sums.append(Status(found.hex().encode()))
    return sums


def listpack(c: Session, key: bytes) -> Reply:
    """Tell whether a server would hold the value in a listpack; nothing is printed, there is none."""
    from redtool.commands.introspection import encoding_of

    value = c.db.peek(key)
    if value is None:
        raise errors.NoSuchKey
    if not encoding_of(c, value).startswith(b"listpack"):
        raise errors.ReplyError("Not a listpack encoded object.")
    return Status(b"Listpack structure printed on stdout")


RELOAD_OPTIONS = {b"MERGE", b"NOFLUSH", b"NOSAVE"}


def reload(c: Session, *words: bytes) -> Reply:
    """Save the dataset and load it again; NOSAVE loads what was saved last, NOFLUSH and MERGE keep the keys there."""
    options = {word.upper() for word in words}
    if not options <= RELOAD_OPTIONS:
        raise errors.ReplyError("DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
    c.store.reload(b"NOSAVE" not in options, b"NOFLUSH" not in options, b"MERGE" in options)
    c.journal()
    return OK


def loadaof(c: Session) -> Reply:
    """Empty the store and load its journal again."""
    c.store.replay()
    c.journal()
    return OK


def help_(c: Session) -> Reply:
    """List the subcommands."""
    text = ["DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for sub in SUBCOMMANDS.values():
        if sub.run is not jmap:
            text += [sub.line, f"    {(sub.run.__doc__ or '').partition(chr(10))[0]}"]
    return [Status(line.encode()) for line in text]


SUBCOMMANDS: dict[bytes, Sub] = {
    b"CHANGE-REPL-ID": Sub(accepted, "CHANGE-REPL-ID", 0, 0),
    b"DIGEST": Sub(digest, "DIGEST", 0, 0),
    b"DIGEST-VALUE": Sub(digest_value, "DIGEST-VALUE <key> [<key> ...]", 0, 1 << 20),
    b"ERROR": Sub(error, "ERROR <text>", 1, 1),
    b"JMAP": Sub(jmap, "JMAP", 0, 0),
    b"LISTPACK": Sub(listpack, "LISTPACK <key>", 1, 1),
    b"LOADAOF": Sub(loadaof, "LOADAOF", 0, 0),
    b"LOG": Sub(accepted, "LOG <text>", 1, 1),
    b"OBJECT": Sub(describe, "OBJECT <key>", 1, 1),
    b"PAUSE-CRON": Sub(accepted, "PAUSE-CRON <0 | 1>", 1, 1),
    b"POPULATE": Sub(populate, "POPULATE <count> [<prefix> [<size>]]", 1, 3),
    b"PROTOCOL": Sub(protocol, "PROTOCOL <type>", 1, 1),
    b"QUICKLIST-PACKED-THRESHOLD": Sub(accepted, "QUICKLIST-PACKED-THRESHOLD <size>", 1, 1),
    b"RELOAD": Sub(reload, "RELOAD [MERGE] [NOFLUSH] [NOSAVE]", 0, 3),
    b"SET-ACTIVE-EXPIRE": Sub(set_active_expire, "SET-ACTIVE-EXPIRE <0 | 1>", 1, 1),
    b"SET-DISABLE-DENY-SCRIPTS": Sub(set_disable_deny_scripts, "SET-DISABLE-DENY-SCRIPTS <0 | 1>", 1, 1),
    b"SLEEP": Sub(sleep, "SLEEP <seconds>", 1, 1),
    b"STRINGMATCH-LEN": Sub(stringmatch_len, "STRINGMATCH-LEN <length> <pattern>", 2, 2),
    b"HELP": Sub(help_, "HELP", 0, 0),
}
