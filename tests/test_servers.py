"""The fixtures themselves: a real server answers over its socket, over TCP and through redis-cli."""

from __future__ import annotations

import socket

import pytest

from redtool import errors
from tests.servers import RealServer


def test_a_server_answers(real: RealServer) -> None:
    real.flush()
    assert real.wire("SET", "k", 1) == b"+OK\r\n"
    assert real.call("GET", "k") == b"1"
    assert isinstance(real.call("LPUSH", "k", "x"), errors.ReplyError)


@pytest.mark.needs("redis-cli")
def test_redis_cli_speaks_to_it(real: RealServer) -> None:
    real.flush()
    real.call("SET", "k", 1)
    assert real.cli("GET", "k") == b"1\n"
    assert real.cli(input=b"INCR k\nGET k\n") == b"2\n2\n"


def test_resp3_and_tcp(real: RealServer) -> None:
    port = b"%d" % real.port
    with real.client(proto=3) as client:
        assert client.wire("CONFIG", "GET", "port") == b"%%1\r\n$4\r\nport\r\n$%d\r\n%s\r\n" % (len(port), port)
    with socket.create_connection(("127.0.0.1", real.port), 5) as plain:
        plain.sendall(b"PING\r\n")
        assert plain.recv(100) == b"+PONG\r\n"
