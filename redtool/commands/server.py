"""The store as a whole: CONFIG, flushing, databases, saving, time, DEBUG."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.numeric import to_int
from redtool.resp import NO_REPLY, OK, Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from redtool.engine.keyspace import Keyspace
    from redtool.persistence import Persistence
    from redtool.resp import Reply
    from redtool.session import Session
    from redtool.store import Store

command = group("server")
generic = group("generic")

ADMIN = "admin noscript loading stale"
SAVING = "admin noscript no_async_loading"


# -- CONFIG


@command("CONFIG GET parameter [parameter ...]", ADMIN, since="2.0.0", complexity="O(N) parameters")
def config_get(c: Session, *patterns: bytes) -> Reply:
    """Give the configuration parameters whose names match a pattern.

    > CONFIG GET maxmemory-policy
    1) "maxmemory-policy"
    2) "noeviction"
    > CONFIG GET list-max-listpack-* port-*
    1) "list-max-listpack-size"
    2) "-2"
    """
    return c.store.config.texts(patterns)


@command("CONFIG SET parameter value [parameter value ...]", ADMIN, since="2.0.0", complexity="O(N) parameters")
def config_set(c: Session, *words: bytes) -> Reply:
    """Set configuration parameters, all or none; a store keeps them in redtool.conf.

    > CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru
    OK
    > CONFIG GET maxmemory
    1) "maxmemory"
    2) "104857600"
    """
    if len(words) % 2:
        raise errors.SyntaxError_
    config = c.store.config
    config.assign(list(zip(words[::2], words[1::2], strict=True)), c.store.config_path if config.at_once else None)
    return OK


@command("CONFIG REWRITE", ADMIN, since="2.8.0")
def config_rewrite(c: Session) -> Reply:
    """Write the configuration file anew, with the values in force.

    > CONFIG REWRITE
    OK
    """
    if c.store.config_path is None:
        raise errors.NoConfigFile
    try:
        c.store.config.rewrite(c.store.config_path)
    except OSError as error:
        raise errors.ConfigRewriteFailed(error.strerror) from None
    return OK


@command("CONFIG RESETSTAT", ADMIN, since="2.0.0")
def config_resetstat(c: Session) -> Reply:
    """Set the statistics of INFO back to zero.

    > CONFIG RESETSTAT
    OK
    """
    from redtool.commands.info import reset_statistics

    reset_statistics(c.store)
    return OK


declare_help(command, "CONFIG", since="5.0.0")


# -- databases


@command("DBSIZE", "readonly fast")
def dbsize(c: Session) -> Reply:
    """Count the keys in the selected database, expired ones not yet removed included.

    > MSET user:1 Ada user:2 Grace
    OK
    > DBSIZE
    (integer) 2
    """
    return len(c.db)


def flush(c: Session, databases: Iterable[Keyspace], mode: tuple[bytes, ...]) -> Reply:
    """Empty databases. ASYNC is the same as SYNC here: nothing but the caller would wait."""
    if len(mode) > 1 or (mode and mode[0].upper() not in (b"ASYNC", b"SYNC")):
        raise errors.SyntaxError_
    for db in databases:
        for key in [*db.watched, *db.blocked]:
            if key in db:
                c.store.touch(db, key)
        c.store.changes += db.clear()
    if c.store.trackers is not None:
        c.store.trackers.flushed()
    return OK


@command("FLUSHDB [ASYNC | SYNC]", "write", complexity="O(N) keys")
def flushdb(c: Session, *mode: bytes) -> Reply:
    """Remove every key of the selected database.

    > MSET user:1 Ada user:2 Grace
    OK
    > FLUSHDB
    OK
    > DBSIZE
    (integer) 0
    """
    return flush(c, [c.db], mode)


@command("FLUSHALL [ASYNC | SYNC]", "write", complexity="O(N) keys")
def flushall(c: Session, *mode: bytes) -> Reply:
    """Remove every key of every database.

    > SET user:1 Ada
    OK
    > FLUSHALL
    OK
    > KEYS *
    (empty array)
    """
    flush(c, c.store.databases, mode)
    if c.store.persistence is not None and c.db.lazy:  # not while a journal is replayed
        c.store.persistence.emptied()
    return OK


@command("SWAPDB index1 index2", "write fast", since="4.0.0", complexity="O(N) watched or awaited keys")
def swapdb(c: Session, index1: bytes, index2: bytes) -> Reply:
    """Exchange two databases: every session at once sees the other one's keys.

    > SET city Vienna
    OK
    > SWAPDB 0 1
    OK
    > SELECT 1
    OK
    > GET city
    "Vienna"
    """
    first, second = to_int(index1, errors.FirstDbIndex), to_int(index2, errors.SecondDbIndex)
    databases = c.store.databases
    if not (0 <= first < len(databases) and 0 <= second < len(databases)):
        raise errors.DbOutOfRange
    mine, other = databases[first], databases[second]
    if first != second:
        mine.swap(other)
        for db in (mine, other):
            for key in [*db.watched, *db.blocked]:
                if key in mine or key in other:
                    c.store.touch(db, key)
    c.store.changes += 1
    return OK


# -- saving


def files(c: Session) -> Persistence:
    """What writes this store's files; an error when it has none."""
    if c.store.persistence is None:
        raise errors.NotSaved
    return c.store.persistence


@command("SAVE", SAVING + " no_multi", complexity="O(N) keys")
def save(c: Session) -> Reply:
    """Write dump.rdb now, and answer when it is on disk.

    > SET city Vienna
    OK
    > SAVE
    OK
    """
    return files(c).save()


