"""Values for the placeholders of a syntax line: few keys and members, so that commands meet; borders; wrong ones.

What could hurt is left out on purpose: deadlines that pass during a run, waits longer than a moment, counts and
offsets that make a server fill gigabytes.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha1
from random import Random

from redtool.commands.conditions import digest_of
from redtool.engine import hll

KEYS = {
    "string": b"s1 s2 s3 n1 n2 w_1 w_2 w_3".split(),
    "list": b"l1 l2 l3".split(),
    "hash": b"h1 h2 h_1 h_2".split(),
    "set": b"a1 a2 a3".split(),
    "sorted": b"z1 z2 z3".split(),
    "stream": b"t1 t2 t3".split(),
    "bitmap": b"b1 b2 b3 s1".split(),
    "hyperloglog": b"p1 p2 p3".split(),
    "geo": b"o1 o1 o2 z1".split(),
}
ALL_KEYS = [key for keys in KEYS.values() for key in keys] + [b"x1", b"k\0\xff key", b""]

INTEGERS = b"0 1 -1 2 3 -2 5 -3 10 100 7 -100".split()
FAR = [b"9223372036854775807", b"-9223372036854775808", b"9223372036854775806", b"4294967296000", b"-4294967296000"]
FLOATS = b"0 1 -1 1.5 -2.5 0.1 1e3 3 10 1e-7 123456.789 5.0 1e17 -0 1e300 2.5e-5".split()
SCORES = [*FLOATS, *b"inf -inf +inf 2 2 3 3 1e308 -1e308 1e21 0.30000000000000004".split()]
MEMBERS = [*b"a b c d e f 1 2 3 10 -5 x y".split(), b"", b"\xff\0", b"long" * 20]
VALUES = [*b"hello world 1 2 5 -7 10 3.5 x 1e3 99999999999 aXbXc".split(), b"", b"\0\xff", b"wide" * 30, b"two words"]
BOUNDS = b"0 -1 1 2 3 (1 (2.5 5 -2 -inf +inf (-inf (inf [a [c (b - + [1 -100 100 1.5 10".split()
LEX_BOUNDS = [*b"- + [a [b (b [c (d [x - + [1 (10 inf".split(), b"[", b"(\xff"]
PATTERNS = [*b"* a* *1 ? s? [a-m]* [^a]* h*1 \\a a\\* [ [b- l[12] **".split(), b""]
SORT_PATTERNS = b"w_* h_*->f1 h_*->f2 # nosort s* *->f1 nope_* *".split()
DATABASES = b"0 0 0 1 1 2".split()
BAD_DATABASES = b"16 -1 x 99999999999 1.5".split()
FIELDS = [*b"f1 f2 f3 f4 n 1".split(), b"", b"f\xff"]
WRONG = [b"x", b"", b"1.5", b"1 ", b"+1", b"01", b"nan", b"9223372036854775808", b"(", b"1e400", b"\0"]
# Not among them: "0x10" and " 1", which Redis 7 takes for a double and Valkey 9 does not.
STRAY = b"STRAY"  # a word too many: it may be reported, or another error before it
TYPES = b"string list hash set zset ZSET stream".split()

PAGES = b"1 2 3 10 100 9223372036854775807".split()
SKIPPED = b"0 1 2 5 20 9223372036854775807".split()

IDS = [*b"0 0 1 1-1 1-2 2 2-1 3-1 3-2 4 5-0 5-1 9 12-1 20 + - (1-1 (2 (5-1 3-* 0-0".split(), b"18446744073709551615"]
STREAMS: dict[str, list[bytes]] = {  # placeholders that mean something else in a stream command
    **dict.fromkeys(("id", "start", "end", "last-id", "lastid", "max-deleted-id", "threshold"), IDS),
    "group": b"g1 g1 g2".split(),
    "consumer": b"c1 c2 c3".split(),
    "milliseconds": b"1 2".split(),  # of BLOCK
    "min-idle-time": b"0 0 0 -1 100000000".split(),
    "unix-time-milliseconds": b"4000000000000 0 1 -5".split(),
    "ms": b"0 100000000 200000000 -1".split(),
}

PLACES = b"0 1 -1 13.361389 15.087269 -80.5 80.5 45 38.115556 -0.25".split()
BITS: dict[str, list[bytes]] = {
    "offset": b"0 1 2 7 8 20 #0 #1 #3 100 -1 9223372036854775807".split(),
    "bit": b"0 1 1 0 2".split(),
    "value": b"0 1 1 0 2 -1 255 127 -128 9223372036854775807".split(),
    "increment": b"1 -1 10 100 -128 255 9223372036854775807 -9223372036854775808".split(),
    "encoding": b"u1 u2 u8 i8 i5 u63 i64 i16 u64 i1 x8".split(),
}
GEO: dict[str, list[bytes]] = {
    "longitude": [*PLACES, b"180", b"-179.5", b"181"],
    "latitude": [*PLACES, b"85", b"86"],
    "radius": b"0 1 100 200.5 1000 5000 20000 -1 1e9".split(),
    "width": b"0 1 100 400.5 2000 30000 -1".split(),
    "height": b"0 1 100 400.5 2000 30000 -1".split(),
    "num-vertices": b"3 3 4 2".split(),
    "count": b"1 2 3 0".split(),
}

AHEAD = {  # deadlines well behind or well before the run
    "seconds": b"1000 5000 100000 0 -1 -100".split(),
    "milliseconds": b"1000000 5000000 100000000 0 -1".split(),
    "unix-time-seconds": b"4000000000 4100000000 1 1000 0 -5".split(),
    "unix-time-milliseconds": b"4000000000000 4100000000123 1 1000 0 -5".split(),
}

BODIES = [
    b"return redis.call('GET', KEYS[1])",
    b"return redis.call('INCR', KEYS[1])",
    b"return {KEYS, ARGV, 1.9, true, false, 'x', nil, 5}",
    b"local all = redis.call('SMEMBERS', KEYS[1]) table.sort(all) return all",
    b"return redis.pcall('HSET', KEYS[1], ARGV[1], ARGV[2])",
    b"redis.call('SET', KEYS[1], ARGV[1]) return redis.call('INCRBY', KEYS[1], ARGV[2])",
    b"redis.setresp(3) return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')",
    b"return redis.error_reply('MY own')",
    b"return redis.status_reply(ARGV[1] or 'none')",
    b"return {double=3.5}",
    b"return {map={a=1}}",
    b"return cjson.encode({ARGV[1], 2, {}})",
    b"return tonumber(ARGV[1])",
    b"return redis.sha1hex(ARGV[1] or '')",
    b"return bit.band(tonumber(ARGV[2]) or 7, 3)",
    b"#!lua flags=no-writes\nreturn redis.pcall('SET', KEYS[1], '1')",
    b"#!lua\nreturn redis.call('LPUSH', KEYS[1], unpack(ARGV))",
    b"return redis.call('LPUSH', KEYS[1], unpack(ARGV))",
    b"return nope",
    b"return +",
    b"error('own')",
    b"error({err='MY table'})",
]
LIBRARIES = [
    b"#!lua name=lib1\nredis.register_function('f_get', function(keys, args) return redis.call('GET', keys[1]) end)",
    b"#!lua name=lib1\nredis.register_function('f_args', function(keys, args) return {keys, args} end)",
    b"#!lua name=lib2\nlocal function set(keys, args) return redis.call('SET', keys[1], args[1]) end\n"
    b"redis.register_function('f_set', set)\nredis.register_function{function_name='f_ro', description='reads', "
    b"callback=function(keys) return redis.pcall('LRANGE', keys[1], 0, -1) end, flags={'no-writes'}}",
    b"#!lua name=lib3\nredis.register_function('f_get', function(keys) return redis.call('GET', keys[1]) end)",
    b"#!lua name=lib4\nreturn 1",
    b"return 1",
    b"#!nope name=lib5\nreturn 1",
]
SCRIPTING: dict[str, list[bytes]] = {
    "script": BODIES,
    "sha1": [*(sha1(body).hexdigest().encode() for body in BODIES[:8]), sha1(BODIES[0]).hexdigest().upper().encode()],
    "function": b"f_get f_args f_set f_ro f_nope".split(),
    "function-code": LIBRARIES,
    "library-name": b"lib1 lib2 lib3 nope".split(),
    "library-name-pattern": b"lib* lib1 * nope".split(),
}
SCRIPTED: dict[str, list[tuple[bytes, ...]]] = {  # lines that are drawn more than others
    "CONFIG GET": [(b"CONFIG", b"GET", *words.split()) for words in (
        b"hash-max-listpack-entries", b"zset-max-listpack-*", b"set-max-intset-entries maxmemory-policy", b"nope",
        b"list-max-listpack-size", b"NOTIFY-keyspace-events", b"hll-sparse-max-bytes databases")],
    "CLIENT SETNAME": [(b"CLIENT", b"SETNAME", name) for name in (b"me", b"", b"a b", b"you")],
    "CLIENT SETINFO": [(b"CLIENT", b"SETINFO", *words) for words in (
        (b"LIB-NAME", b"x"), (b"lib-ver", b"1"), (b"LIB-NAME", b"a b"), (b"nope", b"x"))],
    "ACL CAT": [(b"ACL", b"CAT", b"nope")],
}  # fmt: skip

POOLS: dict[str, list[bytes]] = {
    "field": FIELDS,
    "member": MEMBERS,
    "score": SCORES,
    "weight": FLOATS,
    "min": BOUNDS,
    "max": BOUNDS,
    "pattern": PATTERNS,
    "type": TYPES,
    "cursor": [b"0"],
    "timeout": b"0.001 0.01 0.002".split(),
    "offset": b"0 1 2 5 -1 3 20 9223372036854775807".split(),
    "comparison-value": VALUES,
    "comparison-digest": [*map(digest_of, VALUES), digest_of(b"hello").upper(), b"0" * 16, b"abc"],
    "count": b"0 1 2 3 5 -1 -2 -5 10 100 9223372036854775807".split(),
    "increment": [*INTEGERS, *FLOATS, *FAR],
    "decrement": [*INTEGERS, *FAR],
    "message": VALUES,
    "value": VALUES,
    "element": [*INTEGERS, *VALUES],
    "pivot": [*INTEGERS, *VALUES],
    "string": VALUES,
    **AHEAD,
}

KINDS = {"integer": INTEGERS, "double": FLOATS, "string": VALUES, "pattern": PATTERNS, "bound": BOUNDS}


class Samples:
    """Gives values for one command after another; at most one wrong value a command, so the error is certain."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.name, self.group = "", ""
        self.may_fail = False

    def begin(self, name: str, group: str, may_fail: bool = False) -> None:
        """Say which command the next values are for, and whether one of them may be wrong."""
        self.name, self.group, self.may_fail = name, group, may_fail

    def __call__(self, placeholder: str, kind: str = "") -> bytes:
        pool = self.pool(placeholder, kind)
        if self.may_fail and placeholder not in ("field", "member", "value", "element") and self.rng.random() < 0.4:
            self.may_fail = False
            if "db" not in placeholder and placeholder != "index":
                return self.rng.choice([*WRONG, *FAR, b" 1"] if pool is INTEGERS else WRONG)
            return self.rng.choice(BAD_DATABASES)
        return self.rng.choice(pool)

    def pool(self, placeholder: str, kind: str) -> list[bytes]:
        """The values to choose from for this placeholder of this command."""
        name = placeholder.rstrip("0123456789")
        if name in ("key", "source", "destination", "newkey", "src", "dst"):
            return self.keys()
        own = {"stream": STREAMS, "bitmap": BITS, "geo": GEO, "scripting": SCRIPTING}.get(self.group, {})
        if name in own:
            return own[name]
        if name == "subcommand":  # of PFDEBUG
            return b"ENCODING DECODE TODENSE GETREG nope".split()
        if self.name.startswith("SORT") and name == "pattern":
            return SORT_PATTERNS
        if self.name in ("SELECT", "SWAPDB", "MOVE", "COPY") and name in ("index", "db", "destination-db"):
            return DATABASES
        if self.name.endswith("SCAN") and name == "count":  # none that is an error by itself
            return PAGES
        if self.group.startswith("sorted") and name == "offset":
            return self.offsets()
        if "LEX" in self.name and name in ("min", "max"):
            return LEX_BOUNDS
        if self.group.startswith("sorted") and name in ("start", "stop"):
            return BOUNDS if self.name == "ZRANGE" else INTEGERS
        if self.name.startswith(("EXPIRE", "PEXPIRE")) or name in AHEAD:
            return AHEAD.get(name, INTEGERS)
        return POOLS.get(name) or KINDS.get(kind, INTEGERS)

    def offsets(self) -> list[bytes]:
        """Of LIMIT. Negative ones, and any in lexical order among different scores, depend on the encoding."""
        return [b"0"] if "LEX" in self.name or self.name.startswith("ZRANGES") or self.name == "ZRANGE" else SKIPPED

    def keys(self) -> list[bytes]:
        """Mostly keys that hold what the command is for."""
        own = next((keys for group, keys in KEYS.items() if self.group.startswith(group)), None)
        if self.name.startswith("SORT"):
            own = KEYS["list"] + KEYS["set"] + KEYS["sorted"]
        return own if own and self.rng.random() < 0.85 else ALL_KEYS


