"""Which key goes when memory is full, chosen as Redis does it: a few drawn at random, and a pool of the best so far.

Looking at every key for the one unused for longest would take too long, so some are drawn each time (maxmemory-samples)
and scored: by time since the last use, how seldom they are used, or how soon they end. The sixteen with the highest
scores of all draws are remembered, and the first of them goes: so the choice comes near to the exact one. A key that
is used while it waits in the pool is not taken out again, as in Redis.
"""

from __future__ import annotations

from bisect import bisect_left

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
        return db.sample_expiring(rng, count) if self.volatile else db.sample(rng, count)

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
