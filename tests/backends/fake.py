"""A server that does what a real one does only by accident: a script of reads and writes on a unix socket."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Talk = Callable[["Peer"], None]


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, log: list[bytes]) -> None:
        self.sock, self.log = sock, log

    def read(self) -> bytes:
        """Read one request that comes in one piece, and log it; b"" at the end."""
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        if data:
            self.log.append(data)
        return data

    def drain(self) -> None:
        """Read to the end without logging."""
        while self.sock.recv(1 << 20):
            pass

    def answer(self, *replies: bytes) -> None:
        """Read a request and write a reply, for each reply."""
        for reply in replies:
            if not self.read():
                return
            self.sock.sendall(reply)


class Fake:
    """``target`` is its address; ``log`` what clients sent, request by request."""

    def __init__(self, target: str, log: list[bytes]) -> None:
        self.target, self.log = target, log

    def commands(self) -> list[bytes]:
        """The first word of each request."""
        return [request.split(b"\r\n")[2] for request in self.log]


@contextmanager
def fake(*talks: Talk, tls: ssl.SSLContext | None = None, tcp: bool = False) -> Iterator[Fake]:
    """Serve connections one after the other, each with the next of ``talks`` (the last one again and again)."""
    with (
        tempfile.TemporaryDirectory(prefix="rt-") as directory,
        _listener(directory, tcp or tls is not None) as listener,
    ):
        log: list[bytes] = []
        thread = threading.Thread(target=_serve, args=(listener, talks, log, tls))
        thread.start()
        try:
            name = listener.getsockname()
            yield Fake(f"unix://{name}" if isinstance(name, str) else f"redis://localhost:{name[1]}", log)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _listener(directory: str, tcp: bool) -> socket.socket:
    if tcp:
        return socket.create_server(("127.0.0.1", 0))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(Path(directory) / "s"))
    listener.listen()
    return listener


def _serve(listener: socket.socket, talks: tuple[Talk, ...], log: list[bytes], tls: ssl.SSLContext | None) -> None:
    served = 0
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with sock:
            try:
                end = tls.wrap_socket(sock.dup(), server_side=True) if tls else sock
                with end:
                    talks[min(served, len(talks) - 1)](Peer(end, log))
            except OSError:  # the client went away, or one side did not like the other's certificate
                sock.close() if tls is None else _part(sock)
        served += 1


def _part(sock: socket.socket) -> None:
    """Close so that the other side can read what was last said: no reset for what nobody reads."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
