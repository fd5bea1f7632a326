"""Bytes that are no request: what a client is told before its connection is closed, as by a real server."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from tests.served import Served
from tests.servers import RealServer

BAD = [
    b"*1\r\n$-1\r\n", b"*1\r\n$abc\r\n", b"*1\r\n$600000000\r\n", b"*1\r\n:5\r\n", b"*1\r\n$1\r\na\r\n*1\r\n:1\r\n",
    b"*1\r\n$4\r\nPING\r\n*4\r\n$4\r\nEVAL\r\n$8\r\nreturn 5\r\n$1\r\n0\r\n$1\r\na\r\n*1\r\n:1\r\n",
    b"*abc\r\n", b"*2147483648\r\n", b"*1\r\n*2147483647\r\n", b"*1\r\n>2147483647\r\n",
    b"SET a 'b\r\n", b"POST / HTTP/1.1\r\nHost: x\r\n\r\nSET a b\r\n",
    b"Host: x\r\nSET a b\r\n", b"host: x\r\n",
]  # fmt: skip


def last_words(path: str, data: bytes) -> bytes:
    """What comes back until the connection is closed."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(data)
        found = b""
        with suppress(ConnectionResetError):  # it was closed before all was read
            while part := client.recv(4096):
                found += part
        return found


@pytest.mark.parametrize("data", BAD, ids=lambda data: repr(data[:24]))
def test_a_protocol_error_is_told_as_a_server_does(served: Served, valkey: RealServer, data: bytes) -> None:
    assert last_words(served.socket, data) == last_words(valkey.socket, data)


def test_a_vector_set_that_is_not_there_has_no_facts(served: Served) -> None:
    """A null array (Redis 8.2.3), where VEMB and VLINKS give a null bulk string."""
    with served.client() as client:
        assert client.wire("VINFO", "nosuch") == b"*-1\r\n"
        assert client.wire("VLINKS", "nosuch", "a") == b"$-1\r\n"
