"""Have a server send its dump, as a replica does: SYNC, answered by an RDB file of all its data at one moment.

A server announces the file's length, or, when it writes the file straight into the socket, a mark of forty bytes that
ends it. What follows the file (the stream of writes) is not read.
"""

from __future__ import annotations

from redtool.backends.connection import ConnectionLost
from redtool.errors import ConnectError, UsageError
from redtool.persist.files import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.backends import Backend
    from redtool.backends.connection import Connection
    from redtool.backends.remote import Remote

MARK = 40
LINE = 1024  # bytes of the longest answer


class BrokeOff(ConnectError):
    """The server closed the connection before the dump's end."""


def fetch_dump(backend: Backend, fd: int, advance: Callable[[int], None], version: str = "") -> int:
    """Write the server's dump to a file; gives its size. Raises ConnectError, BrokeOff. The connection is used up.

    version: of the replica. Valkey has a format of its own for new ones, older ones get what Redis reads, or nothing
    when the data have no place in it.
    """
    connection = _one_server(backend).connect()
    try:
        told = [("capa", "eof"), ("rdb-only", "1")]
        for words in [*told, ("version", version)] if version else told:  # a server that knows one not says so, no more
            connection.call("REPLCONF", *words)
        connection.send(b"SYNC\r\n")
        head, rest = _head(connection)
        if head.startswith(b"$EOF:") and len(head) == 5 + MARK:
            return _until_mark(connection, head[5:], rest, fd, advance)
        return _counted(connection, int(head[1:]), rest, fd, advance)
    except ConnectionLost as lost:
        raise BrokeOff(f"{backend.name}: the dump broke off: {lost}; the server's log has the reason, --scan may do") \
            from None
    finally:
        backend.close()


def _head(connection: Connection) -> tuple[bytes, bytes]:
    """The line before the file, and what has come after it. Empty lines come while the server prepares it."""
    data = b""
    while True:
        data = data.lstrip(b"\r\n")
        line, found, rest = data.partition(b"\r\n")
        if found:
            break
        if len(data) > LINE:
            raise ConnectError(f"an odd answer to SYNC: {data[:40]!r}")
        data += _more(connection)
    if line[:1] == b"-":
        raise ConnectError(f"the server does not send its dump: {line[1:].decode('utf-8', 'replace')}; see --scan")
    if line[:1] != b"$" or not (line[1:].isdigit() or line.startswith(b"$EOF:")):
        raise ConnectError(f"an odd answer to SYNC: {line[:40]!r}")
    return line, rest


def _one_server(backend: Backend) -> Remote:
    """The server whose dump it is: for a name that sentinels know, the master."""
    from redtool.backends.remote import Remote

    server = getattr(backend, "master", backend)
    if isinstance(server, Remote):
        return server
    backend.close()
    raise UsageError("each node of a cluster has a dump of its own: --scan gathers the keys of all of them, "
                     "-u redis://HOST:PORT fetches one")  # fmt: skip


def _counted(connection: Connection, size: int, data: bytes, fd: int, advance: Callable[[int], None]) -> int:
    done = 0
    while done < size:
        if not data:
            data = _more(connection)
        part = data[: size - done]
        write_all(fd, part)
        done += len(part)
        data = b""
        advance(done)
    return done


def _until_mark(connection: Connection, mark: bytes, data: bytes, fd: int, advance: Callable[[int], None]) -> int:
    """Write what comes before the mark; as many bytes as could be its beginning are held back."""
    done = 0
    while (at := data.find(mark)) < 0:
        if len(data) > MARK:
            write_all(fd, data[:-MARK])
            done += len(data) - MARK
            data = data[-MARK:]
            advance(done)
        data += _more(connection)
    write_all(fd, data[:at])
    return done + at


def _more(connection: Connection) -> bytes:
    while True:
        try:
            return connection.receive()
        except BlockingIOError:
            continue  # a moment has passed: Python looks for signals
