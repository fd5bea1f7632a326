"""Clients of the server that wait for data."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from redtool.config import Config
from redtool.server.listener import Listener
from redtool.store import Store
from tests.embedded import import_all
from tests.served import Served
from tests.servers import Client, request


def test_who_has_left_before_the_data_comes_gets_none(served: Served) -> None:
    """A command that waits and the end of its client come at once: what it would have popped is for others."""
    for number in range(100):
        with served.client() as leaver, served.client() as other:
            leaver.send("BLPOP", "q", 0)
            leaver.close()
            assert other.call("RPUSH", "q", number) == 1
            assert other.call("LPOP", "q") == b"%d" % number


@pytest.mark.parametrize("behind", [1, 2])
def test_what_comes_when_a_wait_ends_is_run_behind_what_came_before(tmp_path: Path, behind: int) -> None:
    import_all()
    listener = Listener(Store(Config()))
    listener.listen_unix(path := str(tmp_path / "s"))
    with Client(path) as waiting, Client(path) as giving:
        turn(listener)
        parts = [("BLPOP", "q", 0), ("SET", "k", "v")]
        for part in [parts] if behind == 1 else [[part] for part in parts]:  # in one piece, or each by itself
            waiting.send_all(part)
            turn(listener)
        giving.send("RPUSH", "q", "x")
        waiting.send("GET", "k")
        turn(listener)
        assert waiting.receive_all(3) == [[b"q", b"x"], b"OK", b"v"]
    listener.close()


def test_nothing_large_is_left_of_who_has_left(tmp_path: Path) -> None:
    """Not even until garbage is collected: it may be 512 MB a client."""
    import_all()
    listener = Listener(Store(Config()))
    listener.listen_unix(path := str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(request(("ECHO", b"z" * 50_000)))
        turn(listener)
        (connection,) = listener.connections
        assert connection.batch == () and connection.session.last[0] == b"ECHO"
        assert sum(map(len, connection.session.last)) < 40_000  # nor of a command that was answered
        client.sendall(b"*2\r\n$4\r\nECHO\r\n$100000\r\n" + b"z" * 50_000)
        turn(listener)
        assert connection.asked > 50_000
    turn(listener)
    assert not listener.connections
    assert (connection.asked, connection.batch, connection.session.last) == (0, (), ())
    listener.close()


def turn(listener: Listener) -> None:
    """Turn until everything that was sent is done, and the system lists nobody as ready any more."""
    for _ in range(4):
        listener.turn(0.01)
