"""Grammar: facts a real server confirms for each of its commands, and tables for each question a syntax answers."""

from __future__ import annotations

import inspect
import random
from typing import Any

import pytest

from redtool import errors
from redtool.backends import docs
from redtool.commands import table
from redtool.grammar import Syntax
from redtool.notation import bounds, quick_bounds
from tests.draw import draw, each_option, plain_value, shortest
from tests.servers import RealServer

TTL = "EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds"
LINES = [
    "BITCOUNT key [start [end [BYTE | BIT]]]",
    "BITFIELD key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding "
    "offset increment> [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY "
    "encoding offset increment> ...]]",
    "BITOP <AND | OR | XOR | NOT> destkey key [key ...]",
    "BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
    "BLPOP key [key ...] timeout",
    "CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]] [USER username]",
    "CONFIG SET parameter value [parameter value ...]",
    "CONFIG",
    "COMMAND",
    "DEL key [key ...]",
    "EVAL script numkeys [key [key ...]] [arg [arg ...]]",
    "EXPIRE key seconds [NX | XX | GT | LT]",
    "GEORADIUS key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
    "[ASC | DESC] [STORE key | STOREDIST key]",
    "GEOSEARCH key [FROMMEMBER member | FROMLONLAT longitude latitude] <BYRADIUS radius <M | KM | FT | MI> | BYBOX "
    "width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
    "GET key",
    "HELLO [protover [AUTH username password] [SETNAME clientname]]",
    "HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
    "HSET key field value [field value ...]",
    f"HSETEX key [NX | XX] [FNX | FXX] [{TTL} | KEEPTTL] FIELDS numfields field value [field value ...]",
    "INCRBYFLOAT key increment",
    "LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>",
    "LPOP key [count]",
    'MIGRATE host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] '
    "[KEYS key [key ...]]",
    "MSET key value [key value ...]",
    "OBJECT ENCODING key",
    "PING [message]",
    "RENAME key newkey",
    "SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]",
    f"SET key value [NX | XX] [GET] [{TTL} | KEEPTTL]",
    "SHUTDOWN [[NOSAVE | SAVE] [NOW] [FORCE] [SAFE] | ABORT]",
    "SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] "
    "[STORE destination]",
    "XADD key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
    "XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [JUSTID]",
    "XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
    "XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]",
    "XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]",
    "ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
    "ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
    "ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]",
]
SYNTAX = {" ".join(syntax.name): syntax for syntax in map(Syntax, LINES)}

# What does not follow from a line and needs an override: command -> COMMAND INFO's value.
OTHER_ARITY = {
    "CLIENT KILL": -3, "CLUSTER MIGRATESLOTS": -4, "CLUSTER SYNCSLOTS": -3, "DEBUG": -2, "GEOSEARCH": -7,
    "GEOSEARCHSTORE": -8, "PSYNC": -3, "QUIT": -1, "REPLCONF": -1,
}  # fmt: skip
OTHER_KEYS = {
    "CLUSTER KEYSLOT": (0, 0, 0), "CLUSTERSCAN": (1, 1, 1), "SPUBLISH": (1, 1, 1), "SSUBSCRIBE": (1, -1, 1),
    "SUNSUBSCRIBE": (1, -1, 1),
}  # fmt: skip


def find(words: list[bytes]) -> Syntax:
    first = words[0].decode().upper()
    return SYNTAX.get(f"{first} {words[1].decode().upper()}" if len(words) > 1 else "") or SYNTAX[first]


# -- against a real server


@pytest.fixture(scope="module")
def real_syntax(valkey: RealServer) -> dict[str, Syntax]:
    found = [Syntax(line) for line in sorted(line for line, _ in docs.lines(valkey.call("COMMAND", "DOCS")))]
    return {" ".join(syntax.name): syntax for syntax in found}


def command_info(rows: list[Any]) -> dict[str, list[Any]]:
    found = {}
    for row in rows:
        found[row[0].decode().upper().replace("|", " ")] = row
        found.update(command_info(row[9]))
    return found


