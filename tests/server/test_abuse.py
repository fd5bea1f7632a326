"""Small runs of the programs that misuse a server and load it; their own pages say how to run large ones."""

from __future__ import annotations

import sys

from tests.server import abuse, soak


def test_misuse_harms_nobody_else() -> None:
    said: list[str] = []
    assert abuse.misuse("redtool", 300, 1, [], said.append) == [], "\n".join(said)


def test_everything_at_once_goes_well() -> None:
    said: list[str] = []
    assert soak.run("redtool", sys.maxsize, sys.maxsize, 1, 400, said.append) == [], "\n".join(said)
