"""A mixed load: random commands on every type, over keys that stay about as many and as large however long it runs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.servers import Word

Argv = tuple[Word, ...]
KEYS = 4000  # of each type
MEMBERS = 200

SCRIPTS = (
    "local n = redis.call('INCRBY', KEYS[1], ARGV[1]) redis.call('PEXPIRE', KEYS[1], 60000) return n",
    "local t = {} for i = 1, 20 do t[i] = redis.call('HGET', KEYS[1], 'f' .. i) or '' end return #table.concat(t)",
    "redis.call('LPUSH', KEYS[1], ARGV[1]) redis.call('LTRIM', KEYS[1], 0, 50) return redis.call('LLEN', KEYS[1])",
)


def key(rng: Random, kind: str) -> str:
    """A few keys get most of it."""
    return f"{kind}:{int(KEYS * rng.random() ** 3)}"


def member(rng: Random) -> str:
    return f"m{rng.randrange(MEMBERS)}"


def text(rng: Random) -> str:
    return "x" * rng.choice((3, 10, 50, 50, 200, 1000))


def strings(rng: Random) -> list[Argv]:
    name, counter = key(rng, "s"), key(rng, "n")
    return [rng.choice([
        ("SET", name, text(rng), "PX", rng.randrange(1, 60000)), ("SET", name, text(rng)), ("GET", name), ("GET", name),
        ("INCR", counter), ("INCRBYFLOAT", key(rng, "f"), 0.5), ("SETRANGE", name, 20, "yy"), ("GETDEL", name),
        ("MSET", name, "a", key(rng, "s"), "b"), ("MGET", name, key(rng, "s"), key(rng, "s")), ("GETEX", name, "EX", 9),
        ("SETBIT", key(rng, "b"), rng.randrange(5000), 1), ("BITCOUNT", key(rng, "b")), ("STRLEN", name),
    ])]  # fmt: skip


def hashes(rng: Random) -> list[Argv]:
    name, field = key(rng, "h"), member(rng)
    return [rng.choice([
        ("HSET", name, field, text(rng), member(rng), "v"), ("HGET", name, field), ("HGETALL", name), ("HLEN", name),
        ("HINCRBY", key(rng, "hn"), field, 1), ("HDEL", name, field), ("HRANDFIELD", name, 3),
        ("HMGET", name, field, "f"),
        ("PEXPIRE", name, rng.randrange(1000, 60000)),
    ])]  # fmt: skip


def lists(rng: Random) -> list[Argv]:
    name = key(rng, "l")
    return rng.choice([
        [("LPUSH", name, text(rng), "b"), ("LTRIM", name, 0, 100)], [("RPUSH", name, "c"), ("LTRIM", name, -100, -1)],
        [("LRANGE", name, 0, 20)], [("RPOP", name)], [("LMOVE", name, name, "LEFT", "RIGHT")], [("LINDEX", name, 5)],
        [("LPOS", name, "b")], [("LREM", name, 1, "b")],
    ])  # fmt: skip


def sets(rng: Random) -> list[Argv]:
    name, other = key(rng, "u"), key(rng, "u")
    return [rng.choice([
        ("SADD", name, member(rng), member(rng)), ("SADD", name, rng.randrange(1000)), ("SREM", name, member(rng)),
        ("SISMEMBER", name, member(rng)), ("SMEMBERS", name), ("SPOP", name), ("SINTER", name, other), ("SCARD", name),
        ("SUNIONSTORE", "u:union", name, other), ("SRANDMEMBER", name, 5), ("SSCAN", name, 0),
    ])]  # fmt: skip


def zsets(rng: Random) -> list[Argv]:
    name, score = key(rng, "z"), round(rng.random() * 1000, 2)
    return [rng.choice([
        ("ZADD", name, score, member(rng), 5, "a"), ("ZINCRBY", name, 1, member(rng)), ("ZRANGE", name, 0, 10, "REV"),
        ("ZRANGEBYSCORE", name, 100, 300, "LIMIT", 0, 10), ("ZRANK", name, member(rng)), ("ZREM", name, member(rng)),
        ("ZREMRANGEBYRANK", name, 150, -1), ("ZPOPMIN", name), ("ZUNIONSTORE", "z:union", 2, name, key(rng, "z")),
        ("GEOADD", key(rng, "g"), 13.4, 52.5, member(rng)),
        ("GEOSEARCH", key(rng, "g"), "FROMLONLAT", 13, 52, "BYRADIUS", 100, "km"),
    ])]  # fmt: skip


def streams(rng: Random) -> list[Argv]:
    name = key(rng, "x")
    return rng.choice([
        [("XADD", name, "MAXLEN", "~", 100, "*", "f", text(rng))], [("XRANGE", name, "-", "+", "COUNT", 10)],
        [("XLEN", name)],
        [("DEL", name), ("XGROUP", "CREATE", name, "g", 0, "MKSTREAM"), ("XADD", name, "*", "a", "b"),
         ("XREADGROUP", "GROUP", "g", "c", "STREAMS", name, ">"), ("XPENDING", name, "g")],
        [("XREAD", "COUNT", 3, "STREAMS", name, 0)], [("XTRIM", name, "MAXLEN", 50)],
    ])  # fmt: skip


def others(rng: Random) -> list[Argv]:
    name = key(rng, rng.choice("shluzx"))
    return rng.choice([
        [("DEL", name)], [("UNLINK", name)], [("EXPIRE", name, rng.randrange(1, 60))], [("TTL", name)],
        [("TYPE", name)],
        [("PFADD", key(rng, "p"), member(rng))], [("PFCOUNT", key(rng, "p"))], [("EXISTS", name)], [("DUMP", name)],
        [("SCAN", rng.randrange(100), "COUNT", 20)], [("COPY", name, "copied", "REPLACE")], [("PERSIST", name)],
        [("OBJECT", "ENCODING", name)], [("MEMORY", "USAGE", name)], [("RANDOMKEY",)], [("DBSIZE",)],
    ])  # fmt: skip


def scripts(rng: Random) -> list[Argv]:
    number = rng.randrange(len(SCRIPTS))
    return [("EVAL", SCRIPTS[number], 1, key(rng, "nhl"[number]), rng.randrange(10))]


def transaction(rng: Random) -> list[Argv]:
    name = key(rng, "n")
    inside = [argv for _ in range(3) for argv in rng.choice((strings, hashes, zsets))(rng)]
    return [("WATCH", name), ("MULTI",), ("INCR", name), *inside, ("EXEC",)]


MIX: dict[Callable[[Random], list[Argv]], int] = {
    strings: 35, hashes: 15, lists: 10, sets: 10, zsets: 10, streams: 5, others: 8, scripts: 4, transaction: 3,
}  # fmt: skip


def batch(rng: Random, size: int) -> list[Argv]:
    """About ``size`` commands, to be sent in one go."""
    found: list[Argv] = []
    while len(found) < size:
        (kind,) = rng.choices(list(MIX), list(MIX.values()))
        found += kind(rng)
    return found