def test_arity_and_keys_follow_from_the_line(valkey: RealServer, real_syntax: dict[str, Syntax]) -> None:
    info = command_info(valkey.call("COMMAND"))
    assert set(real_syntax) == set(info)
    assert len(info) > 380
    arity = {name: info[name][1] for name, syntax in real_syntax.items() if syntax.arity != info[name][1]}
    keys = {name: tuple(info[name][3:6]) for name, syntax in real_syntax.items()
            if syntax.key_spec != tuple(info[name][3:6])}  # fmt: skip
    assert arity == OTHER_ARITY
    assert keys == OTHER_KEYS


def test_both_protocols_give_the_same_lines(valkey: RealServer) -> None:
    with valkey.client(3) as client:
        resp3 = client.call("COMMAND", "DOCS")
    lines = sorted(line for line, _ in docs.lines(valkey.call("COMMAND", "DOCS")))
    assert isinstance(resp3, dict)
    assert sorted(line for line, _ in docs.lines(resp3)) == lines
    assert set(LINES) & set(lines) >= {line for line in LINES if line.startswith(("ZADD", "XADD", "BITFIELD", "SORT"))}


def test_the_tree_writes_the_line_it_was_read_from(real_syntax: dict[str, Syntax]) -> None:
    for syntax in [*real_syntax.values(), *SYNTAX.values()]:
        assert " ".join((*syntax.name, str(syntax.tree))).rstrip() == syntax.line


def test_valid_lines_are_accepted(real_syntax: dict[str, Syntax]) -> None:
    """The shortest line, that line with each option alone, and lines drawn at random."""
    rng = random.Random(3)
    for name, syntax in real_syntax.items():
        if syntax.min_args > len(shortest(syntax)):  # a container alone
            continue
        for argv in [shortest(syntax), *each_option(syntax), *(draw(syntax, rng, plain_value) for _ in range(30))]:
            assert syntax.check(argv) is None, (name, argv)
            expectation = syntax.expect(argv)
            assert expectation.error is None, (name, argv)
            assert expectation.complete, (name, argv)


def test_keys_are_those_the_server_finds(valkey: RealServer, real_syntax: dict[str, Syntax]) -> None:
    rng = random.Random(4)
    serial = iter(range(10**9))
    seen = 0
    for name, syntax in real_syntax.items():
        if name in OTHER_KEYS or "key" not in syntax.line:
            continue
        for _ in range(10):
            argv = draw(syntax, rng, lambda word, kind: plain_value(word, kind) + (b"%d" % next(serial)
                        if kind in ("key", "value", "member", "field") else b""))  # fmt: skip
            reply = valkey.call("COMMAND", "GETKEYS", *argv)
            if isinstance(reply, list) and b"" not in argv:  # MIGRATE's "" stands for no key
                assert [argv[at] for at in syntax.keys(argv)] == reply, (name, argv)
                seen += 1
    assert seen > 1000


def test_what_the_server_accepts_is_never_refused(valkey: RealServer, real_syntax: dict[str, Syntax]) -> None:
    """Lines with words repeated and options added, tried on keys of the right type: a reply means it is fine."""
    rng = random.Random(6)
    setup = {"s": ("SET", "s", "1"), "z": ("ZADD", "z", "1", "x"), "x": ("XADD", "x", "1-1", "f", "v"),
             "l": ("RPUSH", "l", "1"), "h": ("HSET", "h", "field", "1"), "t": ("SADD", "t", "1")}  # fmt: skip
    kinds = {"SET": "s", "GETEX": "s", "EXPIRE": "s", "ZADD": "z", "ZRANGE": "z", "ZRANGEBYSCORE": "z", "SORT": "l",
             "XADD": "x", "XTRIM": "x", "LPOS": "l", "SCAN": "s", "ZSCAN": "z", "HSCAN": "h", "HEXPIRE": "h",
             "ZUNION": "z", "LMPOP": "l", "SINTERCARD": "t", "COPY": "s", "XRANGE": "x", "BITCOUNT": "s",
             "BITFIELD": "s", "HRANDFIELD": "h", "ZRANDMEMBER": "z", "GEOSEARCH": "z", "LCS": "s",
             "XAUTOCLAIM": "x"}  # fmt: skip
    accepted = 0
    for name, key in kinds.items():
        syntax = real_syntax[name]

        def value(word: str, kind: str, key: str = key) -> bytes:
            return b"u8" if word == "encoding" else key.encode() if kind == "key" else plain_value(word, kind)

        for _ in range(150):
            argv = draw(syntax, rng, value)
            extra = rng.choice([*syntax.options, *argv[1:]])
            argv.insert(rng.randint(1, len(argv)), extra)
            valkey.call("DEL", key, "1")
            valkey.call(*setup[key])
            if not isinstance(valkey.call(*argv), errors.ReplyError):
                accepted += 1
                assert syntax.check(argv) is None, argv
    assert accepted > 200


