"""What clients may take of a server: told and enforced as by a real one, which has the same tests where it can."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import pytest

from redtool.config import Config
from redtool.server import limits
from redtool.server.connection import Connection
from redtool.server.limits import Limits
from redtool.store import Store
from tests.served import Served
from tests.server.frames import exchange
from tests.servers import Client, RealServer, request, running

MEGABYTE = 1 << 20
Server = Served | RealServer


@pytest.fixture(scope="module")
def apart() -> Iterator[RealServer]:
    """A real server whose parameters these tests may change."""
    with running("valkey") as server:
        yield server


@pytest.fixture(params=["redtool", "valkey"])
def server(request: pytest.FixtureRequest) -> Server:
    if request.param == "redtool":
        return cast(Served, request.getfixturevalue("served"))
    real = cast(RealServer, request.getfixturevalue("apart"))
    for name, value in (("maxclients", 10000), ("client-query-buffer-limit", "1gb"), ("maxmemory-clients", 0),
                        ("client-output-buffer-limit", "normal 0 0 0 pubsub 32mb 8mb 60")):  # fmt: skip
        real.call("CONFIG", "SET", name, value)
    real.call("CONFIG", "RESETSTAT")
    return real


def stat(server: Server, name: str, section: str = "stats") -> int:
    lines = server.call("INFO", section).decode().split("\r\n")
    return int(dict(line.split(":", 1) for line in lines if ":" in line)[name])


def closed(client: Client) -> bool:
    """Wait for the end of a connection, whatever comes before."""
    with suppress(ConnectionError):
        while client._socket.recv(MEGABYTE):
            continue
    return True


def flood(client: Client, argv: tuple[Any, ...], times: int) -> None:
    """Send without reading, as far as the server takes it."""
    client._socket.setblocking(False)
    with suppress(OSError):
        for _ in range(times):
            client.send(*argv)
    client._socket.settimeout(30)


def test_maxclients(server: Server) -> None:
    with server.client() as client:
        before = stat(server, "rejected_connections")
        full = int(client.call("INFO", "clients").decode().split("connected_clients:")[1].split("\r\n")[0])
        client.call("CONFIG", "SET", "maxclients", full)
        assert exchange(server_path(server), b"PING\r\n") == b"-ERR max number of clients reached\r\n"
        client.call("CONFIG", "SET", "maxclients", 10000)
        assert exchange(server_path(server), b"PING\r\n") == b"+PONG\r\n"
        assert stat(server, "rejected_connections") == before + 1


def server_path(server: Server) -> str:
    return server.socket


def test_a_subscriber_that_does_not_read(server: Server) -> None:
    server.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0")
    with server.client() as deaf, server.client() as other, server.client() as loud:
        deaf.call("SUBSCRIBE", "news")
        while loud.call("PUBLISH", "news", "x" * 100_000):
            continue
        assert closed(deaf)
        assert other.call("PING") == b"PONG"
        assert stat(server, "client_output_buffer_limit_disconnections") == 1


def test_a_client_that_does_not_read(server: Server) -> None:
    """Enough is asked for that the system does not take it all."""
    server.call("SET", "big", "x" * MEGABYTE)
    server.call("CONFIG", "SET", "client-output-buffer-limit", "normal 2mb 0 0")
    with server.client() as deaf:
        flood(deaf, ("GETRANGE", "big", 0, -1), 50)  # Valkey does not count what it need not copy
        while not stat(server, "client_output_buffer_limit_disconnections"):
            continue
        assert closed(deaf)


def test_all_is_asked_before_anything_is_read(served: Served) -> None:
    """What a client has not taken keeps the server from running more of it, so it holds little, and all comes."""
    served.call("SET", "big", "x" * MEGABYTE)
    with served.client() as client:
        client.send_all([("GET", "big")] * 100)
        while not held(served, client, "omem"):
            continue
        assert held(served, client, "omem") < 40 * MEGABYTE
        client.send("PING")
        assert [len(reply) for reply in client.receive_all(101)] == [MEGABYTE] * 100 + [4]


def held(served: Served, client: Client, field: str) -> int:
    """A figure of CLIENT LIST of the client that has sent most."""
    lines = served.call("CLIENT", "LIST").decode().splitlines()
    return max(int(dict(word.split("=", 1) for word in line.split())[field]) for line in lines)


def test_a_soft_limit_is_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(Config())
    store.config.assign([(b"client-output-buffer-limit", b"normal 1000 100 10")])
    now = 100.0
    monkeypatch.setattr(limits, "monotonic", lambda: now)
    bound = Limits(store)

    class Owing:
        session = type("S", (), {"authenticated": True, "listens": False})
        owed, crammed = 0, 0.0

    one = cast(Connection, Owing())
    for owed, at, over in ((101, 100, False), (101, 110, False), (101, 111, True), (100, 112, False), (200, 113, False),
                           (200, 123, False), (1001, 123, True)):  # fmt: skip
        one.owed, now = owed, at
        assert bound.overrun(one) == over, (owed, at)


def test_a_request_without_end(server: Server) -> None:
    server.call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    with server.client() as greedy:
        with suppress(OSError):
            greedy._socket.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000000\r\n")
            for _ in range(99):
                greedy._socket.sendall(b"x" * MEGABYTE)
        assert closed(greedy)
        assert stat(server, "client_query_buffer_limit_disconnections") == 1


def test_a_client_that_waits_and_sends_on(served: Served) -> None:
    served.call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    with served.client() as greedy:
        greedy.send("BLPOP", "nothing", 0)
        with suppress(OSError):
            for _ in range(99):
                greedy.send("SET", "k", "x" * 100_000)
        assert closed(greedy) and served.call("EXISTS", "k") == 0


def test_idle_clients_go_and_those_that_wait_stay(served: Served) -> None:
    served.call("CONFIG", "SET", "timeout", 100)
    with served.client() as idle, served.client() as waits, served.client() as listens, served.client() as looks:
        idle.call("PING")
        waits.send("BLPOP", "k", 0)
        listens.call("SUBSCRIBE", "news")
        looks.call("MONITOR")
        while not stat(served, "blocked_clients", "clients"):
            continue
        with served.store.lock:
            for session in served.store.sessions.values():
                session.seen -= 101 * 10**9
        assert closed(idle)
        served.call("RPUSH", "k", "v")
        assert waits.receive_all(1) == [[b"k", b"v"]]
        assert served.call("PUBLISH", "news", "x") == 1
        assert looks._socket.recv(10)[:1] == b"+"


STRANGERS = [
    b"*11\r\n" + b"$1\r\na\r\n" * 11, b"*10\r\n$4\r\nMGET\r\n" + b"$1\r\na\r\n" * 9, b"*2\r\n$4\r\nECHO\r\n$16385\r\n",
    request(("ECHO", "x" * 16384)), request(("ECHO", "x" * 16385)), b"PING\r\nGET k\r\n",
    request(("AUTH", "secret")) + request(("MGET", *"abcdefghijklm")), request(("AUTH", "a", "b", "c")) + b"PING\r\n",
    request(("AUTH", "wrong")) * 3 + request(("AUTH", "default", "secret")) + request(("ECHO", "x" * 20000)),
    request(("HELLO", 2, "AUTH", "default", "secret"))[:20], request(("QUIT",)), b"*1048576\r\n",
    b"*-1\r\nAUTH secret\r\nPING\r\n",
    b"AUTH secret\r\n" + request(("MSET", *"abcdefghijklmn")) + b"RESET\r\n" + b"GET k\r\n",
]  # fmt: skip


def test_strangers_are_kept_short(served: Served, apart: RealServer) -> None:
    try:
        apart.call("CONFIG", "SET", "requirepass", "secret")
        served.call("CONFIG", "SET", "requirepass", "secret")
        for data in STRANGERS:
            assert exchange(served.socket, data) == exchange(apart.socket, data), data[:60]
    finally:
        apart.call("CONFIG", "SET", "requirepass", "")


def test_a_login_in_pieces(served: Served) -> None:
    """The password and what it allows come as the network cuts them."""
    served.call("CONFIG", "SET", "requirepass", "secret")
    data = request(("AUTH", "secret")) + request(("ECHO", "x" * 20000)) + request(("MGET", *"abcdefghijklm"))
    for at in (10, 30, 33, 40, 60, 16000, 20060):
        with served.client() as client:
            client._socket.sendall(data[:at])
            client._socket.sendall(data[at:])
            assert client.receive_all(3) == [b"OK", b"x" * 20000, [None] * 13]


def test_a_longer_word_from_now_on(served: Served) -> None:
    with served.client() as client:
        client.call("CONFIG", "SET", "proto-max-bulk-len", MEGABYTE)
        client._socket.sendall(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (MEGABYTE + 1))
        assert client.receive_wire() == b"-ERR Protocol error: invalid bulk length\r\n"
    with served.client() as client:
        client.call("CONFIG", "SET", "proto-max-bulk-len", MEGABYTE + 1)
        assert len(client.call("ECHO", "x" * (MEGABYTE + 1))) == MEGABYTE + 1


def test_a_long_pipeline_lets_others_in(served: Served) -> None:
    count = 100_000
    with served.client() as busy, served.client() as other:
        busy._socket.setblocking(False)
        data = request(("INCR", "n")) * count
        sent = 0
        with suppress(BlockingIOError):
            while sent < len(data):
                sent += busy._socket.send(data[sent : sent + MEGABYTE])
        seen = int(other.call("GET", "n") or 0)
        taken = sent // len(request(("INCR", "n")))
        busy._socket.settimeout(30)
        busy.receive_all(taken)
        assert seen < taken


def test_memory_of_all_clients(served: Served) -> None:
    """Who holds most goes, unless it is protected."""
    message = "x" * 200_000
    with served.client() as protected, served.client() as hog, served.client() as loud:
        protected.call("CLIENT", "NO-EVICT", "on")
        for client, channel in ((protected, "first"), (hog, "second")):
            client.call("SUBSCRIBE", channel)
        for _ in range(20):
            loud.call("PUBLISH", "first", message)
        served.call("CONFIG", "SET", "maxmemory-clients", "6mb")
        while loud.call("PUBLISH", "second", message):
            continue
        assert stat(served, "evicted_clients") == 1
        assert closed(hog)
        assert loud.call("PUBLISH", "first", message) == 1


def test_what_is_held_is_told(served: Served) -> None:
    with served.client() as slow:
        slow._socket.sendall(b"*2\r\n$4\r\nECHO\r\n$100000\r\n" + b"x" * 50_000)
        while held(served, slow, "qbuf") < 50_000:
            continue
        assert held(served, slow, "tot-mem") > 50_000
        assert held(served, slow, "omem") == 0


class Peer:
    """A socket somebody has connected to."""

    def __init__(self, host: str, family: int = socket.AF_INET) -> None:
        self.host, self.family = host, family

    def getpeername(self) -> tuple[str, int]:
        return self.host, 1


HOSTS = {"127.0.0.1": True, "127.9.9.9": True, "::1": True, "192.0.2.1": False, "::ffff:127.0.0.1": True,
         "2001:db8::1": False}  # fmt: skip


@pytest.mark.parametrize(("host", "passes"), HOSTS.items())
def test_protected_mode(host: str, passes: bool) -> None:
    store = Store(Config())
    bound, peer = Limits(store), cast(socket.socket, Peer(host))
    assert (bound.refusal(peer, 0) == b"") == passes
    assert passes or bound.refusal(peer, 0).startswith(b"-DENIED Redis is running in protected mode because")
    for parameter in (b"protected-mode no", b"requirepass secret"):
        config = Config()
        config.assign([(parameter.split()[0], parameter.split()[1])])
        assert Limits(Store(config)).refusal(peer, 0) == b""


def test_keepalive_of_tcp_connections(served: Served) -> None:
    with served.store.lock:
        port = served.listener.listen_tcp()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"PING\r\n")
        assert client.recv(100) == b"+PONG\r\n"
        (made,) = (one.sock for one in served.listener.connections if one.sock.family == socket.AF_INET)
        for name, value in (("TCP_KEEPIDLE", 300), ("TCP_KEEPINTVL", 100), ("TCP_NODELAY", 1)):
            assert made.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value


@pytest.mark.parametrize(("soft", "hard", "maxclients", "becomes", "left"), [
    (1024, 4096, 2000, 2000, 2032), (1024, 4096, 5000, 4064, 4096), (1024, 4096, 900, 900, 1024),
    (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 5000, 5000, resource.RLIM_INFINITY),
])  # fmt: skip
def test_descriptors(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, maxclients: int, becomes: int, left: int
) -> None:
    """The system's limit is raised as far as it goes, and maxclients lowered to what is left, with a warning."""
    now = [soft, hard]

    def setrlimit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[1] > hard:
            raise ValueError
        now[:] = wanted

    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(now))
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    config, said = Config(), list[str]()
    config["maxclients"] = maxclients
    limits.make_descriptors(config, said.append)
    assert (config["maxclients"], now[0], bool(said)) == (becomes, left, becomes != maxclients)
