"""One connection to a server: sockets, TLS, the greeting, and bytes to values. Knows no command's meaning."""

from __future__ import annotations

from redtool.errors import ConnectError, ProtocolError, ReplyError
from redtool.resp import Decoder, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket as Socket
    from collections.abc import Callable, Iterable, Sequence
    from ssl import SSLContext, SSLSocket

    from redtool.backends.target import Target
    from redtool.resp import Reply

    Accept = Callable[[list[Reply]], bool]

READ = 1 << 16  # bytes asked for at a time, while replies are small; above 128 KB malloc maps memory for each read
READ_MORE = 1 << 20
ALERT_MS = 200  # a wait is left and entered again: a Ctrl-C right before the system call would else go unnoticed

# How servers that lack HELLO, or forbid it, answer: AUTH and RESP2 then
NO_HELLO = ("ERR unknown command", "ERR Unknown command", "NOPROTO", "NOPERM", "ERR unsupported command")

CLOSED = "the server closed the connection"


class ConnectionLost(ConnectError):
    """The connection ended where a reply was due. ``replies`` are those of a pipeline that did arrive."""

    replies: tuple[Reply, ...] = ()


class Uncertain(ConnectError):
    """The connection ended after a command that alters data was sent: nobody knows whether it has run."""


class Connection:
    """A connection, open and greeted. ``proto`` is the protocol spoken, ``server`` what HELLO said of the server;
    ``welcome`` is False while the server wants a password that it was not given.

    ``sent`` counts the bytes of requests that the system took, since whoever sends last set it to 0.
    After an exception requests and replies are out of step: ``close`` it.
    """

    __slots__ = ("_decoder", "_ready", "_size", "_sock", "proto", "sent", "server", "target", "welcome")

    def __init__(self, target: Target, user: str | None = None, password: str | None = None) -> None:
        self.target = target
        self.proto, self.sent, self.welcome = 2, 0, True
        self.server: dict[Reply, Reply] = {}
        self._decoder = Decoder()
        self._ready: list[Reply] = []
        self._size = READ
        self._sock = open_socket(target)
        try:
            self._greet(user, password)
            self._sock.settimeout(None)  # the time-out is for connecting: a command may wait for ever
        except BaseException as error:
            self._sock.close()
            if isinstance(error, ProtocolError | ConnectionLost):
                raise ConnectError(f"cannot connect to {target.address}: {_silence(target, error)}") from None
            raise

    def _greet(self, user: str | None, password: str | None) -> None:
        """HELLO 3 with the credentials; AUTH where a server has no HELLO."""
        wanted = self.target.resp
        if wanted != 2:
            auth = ("AUTH", user or "default", password) if password is not None else ()
            reply = self.call("HELLO", "3", *auth)
            if isinstance(reply, dict):
                self.proto, self.server = 3, reply
                return
            message = reply.message if isinstance(reply, ReplyError) else "an odd answer to HELLO"
            if message.startswith("NOAUTH") and password is None:
                self.welcome = False  # as with redis-cli, each command says NOAUTH until AUTH is typed
                return
            if not message.startswith(NO_HELLO):
                raise ConnectError(f"{self.target.address}: {message}")
            if wanted == 3:
                raise ConnectError(f"{self.target.address} does not speak RESP3: {message}")
        if password is not None:
            reply = self.call("AUTH", *((user, password) if user else (password,)))
            if isinstance(reply, ReplyError):
                raise ConnectError(f"{self.target.address}: {reply.message}")

    def call(self, *argv: str) -> Reply:
        """Send one command and wait for the next value; an error is a value."""
        try:
            self.send(pack([word.encode("utf-8", "surrogateescape") for word in argv]))
        except ConnectionLost as lost:
            try:
                return self.next_value()  # what the server said before it closed
            except ConnectionLost as why:
                raise (lost if str(why) == CLOSED else why) from None
        return self.next_value()

    def send(self, data: bytes) -> None:
        """Send a short request whole. A long one wants ``exchange``: the server may answer, and close, midway."""
        try:
            while True:
                done = self._sock.send(data)
                self.sent += done
                if done == len(data):
                    return
                data = data[done:]
        except OSError as error:
            raise ConnectionLost(plain_reason(error)) from None

    def next_value(self) -> Reply:
        """Give the next value the server sends, waiting as long as it takes."""
        while not self._ready:
            try:
                self._take_in(self.receive())
            except BlockingIOError:
                continue  # ALERT_MS have passed: Python looks for signals
        return self._ready.pop(0)

    def poll(self) -> bool:
        """Take in what came unasked, without waiting. False when the server has closed the connection."""
        self._sock.setblocking(False)
        try:
            while True:
                self._take_in(self.receive())
        except BlockingIOError:
            self._sock.setblocking(True)
            return True
        except ConnectionLost:
            return False

    def take_ready(self) -> list[Reply]:
        """Give the values that have come and were not asked for."""
        ready, self._ready = self._ready, []
        return ready

    def exchange(self, requests: Iterable[bytes], accept: Accept) -> None:
        """Send requests and receive at once, until ``accept``, which gets the values as they come, says it has all."""
        one = Exchange(self, requests, accept)
        exchange_all([one])
        if one.lost is not None:
            raise one.lost

    def offer(self, data: memoryview) -> memoryview:
        """Send what the system takes now; give the rest. BlockingIOError when it takes nothing."""
        try:
            done = self._sock.send(data)
        except OSError as error:
            if _would_block(error):
                raise BlockingIOError from None
            raise ConnectionLost(plain_reason(error)) from None
        self.sent += done
        return data[done:]

    def receive(self) -> bytes:
        """Read once. BlockingIOError when nothing is there and the socket does not wait."""
        try:
            data = self._sock.recv(self._size)
        except OSError as error:
            if _would_block(error):
                raise BlockingIOError from None
            raise ConnectionLost(plain_reason(error)) from None
        if not data:
            raise ConnectionLost(CLOSED)
        self._size = READ_MORE if len(data) >= READ else READ
        return data

    def _take_in(self, data: bytes) -> None:
        self._decoder.feed(data)
        self._ready += self._decoder.take()

    def take_more(self) -> bool:
        """Take in what has come, without waiting where the socket does not. False when that is nothing."""
        try:
            self._take_in(self.receive())
        except BlockingIOError:
            return False
        return True

    def set_waiting(self, waiting: bool) -> None:
        """Whether sending and receiving wait; ``poll`` and ``receive`` say what happens when they do not."""
        self._sock.setblocking(waiting)

    def fileno(self) -> int:
        return self._sock.fileno()

    def hang_up(self) -> None:
        """End the connection, and what another thread waits for on it."""
        from contextlib import suppress
        from socket import SHUT_RDWR, socket

        with suppress(OSError):
            socket.shutdown(self._sock, SHUT_RDWR)  # below TLS, whose state is the other thread's

    def close(self) -> None:
        self._sock.close()