# -- derived facts


@pytest.mark.parametrize(
    ("line", "name", "low", "high", "arity"),
    [
        ("GET", "GET", 2, 2, 2), ("DEL", "DEL", 2, None, -2), ("LPOP", "LPOP", 2, 3, -2), ("SET", "SET", 3, None, -3),
        ("CONFIG", "CONFIG", 2, None, -2), ("COMMAND", "COMMAND", 1, None, -1), ("PING", "PING", 1, 2, -1),
        ("CONFIG SET", "CONFIG SET", 4, None, -4), ("XREAD", "XREAD", 4, None, -4), ("LMOVE", "LMOVE", 5, 5, 5),
    ],
)  # fmt: skip
def test_bounds(line: str, name: str, low: int, high: int | None, arity: int) -> None:
    syntax = SYNTAX[line]
    assert (" ".join(syntax.name), syntax.min_args, syntax.max_args, syntax.arity) == (name, low, high, arity)


def test_bounds_counted_from_the_line_are_those_of_the_tree(real_syntax: dict[str, Syntax]) -> None:
    counted = 0
    for name, syntax in real_syntax.items():
        low, high = bounds(syntax.tree)
        words = len(syntax.name)
        if (quick := quick_bounds(syntax.line)) is not None:
            counted += 1
            assert quick == (words + low, None if high is None else words + high), name
    assert counted > 350


def test_overrides() -> None:
    quit_ = Syntax("QUIT", arity=-1)
    assert (quit_.arity, quit_.min_args, quit_.max_args) == (-1, 1, None)
    assert quit_.check([b"QUIT", b"now"]) is None
    slot = Syntax("CLUSTER KEYSLOT key", keys=(0, 0, 0))
    assert (slot.key_spec, slot.keys([b"CLUSTER", b"KEYSLOT", b"a"])) == ((0, 0, 0), [])
    module = Syntax("TOPK ADD key item [item ...]", words=2)
    assert (module.name, module.arity, module.key_spec) == (("TOPK", "ADD"), -4, (2, 2, 1))
    undocumented = Syntax("FT.SEARCH", arity=-3, keys=(1, 1, 1))
    assert undocumented.check(b"FT.SEARCH idx *".split()) is None
    assert undocumented.check([b"FT.SEARCH"]) == "FT.SEARCH needs more words"


def test_handlers_take_what_the_bounds_allow() -> None:
    """A handler of an open command takes any number of words; another takes every number its bounds allow."""
    for name, command in table.load_all().items():
        for entry in [command, *(command.subs or {}).values()]:
            if entry.handler is None or entry.subs is not None:
                continue
            parameters = list(inspect.signature(entry.handler).parameters.values())[1:]
            least = sum(p.default is p.empty and p.kind != p.VAR_POSITIONAL for p in parameters)
            is_open = any(p.kind == p.VAR_POSITIONAL for p in parameters)
            low, high = entry.syntax.min_args - entry.skip, entry.syntax.max_args
            assert least <= low, (name, entry.name, "takes fewer words than the handler wants")
            if not is_open:
                assert high is not None, (name, entry.name, "is open, the handler is not")
                assert high - entry.skip <= len(parameters), (name, entry.name)


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        (b"GET a", [1]), (b"GET", []), (b"DEL a b c", [1, 2, 3]), (b"MSET a 1 b 2", [1, 3]), (b"MSET a 1 b", [1, 3]),
        (b"BLPOP a b 0", [1, 2]), (b"LMOVE a b LEFT LEFT", [1, 2]), (b"RENAME a b", [1, 2]),
        (b"OBJECT ENCODING a", [2]), (b"BITOP AND d a b", [2, 3, 4]),
        (b"EVAL x 2 a b c", [3, 4]), (b"EVAL x 0 c", []), (b"PING x", []),
        (b"ZUNIONSTORE d 2 a b WEIGHTS 1 2", [1, 3, 4]), (b"XREAD COUNT 1 STREAMS a b 0 0", [4, 5]),
        (b"XREADGROUP GROUP g c STREAMS a >", [5]), (b"SORT a GET b STORE d", [1, 5]),
        (b"GEORADIUS a 1 1 1 m COUNT 1 STOREDIST d", [1, 9]), (b'MIGRATE h 1 k 0 5 COPY', [3]),
        (b"MIGRATE h 1 x 0 5 KEYS a b", [3, 7, 8]), (b"SET a", [1]), (b"ZUNIONSTORE d 2 a", [1, 3]),
    ],
)  # fmt: skip
def test_keys(line: bytes, keys: list[int]) -> None:
    words = line.split()
    assert find(words).keys(words) == keys


