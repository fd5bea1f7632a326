"""The calls that the article's Java code makes through Jedis, made through redis-py: a method an example."""

from __future__ import annotations

import json
from typing import Any


class Application:
    """What the examples of the article do, with a database of its own to fall back to."""

    def __init__(self, client: Any) -> None:
        self.redis = client
        self.asked = 0  # how often the database was asked

    def _load(self, name: str) -> dict[str, Any]:
        self.asked += 1
        return {"name": name}

    def cached(self, key: str, seconds: int) -> dict[str, Any]:
        """Cache-aside: a profile, a post."""
        if (text := self.redis.get(key)) is not None:
            found: dict[str, Any] = json.loads(text)
            return found
        value = self._load(key)
        self.redis.setex(key, seconds, json.dumps(value))
        return value

    def catalog(self, category: str) -> dict[str, Any]:
        """Sliding expiry: each look at it renews it."""
        key = f"catalog:{category}"
        if (text := self.redis.get(key)) is not None:
            self.redis.expire(key, 300)
            found: dict[str, Any] = json.loads(text)
            return found
        return self.cached(key, 300)

    def update_post(self, post: int) -> None:
        self.redis.delete(f"post:{post}")

    def page_views(self, post: int) -> int:
        return int(self.redis.incr(f"views:post:{post}"))

    def update_email(self, user: int, email: str) -> None:
        self.redis.hset(f"user:{user}", "email", email)

    def profile(self, user: int) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = self.redis.hgetall(f"user:{user}")
        return found

    def enabled(self, user: int, feature: str) -> bool:
        return bool(self.redis.hget(f"flags:user:{user}", feature) == b"1")

    def enqueue(self, job: str) -> None:
        self.redis.rpush("jobs:email", job)

    def process(self, timeout: float) -> bytes | None:
        result = self.redis.blpop("jobs:email", timeout)
        return None if result is None else result[1]

    def add_to_feed(self, user: int, post: str) -> None:
        self.redis.lpush(f"feed:user:{user}", post)
        self.redis.ltrim(f"feed:user:{user}", 0, 99)

    def track(self, user: int, day: str) -> None:
        self.redis.sadd(f"dau:{day}", user)
        self.redis.expire(f"dau:{day}", 86400 * 7)

    def active(self, day: str) -> int:
        return int(self.redis.scard(f"dau:{day}"))

    def seen(self, user: int, notification: int) -> bool:
        return bool(self.redis.sismember(f"seen:user:{user}", notification))

    def top(self, count: int) -> list[tuple[bytes, float]]:
        return [(name, score) for name, score in self.redis.zrevrange("leaderboard", 0, count - 1, withscores=True)]

    def score(self, player: str, delta: float) -> float:
        return float(self.redis.zincrby("leaderboard", delta, player))

    def limited(self, user: str, limit: int, window: int, now: float) -> bool:
        """A sliding window in one pipeline."""
        key = f"ratelimit:{user}"
        pipe = self.redis.pipeline(transaction=False)
        pipe.zremrangebyscore(key, 0, now - window)
        pipe.zadd(key, {str(now): now})
        pipe.zcard(key)
        pipe.expire(key, window)
        return bool(pipe.execute()[2] > limit)

    def acquire(self, resource: str, token: str, seconds: int) -> bool:
        return self.redis.set(f"lock:{resource}", token, nx=True, ex=seconds) is True

    def release(self, resource: str, token: str) -> bool:
        if self.redis.get(f"lock:{resource}") == token.encode():
            self.redis.delete(f"lock:{resource}")
            return True
        return False


def story(client: Any) -> list[Any]:
    """Use every method once or twice, and give what each gave."""
    app = Application(client)
    told: list[Any] = [app.cached("user:7", 600), app.cached("user:7", 600), app.asked, client.ttl("user:7") > 590]
    told += [app.page_views(3), app.page_views(3)]
    client.hset("user:42", mapping={"name": "Alice", "role": "admin", "login_count": 0})
    app.update_email(42, "alice@example.com")
    told += [sorted(app.profile(42).items()), client.hincrby("user:42", "login_count", 1)]
    client.hset("flags:user:42", mapping={"dark_mode": 1, "beta_search": 0})
    told += [app.enabled(42, "dark_mode"), app.enabled(42, "beta_search"), app.enabled(42, "unknown")]
    app.enqueue("101")
    told += [app.process(1), app.process(0.01)]
    for post in range(120):
        app.add_to_feed(42, f"post:{post}")
    told += [client.llen("feed:user:42"), client.lrange("feed:user:42", 0, 2)]
    for user in (42, 99, 42):
        app.track(user, "2026-06-15")
    told += [app.active("2026-06-15"), app.seen(42, 1), client.smismember("dau:2026-06-15", ["42", "7"])]
    for player, points in (("alice", 5000.0), ("bob", 8200.0), ("charlie", 3100.0)):
        app.score(player, points)
    told += [app.score("alice", 200), app.top(2), client.zrevrank("leaderboard", "alice")]
    told += [app.catalog("books"), app.catalog("books"), client.ttl("catalog:books") > 290]
    app.cached("post:5", 3600)
    told += [app.update_post(5), client.exists("post:5"), app.asked]
    told.append([app.limited("ann", 3, 60, 1000.0 + second) for second in (0, 1, 2, 3, 100)])
    told += [app.acquire("pay:987", "a", 30), app.acquire("pay:987", "b", 30), app.release("pay:987", "b")]
    told += [app.release("pay:987", "a"), app.acquire("pay:987", "b", 30)]
    client.set("hello", "world")
    told += [client.get("hello"), sorted(client.scan_iter("user:*")), client.type("user:42")]
    told.append(client.memory_usage("hello") > 0)
    return told
