"""TLS ports: what they speak, whom they let in, what they say of files that cannot be used; beside a real server."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from redtool.config import Config
from redtool.errors import ConnectError, ReplyError
from redtool.server.tls import Tls, context
from redtool.store import Store
from tests.served import Served
from tests.servers import Client, running

SERVERS = ["redtool", pytest.param("redis7", marks=pytest.mark.needs("redis-server"))]


def files(certs: Path, **others: str) -> dict[str, str]:
    """The parameters of a usual TLS port, and others."""
    named = {"cert_file": "server.pem", "key_file": "server.key", "ca_cert_file": "ca.pem"}
    given = {name: str(certs / file) for name, file in named.items()} | others
    return {f"tls-{name.replace('_', '-')}": text for name, text in given.items()}


@contextmanager
def port_of(name: str, parameters: dict[str, str]) -> Iterator[int]:
    """A server of that name with a TLS port."""
    if name == "redtool":
        config = Config()
        config.assign([(key.encode(), text.encode()) for key, text in parameters.items()])
        served = Served(Store(config))
        try:
            with served.listener.lock:
                port = served.listener.listen_tcp(tls=Tls(config))
            yield port
        finally:
            served.stop()
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        words = [word for key, text in parameters.items() for word in (f"--{key}", text)]
        with running(name, "--tls-port", str(port), *words):
            yield port


def trusting(certs: Path, client: bool = False) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(certs / "ca.pem"))
    if client:
        made.load_cert_chain(certs / "client.pem", certs / "client.key")
    return made


class Secure(Client):
    """A raw client of a TLS port."""

    def __init__(self, port: int, made: ssl.SSLContext) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket = made.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("name", SERVERS)
def test_what_goes_through(certs: Path, name: str) -> None:
    """Small and large words, pipelines, messages, and the end."""
    big = "x" * 3_000_000
    with port_of(name, files(certs, auth_clients="no")) as port, Secure(port, trusting(certs)) as client:
        assert client.call("SET", "k", big) == b"OK"
        assert client.call("GET", "k") == big.encode()
        client.send_all([("INCR", "n")] * 5000)
        assert client.receive_all(5000) == list(range(1, 5001))
        client.send_all([("GET", "k")] * 5)
        assert [len(reply) for reply in client.receive_all(5)] == [len(big)] * 5
        client.call("SUBSCRIBE", "news")
        with Secure(port, trusting(certs)) as other:
            assert other.call("PUBLISH", "news", big) == 1
        assert client.receive_all(1) == [[b"message", b"news", big.encode()]]
        assert client.call("QUIT") in (b"OK", [b"OK"])
        assert client._socket.recv(10) == b""


def ended(port: int, made: ssl.SSLContext) -> bool:
    """Whether a client is turned away: in the handshake, or where TLS 1.3 tells it, at the first reply."""
    try:
        with Secure(port, made) as client:
            return bool(client.call("PING") != b"PONG")
    except OSError:
        return True


@pytest.mark.parametrize("name", SERVERS)
def test_who_is_let_in(certs: Path, name: str) -> None:
    stranger = trusting(certs)
    stranger.load_cert_chain(certs / "other.pem", certs / "other.key")
    clients = trusting(certs), trusting(certs, client=True), stranger
    modes = {"yes": [False, True, False], "optional": [True, True, False], "no": [True, True, True]}
    for mode, let_in in modes.items():
        with port_of(name, files(certs, auth_clients=mode)) as port:
            assert [not ended(port, made) for made in clients] == let_in, mode


@pytest.mark.parametrize("name", SERVERS)
def test_versions(certs: Path, name: str) -> None:
    old = trusting(certs)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with port_of(name, files(certs, auth_clients="no")) as port:
        for made, version in ((trusting(certs), "TLSv1.3"), (old, "TLSv1.2")):
            with Secure(port, made) as client:
                assert client.call("PING") == b"PONG"
                assert client._socket.version() == version  # type: ignore[attr-defined]
    with port_of(name, files(certs, auth_clients="no", protocols="TLSv1.3")) as port:
        assert ended(port, old)


def test_what_is_no_handshake_harms_nobody(certs: Path) -> None:
    with port_of("redtool", files(certs, auth_clients="no")) as port, Secure(port, trusting(certs)) as client:
        for data in (b"PING\r\n", b"\x16\x03\x01\x02\x00", b"\x00" * 100000, b""):
            with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
                plain.sendall(data)
                if data[:1] != b"\x16" and data:
                    assert b"PONG" not in plain.recv(100)
            assert client.call("PING") == b"PONG"


BROKEN = [
    ({"cert_file": ""}, "tls-cert-file is not set: a TLS port needs a certificate and its key"),
    ({"cert_file": "{certs}/none.pem"}, "tls-cert-file {certs}/none.pem: no such file or directory"),
    ({"key_file": "{certs}/client.key"}, "the key is not that of the certificate"),
    ({"key_file": "{certs}/names"}, "not a PEM file"),
    ({"key_file": "{certs}/locked.key"}, "a password is needed: tls-key-file-pass"),
    ({"key_file": "{certs}/locked.key", "key_file_pass": "wrong"}, "the password is wrong"),
    ({"ca_cert_file": ""}, "tls-ca-cert-file is not set, without which"),
    ({"ca_cert_file": "{certs}/names"}, "tls-ca-cert-file {certs}/names: not a PEM file"),
    ({"ca_cert_file": "", "ca_cert_dir": "{certs}/none"}, "tls-ca-cert-dir {certs}/none: there is no such directory"),
    ({"protocols": "SSLv3"}, "tls-protocols: SSLv3: TLSv1.2 and TLSv1.3 are spoken here"),
    ({"ciphers": "NONSENSE"}, "tls-ciphers: none of NONSENSE is known here"),
    ({"dh_params_file": "{certs}/names"}, "tls-dh-params-file {certs}/names: not a PEM file"),
]  # fmt: skip


@pytest.mark.parametrize(("others", "reason"), BROKEN, ids=lambda value: str(value)[:50])
def test_files_that_cannot_be_used_are_named(certs: Path, others: dict[str, str], reason: str) -> None:
    given = files(certs, **{name: text.format(certs=certs) for name, text in others.items()})
    config = Config()
    config.assign([(name.encode(), text.encode()) for name, text in given.items()])
    with pytest.raises(ConnectError) as caught:
        context(config)
    assert reason.format(certs=certs) in str(caught.value)


def test_a_key_with_a_password(certs: Path) -> None:
    given = files(certs, auth_clients="no", key_file=str(certs / "locked.key"), key_file_pass="secret")
    with port_of("redtool", given) as port, Secure(port, trusting(certs)) as client:
        assert client.call("PING") == b"PONG"


def test_new_certificates_for_new_connections(certs: Path) -> None:
    """CONFIG SET takes what can be used, and leaves things as they were where it cannot."""
    config = Config()
    config.assign([(name.encode(), text.encode()) for name, text in files(certs, auth_clients="no").items()])
    made = Tls(config)
    before = made.context
    with pytest.raises(ReplyError, match="Unable to update TLS configuration"):
        config.assign([(b"tls-key-file", str(certs / "client.key").encode())])
    assert config["tls-key-file"] == str(certs / "server.key")
    pair = {"tls-cert-file": certs / "client.pem", "tls-key-file": certs / "client.key"}
    config.assign([(name.encode(), str(path).encode()) for name, path in pair.items()])
    assert made.context is not before