@cache
def dense() -> bytes:
    """A HyperLogLog with a register for each value."""
    value = bytearray(b"HYLL" + bytes(hll.DENSE_SIZE - 4))
    value[4] = hll.DENSE
    for n in range(1500):
        hll.add(value, b"%d" % n, 0)
    hll.invalidate(value)
    return bytes(value)


def planted() -> list[tuple[bytes, ...]]:
    """Commands that give a run something to start with: each type, numbers and words, small and large values."""
    return [
        (b"MSET", b"s1", b"hello", b"s2", b"10", b"n1", b"5", b"n2", b"3.5", b"w_1", b"3", b"w_2", b"1", b"w_3", b"b"),
        (b"RPUSH", b"l1", *b"3 1 2 10 1 2".split()),
        (b"RPUSH", b"l2", *b"a b c a b".split(), b"wide" * 30),
        (b"HSET", b"h1", b"f1", b"1", b"f2", b"x", b"f3", b"2.5"),
        (b"HSET", b"h_1", b"f1", b"9", b"f2", b"b"),
        (b"HSET", b"h_2", b"f1", b"4"),
        (b"SADD", b"a1", *b"a b c d 1 2".split()),
        (b"SADD", b"a2", *b"1 2 3 10".split()),
        (b"ZADD", b"z1", *b"1 a 2 b 2 c 3 d -1 e".split()),
        (b"ZADD", b"z2", *b"0 a 0 b 0 c 0 d 0 x".split()),
        (b"SETBIT", b"b1", b"13", b"1"),
        (b"SET", b"b2", b"\xff\xf0\x00"),
        (b"PFADD", b"p1", *b"a b c d".split()),
        (b"SET", b"p2", dense()),
        (b"GEOADD", b"o1", *b"13.361389 38.115556 a 15.087269 37.502669 b 1 1 c -80 80 d 179 -80 e".split()),
        *((b"XADD", b"t1", id, b"f", id) for id in b"1-1 1-2 2-1 3-1 3-2".split()),
        (b"XADD", b"t2", b"1-1", b"a", b"1", b"b", b"2"),
        (b"XGROUP", b"CREATE", b"t1", b"g1", b"0"),
        (b"XGROUP", b"CREATE", b"t2", b"g1", b"$"),
        (b"XREADGROUP", b"GROUP", b"g1", b"c1", b"COUNT", b"3", b"STREAMS", b"t1", b">"),
        *((b"SCRIPT", b"LOAD", body) for body in BODIES[:2]),
        *((b"FUNCTION", b"LOAD", code) for code in (LIBRARIES[0], LIBRARIES[2])),
        (b"SELECT", b"1"),
        (b"MSET", b"s1", b"other", b"n1", b"1"),
        (b"RPUSH", b"l1", b"z"),
        (b"SELECT", b"0"),
    ]
