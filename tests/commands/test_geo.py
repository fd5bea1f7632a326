"""Geo commands: tables on both sides, and random searches side by side with a real server."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from redtool import words
from tests import embedded
from tests.commands.conftest import Runner
from tests.commands.journal import effects
from tests.servers import RealServer

SYNTAX = "-ERR syntax error"
FLOAT = "-ERR value is not a valid float"
UNIT = "-ERR unsupported unit provided. please use M, KM, FT, MI"
WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
FROM = "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {}"
BY = "-ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for {}"
STORE = "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
VERTICES = "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"
SICILY = ("GEOADD g 13.361389 38.115556 P 15.087269 37.502669 C", 2)
PALERMO = [b"13.36138933897018433", b"38.11555639549629859"]
CATANIA = [b"15.08726745843887329", b"37.50266842333162032"]

TABLES: dict[str, list[tuple[str, Any]]] = {
    "add": [
        SICILY,
        ("ZRANGE g 0 -1 WITHSCORES", [b"P", b"3479099956230698", b"C", b"3479447370796909"]),
        ("GEOADD g NX 1 1 P 2 2 new", 1),
        ("GEOADD g XX CH 1 1 P 2 2 other", 1),
        ("GEOADD g CH 1 1 P 3 3 new", 1),
        ("GEOADD g xx ch 1 1 nope", 0),
        ("GEOADD nope XX 1 1 a", 0),
        ("EXISTS nope", 0),
        ("GEOPOS g P", [[b"0.99999994039535522", b"0.99999945914297683"]]),
        ("GEOADD g 180 85.05112878 e -180 -85.05112878 w", 2),
        ("GEOPOS g e w", [[b"180", b"85.0511287799999991"], [b"-179.99999731779098511", b"-85.05112751263942528"]]),
        ("GEOADD g NX XX 1 2 a", SYNTAX),
        ("GEOADD g NX CH CH", SYNTAX),
        ("GEOADD g 1 2 a 3", SYNTAX),
        ("GEOADD g INCR 1 2 a", SYNTAX),
        ("GEOADD g 1 x a", FLOAT),
        ("GEOADD g 181 2 a", "-ERR invalid longitude,latitude pair 181.000000,2.000000"),
        ("GEOADD g 1 -86.5 a", "-ERR invalid longitude,latitude pair 1.000000,-86.500000"),
        ("GEOADD g 1 inf a", "-ERR invalid longitude,latitude pair 1.000000,inf"),
        ("RPUSH l a", 1),
        ("GEOADD l 1 2 a", WRONG_TYPE),
        ("GEOADD l 200 2 a", "-ERR invalid longitude,latitude pair 200.000000,2.000000"),
    ],
    "read": [
        SICILY,
        ("GEOPOS g P nope C", [PALERMO, None, CATANIA]),
        ("GEOPOS g", []),
        ("GEOPOS nope a", [None]),
        ("GEOHASH g P nope C", [b"sqc8b49rny0", None, b"sqdtr74hyu0"]),
        ("GEOHASH nope a b", [None, None]),
        ("GEOHASH g", []),
        ("GEODIST g P C", b"166274.1516"),
        ("GEODIST g P C km", b"166.2742"),
        ("GEODIST g P C Mi", b"103.3182"),
        ("GEODIST g P C ft", b"545518.8700"),
        ("GEODIST g P P", b"0.0000"),
        ("GEODIST g P nope", None),
        ("GEODIST nope P C", None),
        ("GEODIST g P C xx", UNIT),
        ("GEODIST nope P C km km", SYNTAX),
        ("ZADD z 1 a -5 b 1e300 c inf d", 4),
        ("GEOPOS z a", [[b"-179.99999731779098511", b"-85.05112497791824921"]]),
        ("RPUSH l a", 1),
        ("GEOPOS l a", WRONG_TYPE),
        ("GEOHASH l a", WRONG_TYPE),
        ("GEODIST l a b", WRONG_TYPE),
        ("GEODIST l a b xx", UNIT),
    ],
    "search": [
        SICILY,
        ("GEOADD g 12.758489 38.788135 e1 17.241510 38.788135 e2", 2),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC", [b"C", b"P"]),
        ("GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km DESC WITHDIST",
         [[b"e1", b"279.7405"], [b"e2", b"279.7403"], [b"P", b"190.4424"], [b"C", b"56.4413"]]),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 100 mi WITHDIST WITHHASH WITHCOORD ASC COUNT 1",
         [[b"P", b"0.0000", 3479099956230698, PALERMO]]),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 10000 ft", [b"P"]),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 0 m", [b"P"]),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS inf km ASC", [b"P", b"e1", b"C", b"e2"]),
        ("GEOSEARCH g FROMMEMBER C FROMMEMBER P BYBOX 1 1 m", [b"P"]),
        ("GEOSEARCH g BYPOLYGON 4 10 36 10 40 20 40 20 36 WITHDIST COUNT 2",
         [[b"C", b"67546.0182"], [b"P", b"143404.9745"]]),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1", [b"C"]),
        ("GEOSEARCH g FROMLONLAT 100 37 BYRADIUS 200 km", []),
        ("GEOSEARCH nope FROMLONLAT 15 37 BYRADIUS 200 km", []),
        ("GEOSEARCH nope FROMMEMBER x BYRADIUS 1 km", []),
        ("GEOSEARCH g ASC ASC ASC ASC ASC", FROM.format("GEOSEARCH")),
        ("GEOSEARCH g BYRADIUS 1 km ASC ASC", FROM.format("GEOSEARCH")),
        ("GEOSEARCH g FROMMEMBER P ASC ASC ASC", BY.format("GEOSEARCH")),
        ("GEOSEARCHSTORE d g FROMMEMBER P ASC ASC ASC", BY.format("GEOSEARCHSTORE")),
        ("GEOSEARCH g FROMMEMBER nope BYRADIUS 1 km", "-ERR member nope does not exist"),
        (r'GEOSEARCH g FROMMEMBER "a\x00b" BYRADIUS 1 km', "-ERR member a does not exist"),
        ("GEOSEARCH g FROMMEMBER P FROMLONLAT 1 2 BYRADIUS 1 km", SYNTAX),
        ("GEOSEARCH g FROMMEMBER P BYBOX 1 2 km BYRADIUS 3 km", SYNTAX),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 1 km BYRADIUS 1000 km ASC COUNT 2", [b"P", b"e1"]),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS x xx", "-ERR need numeric radius"),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS -1 xx", "-ERR radius cannot be negative"),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 1 xx", UNIT),
        ("GEOSEARCH g FROMMEMBER P BYBOX x y km", "-ERR need numeric width"),
        ("GEOSEARCH g FROMMEMBER P BYBOX -1 y km", "-ERR need numeric height"),
        ("GEOSEARCH g FROMMEMBER P BYBOX -1 1 xx", "-ERR height or width cannot be negative"),
        ("GEOSEARCH g FROMMEMBER P BYBOX 1 1 xx", UNIT),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 1 km ANY", "-ERR the ANY argument requires COUNT argument"),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 1 km ANY COUNT 1", [b"P"]),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 1 km COUNT 0", "-ERR COUNT must be > 0"),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 1 km COUNT x", "-ERR value is not an integer or out of range"),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 1 km COUNT", SYNTAX),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 1 km STOREDIST", SYNTAX),
        ("GEOSEARCH g FROMLONLAT 15 37", "-ERR wrong number of arguments for 'geosearch' command"),
        ("GEOSEARCH g BYPOLYGON 2 1 2 3 4", VERTICES),
        ("GEOSEARCH g BYPOLYGON 3 1 2 3 4 5", VERTICES),
        ("GEOSEARCH g BYPOLYGON -1 1 2 3 4", VERTICES),
        ("GEOSEARCH g BYPOLYGON x 1 2 3 4", "-ERR invalid number of vertices"),
        ("GEOSEARCH g BYPOLYGON 99999999999 1 2 3", "-ERR invalid number of vertices"),
        ("GEOSEARCH g BYPOLYGON 4 1 2 3 4 5 6 ASC COUNT", FLOAT),
        ("GEOSEARCH g ASC ASC ASC BYPOLYGON 3", SYNTAX),
        ("GEOSEARCH g BYPOLYGON 3 1 2 3 4 5 6 FROMMEMBER P", SYNTAX),
        ("GEOSEARCH g FROMLONLAT 1 2 BYPOLYGON 3 1 2 3 4 5 6", SYNTAX),
        ("GEOSEARCH g BYRADIUS 1 km BYPOLYGON 3 1 2 3 4 5 6", SYNTAX),
        ("RPUSH l a", 1),
        ("GEOSEARCH l FROMMEMBER P ASC ASC ASC", WRONG_TYPE),
    ],
    "store": [
        SICILY,
        ("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km", 2),
        ("ZRANGE d 0 -1 WITHSCORES", [b"P", b"3479099956230698", b"C", b"3479447370796909"]),
        ("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST COUNT 1", 1),
        ("ZRANGE d 0 -1", [b"C"]),
        ("ZRANGEBYSCORE d 56.4412 56.4413", [b"C"]),
        ("GEOSEARCHSTORE d g FROMLONLAT 115 37 BYRADIUS 200 km", 0),
        ("EXISTS d", 0),
        ("SET d x", b"OK"),
        ("GEOSEARCHSTORE d nope FROMLONLAT 15 37 BYRADIUS 200 km", 0),
        ("EXISTS d", 0),
        ("SET d x", b"OK"),
        ("GEORADIUS g 15 37 200 km STORE d", 2),
        ("TYPE d", b"zset"),
        ("GEORADIUS g 15 37 200 km STORE d STOREDIST e", 2),
        ("EXISTS e", 1),
        ("GEORADIUSBYMEMBER nope P 1 km STORE d", 0),
        ("EXISTS d", 0),
        ("GEOSEARCHSTORE d g FROMMEMBER P BYRADIUS 1 km WITHDIST",
         "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"),
        ("GEORADIUS g 15 37 200 km STORE d WITHCOORD", STORE),
        ("GEORADIUSBYMEMBER g P 200 km STOREDIST d WITHHASH", STORE),
    ],
    "radius": [
        SICILY,
        ("GEORADIUS g 15 37 200 km WITHDIST WITHCOORD ASC",
         [[b"C", b"56.4413", CATANIA], [b"P", b"190.4424", PALERMO]]),
        ("GEORADIUS_RO g 15 37 200 km DESC", [b"P", b"C"]),
        ("GEORADIUSBYMEMBER g P 200 km WITHHASH", [[b"P", 3479099956230698], [b"C", 3479447370796909]]),
        ("GEORADIUSBYMEMBER_RO g P 100 km", [b"P"]),
        ("GEORADIUS nope 15 37 200 km", []),
        ("GEORADIUSBYMEMBER nope P x mm", []),
        ("GEORADIUSBYMEMBER nope P x mm FOO", SYNTAX),
        ("GEORADIUSBYMEMBER nope P x mm COUNT 0", "-ERR COUNT must be > 0"),
        ("GEORADIUSBYMEMBER g nope x mm", "-ERR member nope does not exist"),
        ("GEORADIUSBYMEMBER g P x mm", "-ERR need numeric radius"),
        ("GEORADIUS g 15 37 200 mm", UNIT),
        ("GEORADIUS g 15 37 -1 mm", "-ERR radius cannot be negative"),
        ("GEORADIUS g x 37 -1 km", FLOAT),
        ("GEORADIUS g 200 37 -1 km", "-ERR invalid longitude,latitude pair 200.000000,37.000000"),
        ("GEORADIUS_RO g 15 37 200 km STORE d", SYNTAX),
        ("GEORADIUSBYMEMBER_RO g P 200 km STOREDIST d", SYNTAX),
        ("GEORADIUS g 15 37 200 km FROMMEMBER P", SYNTAX),
        ("GEORADIUS g 15 37 200 km ANY", "-ERR the ANY argument requires COUNT argument"),
        ("RPUSH l a", 1),
        ("GEORADIUS l 15 37 200 xx", WRONG_TYPE),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


JOURNAL = [
    ("GEOADD g 13.361389 38.115556 P", [b"ZADD g 3479099956230698 P"]),
    ("GEOADD g nx ch 13.361389 38.115556 P 15.087269 37.502669 C",
     [b"ZADD g nx ch 3479099956230698 P 3479447370796909 C"]),
    ("GEOADD g 15.087269 37.502669 C", []),
    ("GEOSEARCHSTORE d g FROMMEMBER P BYRADIUS 10 km", [b"GEOSEARCHSTORE d g FROMMEMBER P BYRADIUS 10 km"]),
    ("GEORADIUS g 15 37 200 km STORE e", [b"GEORADIUS g 15 37 200 km STORE e"]),
    ("GEORADIUS g 15 37 200 km", []),
    ("GEOSEARCHSTORE nope nope FROMMEMBER P BYRADIUS 10 km", []),
]  # fmt: skip


def test_journal() -> None:
    client = embedded.Client()
    for line, expected in JOURNAL:
        assert effects(client, line) == expected, line


@pytest.fixture
def sides(valkey: RealServer) -> Iterator[list[Runner]]:
    """An engine and a server."""
    valkey.flush()
    made = [Runner(embedded.Client()), Runner(valkey.client(), valkey)]
    yield made
    made[1].close()


def test_bytes_of_coordinates(valkey: RealServer) -> None:
    """A double's text in RESP3 is a long double's."""
    for proto in (2, 3):
        valkey.flush()
        ours = embedded.Client(proto=proto)
        with valkey.client(proto) as theirs:
            for line in (SICILY[0], "GEOPOS g P C", "GEOSEARCH g FROMMEMBER P BYRADIUS 200 km ASC WITHCOORD WITHDIST",
                         "GEODIST g P C"):  # fmt: skip
                argv = words.split(line.encode())
                assert ours.wire(*argv) == theirs.wire(*argv), line


def random_place(rng: Random, near: float) -> str:
    return f"{rng.uniform(-180, 180) * near:.6f} {rng.uniform(-85, 85) * near:.6f}"


def random_search(rng: Random, near: float) -> str:
    size = 10 ** rng.uniform(0, 7.5) if rng.random() < 0.7 else 0
    unit = rng.choice(("m", "km", "ft", "mi"))
    start = rng.choice((f"FROMMEMBER m{rng.randrange(50)}", f"FROMLONLAT {random_place(rng, near)}"))
    shape = rng.choice((f"BYRADIUS {size} {unit}", f"BYBOX {size} {10 ** rng.uniform(0, 7.5)} {unit}"))
    where = f"{start} {shape}"
    if rng.random() < 0.25:
        corners = rng.randint(3, 7)
        where = f"BYPOLYGON {corners} " + " ".join(random_place(rng, near * 0.4) for _ in range(corners))
    options = rng.choice(("", "ASC", "DESC", "COUNT 3", "COUNT 4 ANY", "COUNT 4 ANY DESC", "ASC COUNT 5"))
    shown = " ".join(word for word in ("WITHDIST", "WITHHASH", "WITHCOORD") if rng.random() < 0.4)
    if rng.random() < 0.2:
        return f"GEOSEARCHSTORE d g {where} {options} {rng.choice(('', 'STOREDIST'))}"
    return f"GEOSEARCH g {where} {options} {shown}"


def stored(r: Runner) -> list[tuple[bytes, float]]:
    """What is in the target of a search that stores. A server does not always print the shortest of a score's texts."""
    found = r("ZRANGE d 0 -1 WITHSCORES")
    return [(member, float(score)) for member, score in zip(found[::2], found[1::2], strict=True)]


@pytest.mark.parametrize("near", [1.0, 0.1, 0.001])
@pytest.mark.parametrize("seed", range(2))
def test_random_searches_as_on_a_server(sides: list[Runner], seed: int, near: float) -> None:
    """Unsorted results too come in the same order."""
    rng = Random(seed)
    ours, theirs = sides
    for n in range(50):
        line = f"GEOADD g {random_place(rng, near)} m{n}"
        assert ours(line) == theirs(line) == 1
    for _ in range(300):
        lines = [random_search(rng, near),
                 f"GEODIST g m{rng.randrange(50)} m{rng.randrange(50)} {rng.choice(('m', 'km', 'ft', 'mi'))}",
                 f"GEOHASH g m{rng.randrange(50)}"]  # fmt: skip
        for line in lines:
            assert ours(line) == theirs(line), line
        assert stored(ours) == stored(theirs), lines[0]
