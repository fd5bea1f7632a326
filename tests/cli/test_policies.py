"""The advice on eviction policies: what is said, and what is not, for given data."""

from __future__ import annotations

import pytest

from redtool.cli.policies import POLICIES, Memory, advice
from redtool.parameters import POLICIES as KNOWN

GB = 1 << 30


def test_every_policy_is_explained() -> None:
    assert set(POLICIES) == set(KNOWN)
    assert all(drops and use for drops, use in POLICIES.values())


@pytest.mark.parametrize(
    ("memory", "said", "not_said"),
    [
        (Memory("volatile-lru", GB, 0, keys=10, expires=0), ["finds nothing to drop", "allkeys-lru"], ["Only"]),
        (Memory("volatile-ttl", GB, 0, keys=10, expires=0), ["finds nothing to drop", "allkeys-lru"], ["allkeys-ttl"]),
        (Memory("volatile-random", GB, 0, keys=10, expires=0), ["allkeys-random"], []),
        (Memory("volatile-lru", GB, 0, keys=100, expires=3), ["Only 3 of 100"], ["finds nothing"]),
        (Memory("volatile-lru", GB, 0, keys=100, expires=50), [], ["Only", "finds nothing", "maxmemory is 0"]),
        (Memory("volatile-lru", GB, 0, keys=0, expires=0), [], ["finds nothing"]),
        (Memory("noeviction", GB, 0, keys=10, expires=10), ["looks like a cache", "allkeys-lru"], []),
        (Memory("noeviction", GB, 0, keys=10, expires=1), ["Right for data that must not vanish"], ["looks like"]),
        (Memory("noeviction", 0, 0, keys=10, expires=1), ["maxmemory is 0"], ["OOM"]),
        (Memory("allkeys-lru", GB, 0, keys=10, expires=4), ["the 6 without a TTL"], ["No key has a TTL"]),
        (Memory("allkeys-lfu", GB, 0, keys=10, expires=0), ["the 10 without a TTL", "serving old data"], []),
        (Memory("allkeys-lru", GB, 0, keys=10, expires=10), [], ["without a TTL", "maxmemory is 0"]),
        (Memory("allkeys-lru", 100, 95, keys=1, expires=1), ["95% of the limit"], []),
        (Memory("allkeys-lru", 100, 50, keys=1, expires=1, evicted=1200), ["1,200 keys have been dropped"], ["%"]),
    ],
)
def test_advice(memory: Memory, said: list[str], not_said: list[str]) -> None:
    text = "\n".join(advice(memory))
    assert all(part in text for part in said), text
    assert not any(part in text for part in not_said), text


def test_nothing_to_say() -> None:
    assert advice(Memory("allkeys-lru", GB, 0, keys=10, expires=10)) == []
