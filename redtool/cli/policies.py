"""What is known of eviction policies: what each does, when to use it, and what is wrong with a choice. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# policy -> (which keys it drops, when to use it)
POLICIES: dict[str, tuple[str, str]] = {
    "noeviction": (
        "none: writes that need memory get an OOM error, reads go on",
        "the only copy of something: queues, sessions, locks, counters; not for a cache",
    ),
    "allkeys-lru": (
        "those not used for the longest time, any key",
        "a plain cache: the usual choice when everything can be fetched again",
    ),
    "allkeys-lfu": (
        "those used least often, any key",
        "a cache where the same keys stay popular and scans or crawlers must not push them out",
    ),
    "allkeys-random": (
        "any key, by chance",
        "a cache that is read evenly, or a loop over all keys, where the last use says nothing",
    ),
    "volatile-lru": (
        "those not used for the longest time, of the keys that have a TTL",
        "cache and lasting data in one store: give a TTL to the cached keys only",
    ),
    "volatile-lfu": (
        "those used least often, of the keys that have a TTL",
        "the same mixture, when the popular cached keys must survive a burst of others",
    ),
    "volatile-random": (
        "by chance, of the keys that have a TTL",
        "the same mixture, when no cached key is worth more than another",
    ),
    "volatile-ttl": (
        "those that would expire soonest",
        "a TTL says how long a key is worth keeping: the cheapest to lose is the shortest-lived",
    ),
}


@dataclass(frozen=True)
class Memory:
    """What the advice rests on. ``limit`` 0: none."""

    policy: str
    limit: int
    used: int
    keys: int
    expires: int
    evicted: int = 0

    @property
    def volatile(self) -> bool:
        return self.policy.startswith("volatile-")


def advice(m: Memory) -> list[str]:
    """What a person should know about this policy on these data, the gravest first."""
    return [text for rule in RULES if (text := rule(m))]


def _nothing_to_drop(m: Memory) -> str:
    if not (m.volatile and m.keys and not m.expires):
        return ""
    return (f"No key has a TTL, so {m.policy} finds nothing to drop: with the memory full, writes fail just as with "
            f"noeviction. Give the keys that may go a TTL (SET … EX, EXPIRE), or use allkeys-{m.policy[9:]}."
            if m.policy != "volatile-ttl" else
            "No key has a TTL, so volatile-ttl finds nothing to drop: with the memory full, writes fail just as with "
            "noeviction. Give the keys that may go a TTL (SET … EX, EXPIRE), or use allkeys-lru.")  # fmt: skip


def _little_to_drop(m: Memory) -> str:
    if not (m.volatile and m.expires and m.expires * 10 < m.keys):
        return ""
    return (f"Only {m.expires:,} of {m.keys:,} keys have a TTL, and {m.policy} can drop no others: check that the bulk "
            "of the memory is in them.")  # fmt: skip


def _no_limit(m: Memory) -> str:
    if m.limit:
        return ""
    one, policy = ("one, for a cache", "allkeys-lru") if m.policy == "noeviction" else ("one", m.policy)
    return (f"maxmemory is 0, no limit: nothing is ever dropped, whatever the policy. To set {one}: redtool policy set "
            f"{policy} --maxmemory 2gb")  # fmt: skip


def _refuses(m: Memory) -> str:
    if m.policy != "noeviction" or not m.limit:
        return ""
    if m.keys and m.expires == m.keys:
        return ("Every key has a TTL, which looks like a cache: with noeviction a full one answers writes with an OOM "
                "error instead of making room. allkeys-lru makes room.")  # fmt: skip
    return ("Writes get an OOM error once the limit is reached. Right for data that must not vanish; for a cache use "
            "allkeys-lru.")  # fmt: skip


def _anything_goes(m: Memory) -> str:
    if not m.policy.startswith("allkeys-") or not m.keys:
        return ""
    lasting = m.keys - m.expires
    if not lasting:
        return ""
    return (f"Any key may be dropped, also the {lasting:,} without a TTL. What is costly to make again, or must stay, "
            "belongs in a store of its own with noeviction, or use a volatile- policy here.")  # fmt: skip


def _ttl_missing(m: Memory) -> str:
    if not m.policy.startswith("allkeys-") or not m.keys or m.expires:
        return ""
    return ("No key has a TTL. Eviction keeps a cache within its memory, but only a TTL keeps it from serving old "
            "data: set one on each cached key.")  # fmt: skip


def _nearly_full(m: Memory) -> str:
    if not m.limit or m.used * 10 < m.limit * 9:
        return ""
    return f"{100 * m.used // m.limit}% of the limit is in use."


def _evicting(m: Memory) -> str:
    if not m.evicted:
        return ""
    return (f"{m.evicted:,} keys have been dropped since the start. When keyspace_misses in INFO stats rises with that "
            "number, the limit is too low for what is in use.")  # fmt: skip


RULES = (_nothing_to_drop, _little_to_drop, _no_limit, _refuses, _nearly_full, _anything_goes, _ttl_missing, _evicting)