# -- the handlers' option parser

SET, ZADD, XADD, ZUNIONSTORE = SYNTAX["SET"], SYNTAX["ZADD"], SYNTAX["XADD"], SYNTAX["ZUNIONSTORE"]


@pytest.mark.parametrize(
    ("name", "args", "opt", "rest"),
    [
        ("ZADD", b"1 m", {}, b"1 m"),
        ("ZADD", b"nx Ch 1 m", {b"NX": True, b"CH": True}, b"1 m"),
        ("ZADD", b"NX XX GT LT 1 m", {b"NX": True, b"XX": True, b"GT": True, b"LT": True}, b"1 m"),
        ("ZADD", b"", {}, b""),
        ("XADD", b"MAXLEN ~ 100 LIMIT 5 * f v", {b"MAXLEN": (b"~", b"100"), b"LIMIT": b"5"}, b"* f v"),
        ("XADD", b"NOMKSTREAM minid 5 6-1 f v", {b"NOMKSTREAM": True, b"MINID": (b"5",)}, b"6-1 f v"),
        ("XREAD", b"BLOCK 0 count 5 STREAMS a 0", {b"BLOCK": b"0", b"COUNT": b"5"}, b"STREAMS a 0"),
        ("XREADGROUP", b"NOACK GROUP g c STREAMS a >", {b"NOACK": True, b"GROUP": (b"g", b"c")}, b"STREAMS a >"),
        ("HEXPIRE", b"GT FIELDS 1 f", {b"GT": True}, b"FIELDS 1 f"),
    ],
)
def test_leading(name: str, args: bytes, opt: dict[bytes, object], rest: bytes) -> None:
    assert SYNTAX[name].leading(tuple(args.split())) == (opt, tuple(rest.split()))


@pytest.mark.parametrize(
    ("name", "args", "repeat", "opt"),
    [
        ("SET", b"", None, {}),
        ("SET", b"EX 5", None, {b"EX": b"5"}),
        ("SET", b"get PxAt 5 nx", None, {b"GET": True, b"PXAT": b"5", b"NX": True}),
        ("SET", b"EX 5 EX 6", None, {b"EX": b"6"}),
        ("SCAN", b"MATCH COUNT COUNT 2", None, {b"MATCH": b"COUNT", b"COUNT": b"2"}),
        ("EXPIRE", b"XX GT", None, {b"XX": True, b"GT": True}),
        ("SORT", b"GET # LIMIT 0 1 get x DESC ASC", None,
         {b"GET": (b"#", b"x"), b"LIMIT": (b"0", b"1"), b"ASC": True}),
        ("GEORADIUS", b"COUNT 1 ANY STORE a STOREDIST b", None, {b"COUNT": b"1", b"ANY": True, b"STOREDIST": b"b"}),
        ("GEOSEARCH", b"BYRADIUS 5 km FROMLONLAT 1 2 ASC", None,
         {b"BYRADIUS": (b"5", b"km"), b"FROMLONLAT": (b"1", b"2"), b"ASC": True}),
        ("XTRIM", b"MAXLEN = 5", None, {b"MAXLEN": (b"=", b"5")}),
        ("ZUNIONSTORE", b"WEIGHTS 1 2 aggregate min", 2, {b"WEIGHTS": (b"1", b"2"), b"AGGREGATE": b"min"}),
        ("ZUNIONSTORE", b"WEIGHTS 1 AGGREGATE", 2, {b"WEIGHTS": (b"1", b"AGGREGATE")}),
        ("ZUNIONSTORE", b"WEIGHTS 1 2 3 AGGREGATE sum", None, {b"WEIGHTS": (b"1", b"2", b"3"), b"AGGREGATE": b"sum"}),
        ("CLIENT LIST", b"ID 1 2 TYPE normal", None, {b"ID": (b"1", b"2"), b"TYPE": b"normal"}),
        ("SHUTDOWN", b"NOW NOSAVE", None, {b"NOW": True, b"NOSAVE": True}),
        ("BITCOUNT", b"bit", None, {b"BIT": True}),
        ("HELLO", b"AUTH u p SETNAME x", None, {b"AUTH": (b"u", b"p"), b"SETNAME": b"x"}),
    ],
)  # fmt: skip
def test_trailing(name: str, args: bytes, repeat: int | None, opt: dict[bytes, object]) -> None:
    assert SYNTAX[name].trailing(tuple(args.split()), repeat) == opt