class Exchange:
    """Requests on their way and replies coming back, on one connection. ``lost`` is why it ended before its time.

    A server stops reading while nobody reads its replies; a client that first sends all would wait for ever.
    """

    __slots__ = ("_accept", "_failed", "_out", "_pieces", "connection", "done", "lost")

    def __init__(self, connection: Connection, requests: Iterable[bytes], accept: Accept) -> None:
        self.connection, self.done = connection, False
        self.lost: ConnectionLost | None = None
        self._pieces, self._accept, self._out = iter(requests), accept, memoryview(b"")
        self._failed: ConnectionLost | None = None  # sending did; what the server said before is still to be read

    @property
    def over(self) -> bool:
        return self.done or self.lost is not None

    @property
    def sending(self) -> bool:
        """Whether there is something left to send."""
        return bool(self._out) and self._failed is None

    def step(self) -> bool:
        """Send and receive what is possible at once. False when that is nothing."""
        moved = False
        if not self._out and (piece := next(self._pieces, None)):
            self._out = memoryview(piece)
        if self.sending:
            try:
                self._out, moved = self.connection.offer(self._out), True
            except BlockingIOError:
                pass
            except ConnectionLost as lost:
                self._failed = lost
        try:
            if self.connection.take_more():
                moved = True
            elif self._failed is not None:
                self.lost = self._failed
        except ConnectionLost as lost:
            self.lost = lost
        if values := self.connection.take_ready():
            self.done = self._accept(values)
        return moved or self.over


def exchange_all(exchanges: Sequence[Exchange]) -> None:
    """Drive exchanges, all at once, until each has ended: ``done``, or its connection ``lost``."""
    from select import POLLIN, POLLOUT, poll

    poller, going = poll(), list(exchanges)
    for each in going:
        each.connection.set_waiting(False)
    while going:
        moved = False
        for each in tuple(going):
            moved |= each.step()
            if each.over:
                going.remove(each)
                each.connection.set_waiting(True)
        if not moved and going:
            for each in going:
                poller.register(each.connection, POLLIN | POLLOUT if each.sending else POLLIN)
            poller.poll(ALERT_MS)
            for each in going:
                poller.unregister(each.connection)


def _would_block(error: OSError) -> bool:
    """Nothing to read, or no room to send, just now. TLS says so in its own way."""
    return isinstance(error, BlockingIOError) or type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")


