"""django-redis: the calls of its cache API, whose answers are the same on every server.

``python -m tests.apps.django_redis --count 1000`` runs it on redtool and on a real server; count is the number of
keys that are set, iterated over and deleted by pattern.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from zlib import crc32

from django.conf import settings
from django_redis.cache import RedisCache
from redis.exceptions import LockError

from tests.apps.stage import Figures, Stage, main

CLIENTS: dict[str, dict[str, str]] = {
    "default": {},
    "herd": {"CLIENT_CLASS": "django_redis.client.HerdClient"},
    "json": {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"},
    "zlib": {"COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"},
}


def play(stage: Stage) -> Figures:
    """Speak to a server as Django's cache and give every answer."""
    return answers(f"{stage.url}/1", stage.count)


def answers(url: str, count: int) -> Figures:
    """What each kind of client is answered, errors too."""
    if not settings.configured:
        settings.configure(USE_TZ=True)
    found: Figures = {}
    for name, options in CLIENTS.items():
        cache = RedisCache(url, {"OPTIONS": options, "KEY_PREFIX": name, "VERSION": 1})
        ask = Asked(cache, name, found)
        ask.clear()
        for part in (_values, _times, _numbers, _versions, _patterns, _collections):
            part(ask, count)
        if name == "default":
            found |= _locks(cache)
        cache.close()
    return found


class Asked:
    """A cache that is asked for something, and what it answered: the name of the error, if there was one."""

    def __init__(self, cache: RedisCache, name: str, answers: Figures) -> None:
        self._cache, self._name, self._answers = cache, name, answers

    def __getattr__(self, method: str) -> Callable[..., None]:
        def ask(*args: Any, **more: Any) -> None:
            try:
                answer = _shown(method, getattr(self._cache, method)(*args, **more))
            except Exception as error:
                answer = f"{type(error).__name__}: {error}"
            words = [*map(repr, args), *(f"{name}={value!r}" for name, value in more.items())]
            self._answers[f"{len(self._answers):3} {self._name}.{method}({', '.join(words)[:60]})"] = answer

        return ask


def _shown(method: str, answer: Any) -> Any:
    """An answer without its order where it has none, its time where that passes, and all of its length."""
    if method in ("ttl", "pttl"):
        return bool(answer and answer > 0) if answer is not None else None
    if method in ("spop", "srandmember"):
        return type(answer)
    if method in ("keys", "iter_keys", "sscan_iter", "sdiff", "sinter", "smembers", "sunion", "hkeys"):
        answer = sorted(answer)
    text = repr(answer)
    return text if len(text) < 200 else f"{len(text)} characters, CRC {crc32(text.encode()):08x}"


def _values(ask: Asked, count: int) -> None:
    ask.set("a", {"list": [1, "two", None], "ü": "é"})
    ask.get("a")
    ask.set("a", 1, nx=True)
    ask.set("new", 1, xx=True)
    ask.add("b", 2)
    ask.add("b", 3)
    ask.get("c", "none")
    ask.set("n", None)
    ask.get("n", "other")
    ask.get_or_set("g", 7)
    ask.get_or_set("g", 8)
    ask.set_many({f"m{n}": n for n in range(count)})
    ask.get_many([f"m{n}" for n in range(count + 5)])
    ask.delete("b")
    ask.delete("b")
    ask.delete_many([f"m{n}" for n in range(count)])
    ask.has_key("a")
    ask.has_key("m0")
    ask.set("l", "x" * 300_000)
    ask.get("l")


def _times(ask: Asked, count: int) -> None:
    ask.set_many({"brief": 1, "long": 2, "ever": 3}, timeout=1000)
    for key in ("long", "missing"):
        ask.ttl(key)
        ask.pttl(key)
        ask.expire(key, 500)
        ask.pexpire(key, 500_000)
        ask.expire_at(key, 4_000_000_000)
        ask.pexpire_at(key, 4_000_000_000_000)
        ask.touch(key, 5000)
        ask.persist(key)
        ask.ttl(key)
    ask.set("brief", 1, timeout=0)
    ask.get("brief")
    ask.expire_at("ever", 1_000_000_000)
    ask.get("ever")


def _numbers(ask: Asked, count: int) -> None:
    ask.set("i", 5)
    ask.incr("i")
    ask.incr("i", 10)
    ask.decr("i", 20)
    ask.get("i")
    ask.incr("absent")
    ask.incr("fresh", ignore_key_check=True)
    ask.set("wide", 2**63 - 1)
    ask.incr("wide")
    ask.get("wide")
    ask.set("f", 1.5)
    ask.get("f")
    ask.incr("f")


def _versions(ask: Asked, count: int) -> None:
    ask.set("v", "one", version=1)
    ask.incr_version("v")
    ask.get("v", version=1)
    ask.get("v", version=2)
    ask.decr_version("v", version=2)
    ask.get("v", version=1)
    ask.incr_version("absent")


def _patterns(ask: Asked, count: int) -> None:
    ask.set_many({f"user:{n}": n for n in range(count)})
    ask.set_many({f"odd[{n}]": n for n in range(3)})
    ask.keys("user:*")
    ask.keys("user:?")
    ask.iter_keys("user:*", itersize=7)
    ask.keys("odd[[]*")
    ask.delete_pattern("user:*", itersize=10)
    ask.keys("*user*")


def _collections(ask: Asked, count: int) -> None:
    ask.sadd("s", 1, 2, 3)
    ask.sadd("t", 3, 4)
    for method in ("sunion", "sinter", "sdiff"):
        getattr(ask, method)("s", "t")
    for method in ("sunionstore", "sinterstore", "sdiffstore"):
        getattr(ask, method)("d", "s", "t")
    ask.smismember("s", 1, 9)
    ask.sismember("s", 1)
    ask.smove("s", "t", 1)
    ask.smembers("t")
    ask.sscan_iter("t")
    ask.srandmember("t")
    ask.spop("s")
    ask.scard("s")
    ask.srem("t", 4)
    ask.hset("h", "f", [1])
    ask.hset("h", "g", 2)
    ask.hexists("h", "f")
    ask.hkeys("h")
    ask.hdel("h", "f")
    ask.hlen("h")
    ask.zadd("z", {"a": 1.0, "b": 2.5, "c": 3.0})
    ask.zcount("z", 1, 2.5)
    ask.zincrby("z", 4, "a")
    ask.zrange("z", 0, -1, withscores=True)
    ask.zrevrange("z", 0, 0)
    ask.zrank("z", "a")
    ask.zrangebyscore("z", 2, 3)
    ask.zrevrangebyscore("z", 3, 2)
    ask.zscore("z", "b")
    ask.zpopmax("z")
    ask.zpopmin("z")
    ask.zrem("z", "b", "c")
    ask.zremrangebyscore("z", 0, 9)
    ask.zcard("z")
    ask.clear()
    ask.keys("*")


def _locks(cache: RedisCache) -> Figures:
    """Four threads add to a number that only a lock protects."""
    cache.set("sum", 0, timeout=None)

    def work() -> None:
        for _ in range(10):
            with cache.lock("guard", timeout=30, sleep=0.001):
                cache.set("sum", cache.get("sum") + 1, timeout=None)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lock = cache.lock("other", timeout=30)
    held = [lock.acquire(blocking=False), cache.lock("other").acquire(blocking=False), lock.extend(30), lock.owned()]
    lock.release()
    try:
        lock.release()
    except LockError as error:
        held.append(str(error))
    return {"locked sum": cache.get("sum"), "lock": held}


if __name__ == "__main__":
    from tests.apps import django_redis as module

    main(module.play)