@pytest.mark.parametrize(
    ("name", "args", "repeat"),
    [
        ("SET", b"FOO", None), ("SET", b"EX", None), ("SET", b"NX XX", None), ("SET", b"EX 1 PX 1", None),
        ("SET", b"KEEPTTL EX 1", None), ("SET", b"EX 1 2", None), ("SORT", b"LIMIT 0", None),
        ("ZUNIONSTORE", b"WEIGHTS 1", 2), ("ZUNIONSTORE", b"WEIGHTS", None), ("ZUNIONSTORE", b"WEIGHTS 1 2 3", 2),
        ("SHUTDOWN", b"ABORT NOW", None), ("GEOSEARCH", b"FROMMEMBER m FROMLONLAT 1 2", None),
        ("XTRIM", b"MAXLEN ~", None), ("XTRIM", b"MAXLEN 1 MINID 1", None), ("SORT", b"GET", None),
    ],
)  # fmt: skip
def test_trailing_errors(name: str, args: bytes, repeat: int | None) -> None:
    with pytest.raises(errors.SyntaxError_):
        SYNTAX[name].trailing(tuple(args.split()), repeat)


def test_leading_wants_every_argument() -> None:
    for args in ((b"MAXLEN",), (b"MAXLEN", b"~")):
        with pytest.raises(errors.SyntaxError_):
            XADD.leading(args)


