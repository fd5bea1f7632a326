"""Every value arrives: between servers of two kinds and a store, with DUMP and RESTORE and without."""

from __future__ import annotations

import pytest

from tests.servers import RealServer
from tests.transfer.pairs import STORE, tried

PAIRS = [("valkey", "redis7", ""), ("valkey", STORE, ""), ("redis7", "valkey", ""), ("redis7", STORE, ""),
         (STORE, "valkey", ""), (STORE, "redis7", ""), ("valkey", "redis7", "restore"), ("redis7", "valkey", "restore"),
         ("redis7", "valkey", "dump"), ("valkey", STORE, "dump")]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "without"), PAIRS)
def test_every_value_arrives(one: str, other: str, without: str, valkey: RealServer, redis7: RealServer) -> None:
    assert not tried((one, other), {"valkey": valkey, "redis7": redis7}, without)