@command("BGSAVE [SCHEDULE | CANCEL]", SAVING)
def bgsave(c: Session, *words: bytes) -> Reply:
    """Write dump.rdb in the background, SCHEDULE after a running rewrite.

    CANCEL ends it, or forgets what is scheduled.

    > SET city Vienna
    OK
    > BGSAVE
    Background saving started
    """
    option = words[0].upper() if words else b""
    if len(words) > 1 or option not in (b"", b"SCHEDULE", b"CANCEL"):
        raise errors.SyntaxError_
    return files(c).cancel() if option == b"CANCEL" else files(c).bgsave(bool(option))


@command("BGREWRITEAOF", SAVING)
def bgrewriteaof(c: Session) -> Reply:
    """Rewrite the journal so that it holds the dataset and nothing older.

    > BGREWRITEAOF
    Background append only file rewriting started
    """
    return files(c).bgrewriteaof()


@command("LASTSAVE", "loading stale fast")
def lastsave(c: Session) -> Reply:
    """Give the Unix time of the last snapshot, or of the opening without one.

    > LASTSAVE
    (integer) 1…
    """
    if c.store.persistence is None:
        return c.store.started // 1_000_000_000
    return c.store.persistence.lastsave


# -- the server, as far as there is one


@command("TIME", "loading stale fast", since="2.6.0")
def time(c: Session) -> Reply:
    """Give the Unix time: seconds, and microseconds within the second.

    > TIME
    1) "1…"
    2) "…"
    """
    seconds, rest = divmod(c.clock.ns, 1_000_000_000)
    return [b"%d" % seconds, b"%d" % (rest // 1000)]


@command("ROLE", "noscript loading stale fast", since="2.8.12")
def role(c: Session) -> Reply:
    """Tell the role in replication: a master without replicas.

    > ROLE
    1) "master"
    2) (integer) 0
    3) (empty array)
    """
    return [b"master", 0, []]


@generic("WAIT numreplicas timeout", "blocking", since="3.0.0")
def wait(c: Session, replicas: bytes, timeout: bytes) -> Reply:
    """Count the replicas that have the session's writes: none, told at once.

    > SET city Vienna
    OK
    > WAIT 1 10
    (integer) 0
    """
    to_int(replicas)
    if to_int(timeout, errors.TimeoutNotInteger) < 0:
        raise errors.TimeoutNegative
    return 0


@command("SHUTDOWN [[NOSAVE | SAVE] [NOW] [FORCE] | ABORT]", ADMIN + " no_multi allow_busy")
def shutdown(c: Session, *words: bytes) -> Reply:
    """Stop the server; an embedded store has none, and closes by itself.

    > SHUTDOWN ABORT
    (error) ERR No shutdown in progress.
    """
    given = {word.upper() for word in words}
    if given - {b"NOSAVE", b"SAVE", b"NOW", b"FORCE", b"ABORT"} or given >= {b"NOSAVE", b"SAVE"}:
        raise errors.SyntaxError_
    if b"ABORT" in given:
        raise errors.SyntaxError_ if len(words) > 1 else errors.NoShutdown
    if c.store.busy and b"NOSAVE" not in given:
        raise c.store.busy_error  # what would be saved is the work of half a script
    if c.store.on_shutdown is None:
        raise errors.NoServer
    save_last(c.store, given)
    c.store.on_shutdown(b"NOSAVE" in given)
    c.end()
    return NO_REPLY


def save_last(store: Store, given: set[bytes]) -> None:
    """Save before the end, if that is asked for or save points are set; without success there is no end."""
    kept = store.persistence
    if kept is not None:
        kept.kill_save()
    if b"SAVE" in given or (kept is not None and store.config["save"] and b"NOSAVE" not in given):
        try:
            if kept is None:
                raise errors.NotSaved
            kept.save()
        except errors.ReplyError:
            if b"FORCE" not in given:
                raise errors.ShutdownFailed from None


@command("LOLWUT [VERSION version]", "readonly fast", since="5.0.0")
def lolwut(c: Session, *words: bytes) -> Reply:
    """Draw a skyline, another one each time, and the version.

    > LOLWUT
    …
    """
    from redtool.commands.connection import SERVER_VERSION

    if len(words) > 1 and words[0].upper() == b"VERSION":
        to_int(words[1])
    heights = [c.store.rng.randrange(1, 8) for _ in range(30)]
    rows = ("".join("▉▉" if height >= level else "  " for height in heights).rstrip() for level in range(7, 0, -1))
    return Verbatim(("\n".join(rows) + f"\nRedis ver. {SERVER_VERSION}\n").encode())


@command("DEBUG subcommand [argument [argument ...]]", ADMIN)
def debug(c: Session, subcommand: bytes, *words: bytes) -> Reply:
    """Run a subcommand for tests: SLEEP, OBJECT, POPULATE, ERROR and others.

    > DEBUG POPULATE 3 item
    OK
    > DBSIZE
    (integer) 3
    """
    from redtool.commands.debug import SUBCOMMANDS

    if c.store.may_debug is not None and not c.store.may_debug(c):
        raise errors.DebugOff
    found = SUBCOMMANDS.get(subcommand.upper())
    if found is None or not found.low <= len(words) <= found.high:
        raise errors.DebugSubcommand(subcommand.decode("utf-8", "surrogateescape"))
    return found.run(c, *words)