# -- what may come next


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        (b"", f"SET key value [NX | XX] [GET] [{TTL} | KEEPTTL]"),
        (b"SET", f"key value [NX | XX] [GET] [{TTL} | KEEPTTL]"),
        (b"SET k v", f"[NX | XX] [GET] [{TTL} | KEEPTTL]"),
        (b"SET k v EX", "seconds [NX | XX] [GET]"),
        (b"SET k v ex 5 GET", "[NX | XX]"),
        (b"SET k v NX EX 5 GET", ""),
        (b"ZADD k", "[NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]"),
        (b"ZADD k gt", "[NX | XX] [CH] [INCR] score member [score member ...]"),
        (b"ZADD k 1", "member [score member ...]"),
        (b"ZADD k 1 m", "[score member ...]"),
        (b"ZUNIONSTORE d", "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]"),
        (b"ZUNIONSTORE d 2", "key key [WEIGHTS weight weight] [AGGREGATE <SUM | MIN | MAX>]"),
        (b"ZUNIONSTORE d 2 a b AGGREGATE", "<SUM | MIN | MAX> [WEIGHTS weight weight]"),
        (b"EVAL s 0", "[arg [arg ...]]"),
        (b"LMOVE a b", "<LEFT | RIGHT> <LEFT | RIGHT>"),
        (b"XADD k MAXLEN", "[= | ~] threshold [LIMIT count] [NOMKSTREAM] <* | id> field value [field value ...]"),
        (b"XADD k MAXLEN ~ 5", "[LIMIT count] [NOMKSTREAM] <* | id> field value [field value ...]"),
        (b"XREAD STREAMS", "key [key ...] id [id ...]"),
        (b"XREAD STREAMS a", "[key ...] id [id ...]"),
        (b"HSETEX k EX 5 FIELDS 1 f v", "[NX | XX] [FNX | FXX]"),
        (b"SORT k GET # ALPHA", "[GET pattern ...] [BY pattern] [LIMIT offset count] [ASC | DESC] [STORE destination]"),
        (b"GEORADIUS k 1 1 1 km COUNT 5 DESC", "[ANY] [WITHCOORD] [WITHDIST] [WITHHASH] [STORE key | STOREDIST key]"),
        (b"CONFIG SET maxmemory", "value [parameter value ...]"),
        (b"CONFIG SET", "parameter value [parameter value ...]"),
    ],
)
def test_rest(line: bytes, rest: str) -> None:
    words = line.split()
    syntax = find(words) if words else SET
    assert syntax.hint(words) == rest


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        (b"GET", "key:key"),
        (b"GET a", ""),
        (b"LMOVE a b", "LEFT RIGHT"),
        (b"SET k v", "NX? XX? GET? EX? PX? EXAT? PXAT? KEEPTTL?"),
        (b"SET k v NX PX 5", "GET?"),
        (b"SET k v EX", "seconds:integer"),
        (b"ZADD k XX", "GT? LT? CH? INCR? score:double"),
        (b"XADD k", "NOMKSTREAM? MAXLEN? MINID? * id:id"),
        (b"BLPOP a", "key:key? timeout:double"),
        (b"EVAL s 1", "key:key"),
        (b"EVAL s 1 a", "arg:string?"),
        (b"XREAD STREAMS a", "key:key? id:id"),
        (b"GEORADIUS k 1 1 1", "M KM FT MI"),
        (b"GEOSEARCH k ASC", "FROMMEMBER? FROMLONLAT? BYRADIUS BYBOX COUNT? WITHCOORD? WITHDIST? WITHHASH?"),
        (b"XCLAIM k g c 5 1-1", "id:id? IDLE? JUSTID?"),
        (b"XCLAIM k g c 5 1-1 IDLE 5", "JUSTID?"),
        (b"INCRBYFLOAT k", "increment:double"),
        (b"SCAN 0 MATCH", "pattern:pattern"),
    ],
)
def test_choices(line: bytes, choices: str) -> None:
    words = line.split()
    found = [(choice.word if choice.kind == "token" else f"{choice.word}:{choice.type}") + "?" * choice.optional
             for choice in find(words).expect(words).choices]  # fmt: skip
    assert found == choices.split()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"SET k v NX", None), (b"SET k v EX", None), (b"SET k v EX 5 EX", None),
        (b"SET k v NX XX", "NX and XX exclude each other"), (b"SET k v EX abc", "EX wants an integer, not 'abc'"),
        (b"GET a b", "unexpected 'b'"), (b"SET k v FOO", "unexpected 'FOO'"),
        (b"LMOVE a b UP", "expected LEFT or RIGHT, not 'UP'"),
        (b"ZUNIONSTORE d x", "numkeys wants an integer, not 'x'"),
    ],
)  # fmt: skip
def test_words_so_far(line: bytes, error: str | None) -> None:
    words = line.split()
    expectation = find(words).expect(words)
    assert expectation.error == error


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"SET", "SET needs at least a key and a value"),
        (b"SET k", "SET needs at least a key and a value"),
        (b"GET", "GET needs a key"),
        (b"CONFIG", "CONFIG needs a subcommand"),
        (b"SET k v EX", "EX needs seconds"),
        (b"SET k v EX abc", "EX wants an integer, not 'abc'"),
        (b"SET k v EX 5 PX 5", "EX and PX exclude each other"),
        (b"SET k v FOO", "unexpected 'FOO'"),
        (b"SET k v caf\xc3\xa9\x00", "unexpected 'café\\x00'"),
        (b"HSET k f v g", "HSET still needs a value"),
        (b"ZADD k 1 a x b", "score wants a number, not 'x'"),
        (b"ZADD k NX XX 1 a", "NX and XX exclude each other"),
        (b"LMOVE a b LEFT", "LMOVE still needs LEFT or RIGHT"),
        (b"LMOVE a b LEFT UP", "expected LEFT or RIGHT, not 'UP'"),
        (b"SORT k LIMIT 0", "SORT still needs a count"),
        (b"SORT k LIMIT", "LIMIT needs an offset and a count"),
        (b"XREAD STREAMS a b 0", "each key needs an id"),
        (b"ZUNIONSTORE d 3 a b", "ZUNIONSTORE still needs a key"),
        (b"BITFIELD k OVERFLOW", "OVERFLOW needs WRAP, SAT or FAIL"),
        (b"XADD k 1x f", "XADD needs at least a key, * or id, a field and a value"),
        (b"XADD k abc f v", "id wants a stream ID, not 'abc'"),
        (b"ZUNIONSTORE d 1 a AGGREGATE avg", "expected SUM, MIN or MAX, not 'avg'"),
        (b"INCRBYFLOAT k ten", "increment wants a number, not 'ten'"),
        (b"PING a b", "unexpected 'b'"),
    ],
)
def test_check_says_what_is_wrong(line: bytes, reason: str) -> None:
    words = line.split()
    assert find(words).check(words) == reason


