"""TLS: whom a connection trusts, what it shows of itself, and failures in plain words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from redtool import connect
from redtool.backends.remote import Remote
from redtool.backends.target import resolve
from redtool.errors import ConnectError
from redtool.resp import OK, Status
from tests.backends.fake import Fake, Peer, fake
from tests.servers import RealServer, running

GREETING = b"%0\r\n"


@contextmanager
def serving(certs: Path, *replies: bytes, client_cert: bool = False) -> Iterator[tuple[Fake, list[str | None]]]:
    """A TLS server that greets and answers, and the names it was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "server.pem", certs / "server.key")
    if client_cert:
        context.load_verify_locations(certs / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    with fake(lambda peer: peer.answer(GREETING, *replies), tls=context) as server:
        yield server, names


def secure(server: Fake, **settings: object) -> Remote:
    remote = Remote(resolve({"url": server.target, "tls": "yes"} | {k: str(v) for k, v in settings.items()}, {}))
    remote.connect()
    return remote


def test_a_trusted_server(certs: Path) -> None:
    with serving(certs, b"+PONG\r\n") as (server, names), secure(server, cacert=certs / "ca.pem") as remote:
        assert remote.execute("PING") == Status(b"PONG")
        assert names == ["localhost"]
        assert str(remote.target).startswith("rediss://localhost:")


def test_an_untrusted_server_unless_told_to(certs: Path) -> None:
    distrust = "the server's certificate is not trusted: "
    with serving(certs) as (server, _):
        address = server.target.removeprefix("redis://")
        for trusted in ({}, {"cacert": certs / "other.pem"}):
            with pytest.raises(ConnectError) as caught:
                secure(server, **trusted)
            assert str(caught.value).startswith(f"cannot connect to {address}: {distrust}")
        secure(server, insecure="yes").close()


def test_a_certificate_for_another_name(certs: Path) -> None:
    with serving(certs) as (server, names):
        with pytest.raises(
            ConnectError, match=r"not trusted: Hostname mismatch, certificate is not valid for 'db.example'"
        ):
            secure(server, cacert=certs / "ca.pem", sni="db.example")
        assert names == ["db.example"]


def test_a_client_certificate(certs: Path) -> None:
    files = {"cacert": certs / "ca.pem", "cert": certs / "client.pem", "key": certs / "client.key"}
    with serving(certs, b"+PONG\r\n", client_cert=True) as (server, _):
        with secure(server, **files) as remote:
            assert remote.execute("PING") == Status(b"PONG")
        with pytest.raises(ConnectError, match=r"the server wants a client certificate \(--cert and --key\)"):
            secure(server, cacert=certs / "ca.pem")


def test_a_server_without_tls(certs: Path) -> None:
    refused = pytest.raises(ConnectError, match=r"^cannot connect to localhost:\d+: the server does not speak TLS$")
    with fake(lambda peer: peer.answer(b"-ERR what?\r\n"), tcp=True) as server, refused:
        secure(server, cacert=certs / "ca.pem")


FILES = [
    ({"cacert": "/none.pem"}, "cannot read the CA certificates: no such file or directory"),
    (
        {"cert": "/none.pem", "key": "/none.key"},
        "cannot read the client certificate or its key: no such file or directory",
    ),
]


@pytest.mark.parametrize(("settings", "message"), FILES, ids=["ca", "client"])
def test_certificates_that_cannot_be_read(settings: dict[str, str], message: str) -> None:
    with fake(Peer.drain, tcp=True) as server, pytest.raises(ConnectError) as caught:
        secure(server, **settings)
    assert str(caught.value) == message


@pytest.fixture
def redis_tls(redis7: RealServer, certs: Path) -> Iterator[tuple[RealServer, int]]:
    """Redis 7 on a TLS port, if its build has TLS (Debian's has)."""
    options = ["--tls-cert-file", "server.pem", "--tls-key-file", "server.key", "--tls-ca-cert-file", "ca.pem"]
    options = [word if word.startswith("--") else str(certs / word) for word in options]
    with running("redis7", *options, "--tls-auth-clients", "optional") as server:
        import socket

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        assert server.call("CONFIG", "SET", "tls-port", port) == b"OK"
        yield server, port


def test_a_real_server(redis_tls: tuple[RealServer, int], certs: Path) -> None:
    server, port = redis_tls
    with connect(f"rediss://127.0.0.1:{port}/2?cacert={certs / 'ca.pem'}") as remote:
        value = b"x" * 5_000_000
        assert remote.execute("SET", "big", value) == OK
        assert remote.pipeline([[b"GET", b"big"], [b"SET", b"n", b"1"]] * 20) == [value, OK] * 20
        number = remote.execute("CLIENT", "ID")
        assert isinstance(number, int)
        assert server.call("CLIENT", "KILL", "ID", number) == 1
        assert (remote.execute("GET", "n"), remote.db) == (b"1", 2)
        remote.execute("SUBSCRIBE", "c")
        server.call("PUBLISH", "c", "hi")
        assert next(remote.messages()) == [b"message", b"c", b"hi"]
    with pytest.raises(ConnectError, match="cannot connect"):
        connect(f"redis://127.0.0.1:{port}")
