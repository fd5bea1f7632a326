"""Replication and modules, as a server answers that has no replicas, is none, and loads no modules; and WAITAOF."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.numeric import to_int
from redtool.resp import NO_REPLY, OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Session

command = group("server")
generic = group("generic")

ADMIN = "admin noscript stale no_async_loading"
LOADER = "admin noscript no_async_loading"


def follow(host: bytes, port: bytes) -> Reply:
    """REPLICAOF: a store here follows nobody, and says so."""
    if (host.lower(), port.lower()) == (b"no", b"one"):
        return OK
    if not 0 <= to_int(port, errors.InvalidMasterPort) <= 65535:
        raise errors.InvalidMasterPort
    raise errors.NoReplica


@command("REPLICAOF <host port | NO ONE>", ADMIN, since="5.0.0")
def replicaof(c: Session, host: bytes, port: bytes) -> Reply:
    """Follow no primary any more (NO ONE); a store of redtool is nobody's replica.

    > REPLICAOF NO ONE
    OK
    """
    return follow(host, port)


@command("SLAVEOF <host port | NO ONE>", ADMIN)
def slaveof(c: Session, host: bytes, port: bytes) -> Reply:
    """Do as REPLICAOF does; the older name.

    > SLAVEOF NO ONE
    OK
    """
    return follow(host, port)


@command("REPLCONF", "admin noscript loading stale allow_busy", since="3.0.0", arity=-1)
def replconf(c: Session, *words: bytes) -> Reply:
    """Take what a replica tells of itself.

    > REPLCONF listening-port 6380
    OK
    """
    if len(words) % 2:
        raise errors.SyntaxError_
    for name, value in zip(words[::2], words[1::2], strict=True):
        option = name.lower()
        if option in (b"ack", b"getack"):
            return NO_REPLY
        if option == b"listening-port":
            to_int(value)
        elif option not in (b"ip-address", b"capa", b"rdb-only", b"rdb-filter-only", b"version", b"rdb-channel"):
            raise errors.UnknownReplconf(name.decode("utf-8", "surrogateescape"))
    return OK


@command("SYNC", LOADER + " no_multi")
def sync(c: Session) -> Reply:
    """Send the dataset to a replica; there are none, and redtool serves none.

    > SYNC
    (error) ERR redtool serves no replicas
    """
    raise errors.NoReplicas


@command("PSYNC replicationid offset", LOADER + " no_multi", since="2.8.0", arity=-3)
def psync(c: Session, *words: bytes) -> Reply:
    """Bring a replica up to date; there are none, and redtool serves none.

    > PSYNC ? -1
    (error) ERR redtool serves no replicas
    """
    raise errors.NoReplicas


@command("FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]", "admin noscript stale", since="6.2.0")
def failover(c: Session, *words: bytes) -> Reply:
    """Hand over to a replica; there is none to hand over to.

    > FAILOVER
    (error) ERR FAILOVER requires connected replicas.
    """
    opt = failover.trailing(words)
    if b"TIMEOUT" in opt and to_int(opt[b"TIMEOUT"]) <= 0:
        raise errors.FailoverTimeout
    if b"TO" in opt:
        to_int(opt[b"TO"][1])
    if b"ABORT" in opt:
        if len(opt) > 1:
            raise errors.SyntaxError_
        raise errors.NoFailover
    raise errors.FailoverAlone


@generic("WAITAOF numlocal numreplicas timeout", "blocking", since="7.2.0")
def waitaof(c: Session, numlocal: bytes, numreplicas: bytes, timeout: bytes) -> Reply:
    """Put the session's writes on disk; count the journals and replicas with them.

    > WAITAOF 0 0 100
    1) (integer) 0
    2) (integer) 0
    """
    local, replicas = to_int(numlocal), to_int(numreplicas)
    if not 0 <= local <= 1:
        raise errors.OutsideRange(0, 1)
    if replicas < 0:
        raise errors.MustBePositive
    if to_int(timeout, errors.TimeoutNotInteger) < 0:
        raise errors.TimeoutNegative
    journal = c.store.journal
    if journal is None:
        if local:
            raise errors.WaitWithoutJournal
        return [0, 0]
    try:
        c.store.flush()
        journal.sync()
    except errors.StoreError as error:
        raise errors.NoWrites(str(error)) from None
    return [1, 0]


# -- modules


@command("MODULE LIST", "admin noscript", since="4.0.0")
def module_list(c: Session) -> Reply:
    """List the loaded modules: none.

    > MODULE LIST
    (empty array)
    """
    return []


@command("MODULE LOAD path [arg [arg ...]]", LOADER, since="4.0.0")
def module_load(c: Session, path: bytes, *args: bytes) -> Reply:
    """Load a module; redtool loads none.

    > MODULE LOAD /usr/lib/search.so
    (error) ERR redtool loads no modules
    """
    raise errors.NoModules


@command("MODULE LOADEX path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]", LOADER, since="7.0.0")
def module_loadex(c: Session, path: bytes, *words: bytes) -> Reply:
    """Load a module with a configuration; redtool loads none.

    > MODULE LOADEX /usr/lib/search.so ARGS 1
    (error) ERR redtool loads no modules
    """
    raise errors.NoModules


@command("MODULE UNLOAD name", LOADER, since="4.0.0")
def module_unload(c: Session, name: bytes) -> Reply:
    """Unload a module; none is loaded.

    > MODULE UNLOAD search
    (error) ERR Error unloading module: no such module with that name
    """
    raise errors.NoSuchModule


declare_help(command, "MODULE", since="5.0.0")
