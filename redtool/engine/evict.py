"""Which key goes when memory is full, chosen as Redis does it: a few drawn at random, and a pool of the best so far.

Looking at every key for the one unused for longest would take too long, so some are drawn each time (maxmemory-samples)
and scored: by time since the last use, how seldom they are used, or how soon they end. The sixteen with the highest
scores of all draws are remembered, and the first of them goes: so the choice comes near to the exact one. A key that
is used while it waits in the pool is not taken out again, as in Redis.
"""

from __future__ import annotations

from bisect import bisect_left

from redtool import errors
from redtool.engine.sampling import NOWHERE, Roll, loose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from redtool.engine.keyspace import Keyspace
    from redtool.engine.sampling import Drawn

    Place = tuple[Keyspace, bytes, int]

POOL = 16


class Pool:
    """The best candidates: ``scores`` rise, ``places`` has of each its database, key, and place in the roll."""

    __slots__ = ("places", "scores")

    def __init__(self) -> None:
        self.scores: list[int] = []
        self.places: list[Place] = []

    def offer(self, score: int, place: Place) -> None:
        """Take a candidate in unless the pool is full of better ones."""
        scores = self.scores
        at = bisect_left(scores, score)
        if len(scores) == POOL:
            if not at:
                return
            at -= 1
            del scores[0], self.places[0]
        scores.insert(at, score)
        self.places.insert(at, place)

    def pop(self) -> Place | None:
        """Take the best one out; it may have gone in the meantime. None when there is none."""
        if not self.scores:
            return None
        self.scores.pop()
        return self.places.pop()


class Chooser:
    """Chooses victims by one policy: ``victim()`` again and again, each to be dropped by whoever asks."""

    __slots__ = ("_turn", "databases", "pool", "rule", "volatile")

    def __init__(self, databases: Sequence[Keyspace], policy: str) -> None:
        self.databases = databases
        group, _, self.rule = policy.partition("-")
        self.volatile = group == "volatile"
        self.pool = Pool()
        self._turn = 0

    def victim(self, rng: Random, samples: int) -> Place | None:
        """The key that goes next, with its database and place; None when no key may."""
        if self.rule == "random":
            return self._any(rng)
        if not self.rule:
            return None
        while self._draw(rng, samples):
            while (place := self.pool.pop()) is not None:
                db, key, _ = place
                if key in (db.expires if self.volatile else db.data):
                    return place
        return None

    def _draw(self, rng: Random, samples: int) -> bool:
        """Offer some keys of each database to the pool. False when none were found."""
        offer, any_found = self.pool.offer, False
        for db in self.databases:
            if not db.data and db.cold is None:
                continue
            uses = db.uses
            for key, place in self._drawn(db, rng, samples):
                score = -db.expires[key] if uses is None or self.rule == "ttl" else uses.score(key)
                offer(score, (db, key, place))
                any_found = True
        return any_found

    def _drawn(self, db: Keyspace, rng: Random, count: int) -> list[Drawn]:
        return sample_expiring(db, rng, count) if self.volatile else sample(db, rng, count)

    def _any(self, rng: Random) -> Place | None:
        """A key at random, of the databases in turn, so that a small one loses as many as a large one."""
        for step in range(1, len(self.databases) + 1):
            turn = (self._turn + step) % len(self.databases)
            db = self.databases[turn]
            keys = self._drawn(db, rng, 1) if db.data or db.cold is not None else []
            if keys:
                self._turn = turn
                return db, *keys[0]
        return None


# -- drawing keys


def sample(db: Keyspace, rng: Random, count: int) -> list[Drawn]:
    """``count`` keys at random for eviction, maybe the same twice; those that lie in the file come in."""
    found = _brought(db, rng, count, len(db)) if db.cold is not None else []
    if db._array is not None:
        return found + [(db._array.pick(rng), NOWHERE) for _ in range(count - len(found)) if db.data]
    if db._roll is None:
        db._roll = Roll(db.data)
        db._review()
    return found + db._roll.draw(rng, count - len(found))


def sample_expiring(db: Keyspace, rng: Random, count: int) -> list[Drawn]:
    """The same of the keys that have a deadline."""
    found = _brought(db, rng, count, db.expiring, True) if db.cold is not None else []
    if db._timed_roll is None:
        db._timed_roll = Roll(db.expires)
    return found + db._timed_roll.draw(rng, count - len(found))


def tighten(db: Keyspace) -> bool:
    """Make tables anew that have become twice as large as they need be. True when there was one.

    A dict out of which keys go as fast as others come in grows to that.
    """
    if db._before is not None or not loose(db.data):
        return False
    db.data = dict(db.data)  # copy() would keep the room
    if db._roll is not None:
        db._roll.members = db.data
    if loose(db.expires):
        db.expires = dict(db.expires)
        if db._timed_roll is not None:
            db._timed_roll.members = db.expires
    if db._uses is not None and loose(db._uses.at):
        db._uses.at = dict(db._uses.at)
    if db._meter is not None:
        db._meter.look_anew()
    return True


def _brought(db: Keyspace, rng: Random, count: int, total: int, expiring: bool = False) -> list[Drawn]:
    """Of a draw of ``count`` among ``total`` keys, those that lie in the file."""
    found: list[Drawn] = []
    for _ in range(count):
        cold = db.cold
        outside = 0 if cold is None else cold.expires if expiring else len(cold)
        if cold is not None and rng.random() * total < outside:
            key = cold.pick_expiring(rng) if expiring else cold.pick(rng)
            if key is not None and _comes(db, key):
                found.append((key, NOWHERE))
    return found


def _comes(db: Keyspace, key: bytes) -> bool:
    """Have a key come in from the file. False when what lies there is damaged or empty."""
    try:
        db._bring(key)
    except errors.StoreError:
        return False
    return key in db.data


def drop(db: Keyspace, key: bytes, place: int) -> None:
    """Remove a key that was drawn."""
    for roll in (db._roll, db._timed_roll):
        if roll is not None:
            roll.discard(key, place)
    db.remove(key)
