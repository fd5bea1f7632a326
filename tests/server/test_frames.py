"""Bytes that are almost requests: redtool answers what a real server answers, and closes when it does."""

from __future__ import annotations

from random import Random

from tests.served import Served
from tests.server.frames import exchange, malformed
from tests.servers import RealServer

FRAMES = 400
# Valkey 9 looks at the two bytes behind every word, which hiredis and Redis up to 8.2 do not.
STRICTER = b"-ERR Protocol error: invalid CRLF in request\r\n"


def test_malformed_frames_are_answered_as_by_a_server(served: Served, valkey: RealServer) -> None:
    for seed in range(FRAMES):
        data = malformed(Random(seed))
        valkey.flush()
        served.flush()
        expected = exchange(valkey.socket, data)
        if STRICTER not in expected and b"\xff" not in data:  # which Valkey 9 takes for a space
            assert exchange(served.socket, data) == expected, f"seed {seed}: {data[:300]!r}"
