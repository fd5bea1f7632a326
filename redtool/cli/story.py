"""The data of ``redtool demo``: what a small web shop keeps in Redis, section by section. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from time import localtime, strftime

DAY = 86400


@dataclass(frozen=True)
class Section:
    """``made`` are the commands that write, ``read`` those whose replies are shown, ``quiet`` more data behind them."""

    title: str
    about: str
    made: tuple[str, ...]
    read: tuple[str, ...]
    quiet: tuple[str, ...] = ()


def sections(now: float) -> list[Section]:
    """The whole story, with today's date in it; ``now`` is unix time."""
    today, yesterday = (f"visitors:{strftime('%Y-%m-%d', localtime(now - ago))}" for ago in (0, DAY))
    return [USERS, SESSIONS, LEADERBOARD, FEED, QUEUE, _visitors(today, yesterday), FRIENDS]


USERS = Section(
    "Users",
    "A hash is an object: each field is read and changed by itself.",
    ("HSET user:1 name Ada email ada@example.com plan pro logins 17", "HINCRBY user:1 logins 1"),
    ("HGETALL user:1",),
    (
        "HSET user:2 name Grace email grace@example.com plan pro logins 230",
        "HSET user:3 name Alan email alan@example.com plan free logins 4",
        'HSET user:4 name "Björk Ōta" email bjork@example.com plan free logins 61',
        "HSET user:5 name 小林 email kobayashi@example.com plan team logins 12",
    ),
)
SESSIONS = Section(
    "Sessions",
    "A string that goes away by itself. EXPIRE at each visit makes the time start anew.",
    ("""SET session:7f3a '{"user": 1, "cart": 2}' EX 86400""", "EXPIRE session:7f3a 86400"),
    ("GET session:7f3a", "TTL session:7f3a"),
    (
        """SET session:c41e '{"user": 2, "cart": 0}' EX 5400""",
        """SET session:09bd '{"user": 5, "cart": 1}' EX 42000""",
        """SET catalog:desks '[{"sku": "D-1", "price": 240}]' EX 300""",
        "INCRBY views:product:D-1 1842",
    ),
)
LEADERBOARD = Section(
    "Leaderboard",
    "A sorted set keeps its members in the order of their scores.",
    ("ZADD leaderboard 5000 ada 8200 grace 3100 alan 6650 kobayashi", "ZINCRBY leaderboard 200 ada"),
    ("ZREVRANGE leaderboard 0 9 WITHSCORES",),
    ("ZADD leaderboard 1475 bjork",),
)
FEED = Section(
    "Feed",
    "A list with the newest first; LTRIM keeps the latest hundred.",
    ('LPUSH feed:1 "grace reviewed desk D-1"', "LTRIM feed:1 0 99"),
    ("LRANGE feed:1 0 2",),
    ('LPUSH feed:1 "alan joined"', 'LPUSH feed:1 "bjork asks: does the lamp dim?"'),
)
QUEUE = Section(
    "Job queue",
    "In at one end, out at the other. A worker waits with BLPOP jobs:email 30.",
    ("RPUSH jobs:email welcome:3 receipt:981 receipt:982 newsletter:5",),
    ("LPOP jobs:email", "LRANGE jobs:email 0 -1"),
)
FRIENDS = Section(
    "Friends",
    "Whom do two people both know? An intersection answers it.",
    ("SADD friends:ada grace alan bjork", "SADD friends:kobayashi bjork grace dorothy"),
    ("SINTER friends:ada friends:kobayashi",),
)


def _visitors(today: str, yesterday: str) -> Section:
    return Section(
        "Daily visitors",
        "A set counts everyone once. SINTER of two days: who came back.",
        (f"SADD {today} user:1 user:2 user:2 user:5 user:2", f"EXPIRE {today} 604800"),
        (f"SCARD {today}", f"SINTER {yesterday} {today}"),
        (f"SADD {yesterday} user:1 user:3 user:4 user:5", f"EXPIRE {yesterday} 518400"),
    )