@pytest.mark.parametrize(
    "line",
    [
        b"set k v nx", b"SCAN 0 COUNT 1 COUNT 2", b"SORT k DESC ASC", b"EXPIRE k 5 XX GT", b"EXPIRE k 5 NX NX",
        b"XREADGROUP COUNT 1 GROUP g c STREAMS a >", b"HSETEX k FIELDS 1 f v NX EX 5", b"ZRANGE k (1 inf BYLEX BYSCORE",
        b"GEORADIUS k 1 1 1 km ANY COUNT 1", b"GEOSEARCH k ASC BYBOX 1 1 m COUNT 1 ANY FROMMEMBER m", b"ZADD k 0x1p3 m",
        b"ZADD k inf m nan n", b"EVAL s 0", b"EVAL s 0 a b", b"COMMAND", b"CONFIG ANYTHING", b"BLPOP a b 0.5",
        b"CLIENT LIST ID 1 2 3 TYPE normal", b"MIGRATE h 1 k 0 5", b"XADD k MAXLEN 5 LIMIT 1 * f v", b"ZADD k nx 1 nx",
    ],
)  # fmt: skip
def test_check_accepts_what_servers_accept(line: bytes) -> None:
    words = line.split()
    assert find(words).check(words) is None


def test_the_empty_token() -> None:
    words = [b"MIGRATE", b"h", b"1", b"", b"0", b"5", b"KEYS", b"a"]
    assert SYNTAX["MIGRATE"].check(words) is None
    assert SYNTAX["MIGRATE"].keys(words) == [7]


@pytest.mark.parametrize(
    ("line", "roles"),
    [
        (b"SET k v EX 5", "command key value option integer"),
        (b"CONFIG SET a 1", "command command argument value"),
        (b"CONFIG", "command"),
        (b"ZADD k nx 1 m", "command key option score member"),
        (b"HSET k f v f", "command key field value field"),
        (b"SCAN 0 match a*", "command integer option pattern"),
        (b"XREAD STREAMS a b 0 0", "command option key key id id"),
        (b"BLPOP a b 0", "command key key double"),
        (b"GET a b c", "command key error argument"),
        (b"SET k v NX XX", "command key value option option"),
        (b"ZUNIONSTORE d 1 a WEIGHTS 2", "command key integer key option score"),
        (b"XADD k MAXLEN ~ 5", "command key option option bound"),
        (b"CONFIG FOO bar", "command argument argument"),
    ],
)
def test_spans(line: bytes, roles: str) -> None:
    words = line.split()
    assert find(words).spans(words) == roles.split()


def test_drawn_lines_cover_the_tree() -> None:
    rng = random.Random(1)
    lines = [draw(ZUNIONSTORE, rng, plain_value) for _ in range(200)]
    words = {word.upper() for line in lines for word in line}
    assert {b"WEIGHTS", b"AGGREGATE", b"SUM", b"MIN", b"MAX"} <= words
    assert {int(line[2]) for line in lines} == {1, 2, 3}
    assert shortest(SET) == [b"SET", b"key", b"value"]
    assert [b"SET", b"key", b"value", b"PX", b"1"] in list(each_option(SET))
