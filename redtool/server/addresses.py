"""Where a server listens, as ``bind``, ``port`` and ``unixsocket`` say, and who sits there when it is taken."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress

from redtool import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.server.listener import Listener
    from redtool.server.tls import Tls

EVERYWHERE = {"*": "0.0.0.0", "::*": "::"}
LISTENS = "0A"  # a socket's state in /proc/net/tcp


def open_ports(listener: Listener, bind: str, port: int, tls: Tls | None = None) -> list[tuple[str, int]]:
    """Listen on a TCP port, 0 for a free one, of every address that ``bind`` names; gives where. ConnectError."""
    found: list[tuple[str, int]] = []
    for word in bind.split():
        host, optional = word.removeprefix("-"), word[:1] == "-"
        host = EVERYWHERE.get(host, host)
        try:
            port = listener.listen_tcp(host, port, tls)
        except errors.ConnectError as error:
            if optional and not _answers(host, port):
                continue
            if holder := port_holder(port):
                raise errors.ConnectError(f"port {port} is in use by {holder}; --port N chooses another") from None
            raise errors.ConnectError(str(error)) from None
        found.append((host, port))
    return found


def _answers(host: str, port: int) -> bool:
    """Whether an address is one of this machine's and somebody listens there."""
    try:
        socket.create_connection((host, port), 1).close()
    except OSError as error:
        return error.errno not in (errno.ECONNREFUSED, errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EAFNOSUPPORT)
    return True


def clear_socket(path: str) -> None:
    """Take away a unix socket that nobody listens on any more. ConnectError when somebody does."""
    with suppress(FileNotFoundError):
        if not os.path.exists(path):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
                return
            except OSError:
                return  # no socket, perhaps: binding says so
        raise errors.ConnectError(f"{path} is in use by another server")


def port_holder(port: int) -> str:
    """The process that listens on a TCP port, as far as this user may see: "process 812 (redis-server)"."""
    inodes: set[str] = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError), open(f"/proc/net/{table}") as file:
            rows = [line.split() for line in file.readlines()[1:]]
            inodes |= {row[9] for row in rows if row[3] == LISTENS and int(row[1].rpartition(":")[2], 16) == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    with suppress(OSError):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                if any(_target(f"/proc/{pid}/fd/{fd}") in wanted for fd in os.listdir(f"/proc/{pid}/fd")):
                    return process(int(pid))
    return ""


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def process(pid: int) -> str:
    """A process, and what it is where the system tells. Not its command line, in which there may be a password."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = [os.path.basename(word).decode("utf-8", "replace") for word in file.read().split(b"\0")]
        with open(f"/proc/{pid}/comm") as file:
            name = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return f"process {pid}"
    if "redtool" in words:
        following = words[words.index("redtool") + 1 :]
        name = "redtool serve" if "serve" in following else "redtool"
    return f"process {pid} ({name})"
