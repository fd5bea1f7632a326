"""Clients of the server that wait for data."""

from __future__ import annotations

from tests.served import Served


def test_who_has_left_before_the_data_comes_gets_none(served: Served) -> None:
    """A command that waits and the end of its client come at once: what it would have popped is for others."""
    for number in range(100):
        with served.client() as leaver, served.client() as other:
            leaver.send("BLPOP", "q", 0)
            leaver.close()
            assert other.call("RPUSH", "q", number) == 1
            assert other.call("LPOP", "q") == b"%d" % number
