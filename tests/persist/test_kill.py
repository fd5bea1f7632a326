"""An acknowledged write survives kill -9, in every appendfsync mode (500 rounds: python -m tests.persist.kill)."""

from __future__ import annotations

import pytest

from tests.persist.kill import rounds, strikes


@pytest.mark.parametrize("mode", ["always", "everysec", "no"])
def test_no_acknowledged_write_is_lost(mode: str) -> None:
    total, acks = rounds(2, mode, seed=11)
    assert len(acks) == 2
    assert total > 0


def test_none_is_lost_while_the_store_is_saved_rewritten_or_compacted() -> None:
    jobs = ("BGSAVE slices", "BGREWRITEAOF child", "compaction")
    tally = strikes(len(jobs), seed=3, modes=("everysec",), jobs=jobs)
    assert sum(count for name, count in tally.items() if name.endswith("kills")) == len(jobs)
    assert sum(count for name, count in tally.items() if name.endswith("writes")) > 100