def open_socket(target: Target) -> Socket | SSLSocket:
    """Connect to the target's address, TLS included. ConnectError in plain words."""
    context = _tls_context(target) if target.tls else None
    try:
        sock = _connect_unix(target) if target.socket else _connect_tcp(target)
    except OSError as error:
        raise ConnectError(f"cannot connect to {target.address}: {plain_reason(error)}") from None
    return sock if context is None else _start_tls(sock, context, target)


# The socket module costs half of an interpreter's start (selectors, enum); what is needed of it is in _socket.
def _connect_unix(target: Target) -> Socket:
    from _socket import AF_UNIX, SOCK_STREAM

    return _connected(target, AF_UNIX, SOCK_STREAM, 0, target.socket)


def _connect_tcp(target: Target) -> Socket:
    """Try each address that the host name has, as socket.create_connection does."""
    from _socket import IPPROTO_TCP, SO_KEEPALIVE, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, getaddrinfo

    failure: OSError | None = None
    host = target.host.encode() if target.host.isascii() else target.host  # of str the codec imports re and more
    for family, kind, proto, _, address in getaddrinfo(host, target.port, 0, SOCK_STREAM):
        try:
            sock = _connected(target, family, kind, proto, address)
        except OSError as error:
            failure = failure or error
            continue
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        sock.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
        return sock
    raise failure or OSError("the name has no address")


def _connected(target: Target, family: int, kind: int, proto: int, address: object) -> Socket:
    sock: Socket
    if target.tls:
        import socket

        sock = socket.socket(family, kind, proto)  # ssl wraps nothing less
    else:
        import _socket

        sock = _socket.socket(family, kind, proto)
    try:
        sock.settimeout(target.timeout)
        sock.connect(address)  # type: ignore[arg-type]
        _stay_alert(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def _stay_alert(sock: Socket) -> None:
    """Have the system end each wait for data after ALERT_MS (SO_RCVTIMEO, a struct timeval)."""
    from _socket import SO_RCVTIMEO, SOL_SOCKET
    from sys import byteorder

    seconds, rest = divmod(ALERT_MS, 1000)
    sock.setsockopt(SOL_SOCKET, SO_RCVTIMEO, seconds.to_bytes(8, byteorder) + (rest * 1000).to_bytes(8, byteorder))


def _start_tls(sock: Socket, context: SSLContext, target: Target) -> SSLSocket:
    name = target.sni or (target.host if not target.socket else None)
    try:
        return context.wrap_socket(sock, server_hostname=name)  # type: ignore[arg-type]
    except OSError as error:
        sock.close()
        raise ConnectError(f"cannot connect to {target.address}: {plain_reason(error)}") from None
    except BaseException:
        sock.close()
        raise


def _tls_context(target: Target) -> SSLContext:
    import ssl

    reading = "the CA certificates"
    try:
        context = ssl.create_default_context(cafile=target.cacert or None, capath=target.cacertdir or None)
        if target.insecure or (target.socket and not target.sni):  # a socket path has no name to check
            context.check_hostname = False
        if target.insecure:
            context.verify_mode = ssl.CERT_NONE
        reading = "the client certificate or its key"
        if target.cert:
            context.load_cert_chain(target.cert, target.key)
    except OSError as error:
        raise ConnectError(f"cannot read {reading}: {plain_reason(error)}") from None
    return context


def plain_reason(error: OSError) -> str:
    """Say in plain words why a connection failed."""
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        return "timed out"
    if kind == "gaierror":
        return "unknown host" if error.errno in (-2, -5) else (error.strerror or "").lower()
    if kind == "SSLCertVerificationError":
        return f"the server's certificate is not trusted: {getattr(error, 'verify_message', '')}"
    if kind == "SSLEOFError" and not getattr(error, "reason", ""):
        return CLOSED
    if kind.startswith("SSL"):
        return _tls_reason(str(getattr(error, "reason", "") or error.strerror or ""))
    return (error.strerror or str(error)).lower()


def _tls_reason(reason: str) -> str:
    if "CERTIFICATE_REQUIRED" in reason or reason.endswith("ALERT_HANDSHAKE_FAILURE"):
        return "the server wants a client certificate (--cert and --key)"
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"):
        return "the server does not speak TLS"
    return f"TLS failed: {reason.replace('_', ' ').lower()}"


def _silence(target: Target, error: ConnectError) -> str:
    """Say why a server that accepted the connection did not answer as Redis does."""
    if isinstance(error, ProtocolError):
        tls = "byte 0x15" in str(error) and not target.tls  # how a TLS alert begins
        return "the server speaks TLS: use --tls or rediss://" if tls else f"this is not a Redis server: {error}"
    if str(error) == CLOSED and not target.cert:
        return f"{CLOSED} without an answer (does it want {'a client certificate' if target.tls else 'TLS'}?)"
    return str(error)
