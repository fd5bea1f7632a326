"""Scripts of a served store: those that end, those that do not, and what others are told meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.served import Served
from tests.servers import Client

BUSY = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
FOREVER = "while true do end"


@pytest.fixture
def pair(served: Served) -> Iterator[tuple[Client, Client]]:
    """Two clients of a store that calls a script slow after 20 ms."""
    with served.client() as first, served.client() as second:
        first.call("CONFIG", "SET", "busy-reply-threshold", 20)
        yield first, second


def until_busy(client: Client) -> None:
    """Ask until the script is slow; every answer before that is a PONG."""
    while str(client.call("PING")) != BUSY:
        continue


def test_replies_of_every_kind(served: Served) -> None:
    with served.client() as client:
        for script, reply in (("return nil", None), ("return 5", 5), ("return {1, {'a'}}", [1, [b"a"]])):
            assert client.call("EVAL", script, 0) == reply


def test_a_pipeline_of_scripts_and_commands(served: Served) -> None:
    """Replies come in the order of the requests, and more scripts than Python would nest calls are no trouble."""
    script = ("EVAL", "return redis.call('INCR', 'n')", 0)
    with served.client() as client:
        client.send_all([script, ("ECHO", "between")] * 1500)
        replies = client.receive_all(3000)
    assert replies == [reply for number in range(1500) for reply in (number + 1, b"between")]


def test_others_are_told_and_can_end_it(pair: tuple[Client, Client]) -> None:
    first, second = pair
    first.send("EVAL", FOREVER, 0)
    until_busy(second)
    assert str(second.call("GET", "k")) == BUSY
    assert second.call("SCRIPT", "KILL") == b"OK"
    assert b"Script killed by user with SCRIPT KILL" in first.receive_wire()
    assert second.call("SET", "k", "v") == b"OK"
    assert first.call("GET", "k") == b"v"


def test_a_script_that_wrote_goes_on(pair: tuple[Client, Client]) -> None:
    first, second = pair
    first.send("EVAL", "redis.call('SET', 'k', 1) for i = 1, 2e7 do end return 'done'", 0)
    until_busy(second)
    assert str(second.call("SCRIPT", "KILL")).startswith("UNKILLABLE ")
    assert first.receive_wire() == b"$4\r\ndone\r\n"
    assert second.call("GET", "k") == b"1"


def test_inside_a_transaction(pair: tuple[Client, Client]) -> None:
    first, second = pair
    first.call("MULTI")
    first.call("INCR", "n")
    first.call("EVAL", FOREVER, 0)
    first.call("INCR", "n")
    first.send("EXEC")
    until_busy(second)
    assert second.call("SCRIPT", "KILL") == b"OK"
    assert b"Script killed" in first.receive_wire()
    assert second.call("GET", "n") == b"2"


def test_the_client_of_a_slow_script_may_leave(pair: tuple[Client, Client], served: Served) -> None:
    first, second = pair
    with served.client() as third:
        third.send("EVAL", FOREVER, 0)
        until_busy(second)
    assert second.call("SCRIPT", "KILL") == b"OK"
    while str(second.call("PING")) == BUSY:
        continue
    assert first.call("PING") == b"PONG"


@pytest.mark.parametrize("how", [(), ("SAVE",), ("NOW",)], ids=str)
def test_no_half_of_a_script_is_saved_by_shutdown(pair: tuple[Client, Client], how: tuple[str, ...]) -> None:
    first, second = pair
    first.send("EVAL", FOREVER, 0)
    until_busy(second)
    assert str(second.call("SHUTDOWN", *how)) == BUSY
    assert second.call("SCRIPT", "KILL") == b"OK"
    assert "Script killed" in str(first.receive_all(1)[0])
    assert second.call("PING") == b"PONG"


def test_exec_gives_up_its_transaction(pair: tuple[Client, Client]) -> None:
    first, second = pair
    first.send("EVAL", FOREVER, 0)
    until_busy(second)
    assert second.call("MULTI") == b"OK"
    assert str(second.call("EXEC")) == f"EXECABORT Transaction discarded because of: {BUSY}"
    assert second.call("SCRIPT", "KILL") == b"OK"
    first.receive_all(1)
    assert second.call("PING") == b"PONG"


def test_what_its_client_sends_meanwhile_is_run_afterwards_in_order(pair: tuple[Client, Client]) -> None:
    first, second = pair
    first.send("EVAL", FOREVER, 0)
    until_busy(second)
    for number in range(3):
        first.send("ECHO", number)
        assert str(second.call("PING")) == BUSY  # so it has come
    assert second.call("SCRIPT", "KILL") == b"OK"
    killed, *echoed = first.receive_all(4)
    assert "Script killed" in str(killed)
    assert echoed == [b"0", b"1", b"2"]
