"""Geo commands: places in a sorted set, whose scores are geohashes."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.commands.zsets import keep, zadd
from redtool.engine import geo
from redtool.engine.zsets import ZSet
from redtool.numeric import INT64_MAX, INT64_MIN, to_int, to_score
from redtool.resp import LongDouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.engine.geo import Point
    from redtool.resp import Reply
    from redtool.session import Session

    Found = tuple[bytes, float, float, Point]  # member, score, metres, place

command = group("geo")

OPTIONS = (b"NX", b"XX", b"CH")


def to_place(lon: bytes, lat: bytes) -> Point:
    """Read longitude and latitude."""
    place = to_score(lon), to_score(lat)
    if not geo.is_place(*place):
        raise errors.LonLat(*place)
    return place


def to_metres(unit: bytes) -> float:
    """How many metres a unit has."""
    metres = geo.UNITS.get(unit.lower())
    if metres is None:
        raise errors.UnknownUnit
    return metres


def distance_text(length: float) -> bytes:
    """A distance with four decimals."""
    scaled = round(length * 10000.0)
    return b"%d.%04d" % divmod(scaled, 10000)


def place_of(zset: ZSet, member: bytes) -> Point:
    """The place of a member that must be there."""
    score = zset.scores.get(member)
    if score is None:
        raise errors.NoSuchMember(member.partition(b"\0")[0].decode("utf-8", "surrogateescape"))
    return geo.decode(score)


def coordinates(place: Point) -> Reply:
    """A place as a reply: both numbers with 17 decimals, less the zeros at their ends."""
    return [LongDouble(number) for number in place]


@command("GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]", "write denyoom",
         since="3.2.0", complexity="O(log N) a member")  # fmt: skip
def geoadd(c: Session, key: bytes, *args: bytes) -> Reply:
    """Add members with their places, or move them.

    > GEOADD cafes 16.3655 48.2104 central 16.3699 48.2077 hawelka
    (integer) 2
    > GEOADD cafes XX CH 16.3656 48.2105 central
    (integer) 1
    """
    start = 0
    while start < len(args) and args[start].upper() in OPTIONS:
        start += 1
    given = {word.upper() for word in args[:start]}
    if (len(args) - start) % 3 or given >= {b"NX", b"XX"}:
        raise errors.SyntaxError_
    words = [*args[:start]]
    for i in range(start, len(args), 3):
        words += b"%d" % geo.encode(*to_place(args[i], args[i + 1])), args[i + 2]
    before = c.store.changes
    reply = zadd.handler(c, key, *words)  # type: ignore[misc]
    if c.store.changes != before:
        c.journal(b"ZADD", key, *words)
    return reply


@command("GEOPOS key [member [member ...]]", "readonly", since="3.2.0", complexity="O(1) a member")
def geopos(c: Session, key: bytes, *members: bytes) -> Reply:
    """Give the longitude and latitude of members; nil for one that is not there.

    > GEOADD cafes 16.3655 48.2104 central
    (integer) 1
    > GEOPOS cafes central nowhere
    1) 1) "16.36550098657608032"
       2) "48.21040025270858109"
    2) (nil)
    """
    zset = c.readable(key, ZSet)
    scores = [None if zset is None else zset.scores.get(member) for member in members]
    return [c.no_array if score is None else coordinates(geo.decode(score)) for score in scores]


@command("GEOHASH key [member [member ...]]", "readonly", since="3.2.0", complexity="O(1) a member")
def geohash(c: Session, key: bytes, *members: bytes) -> Reply:
    """Give the standard geohash of members; nil for one that is not there.

    > GEOADD cafes 16.3655 48.2104 central
    (integer) 1
    > GEOHASH cafes central nowhere
    1) "u2edk2kvzv0"
    2) (nil)
    """
    zset = c.readable(key, ZSet)
    scores = [None if zset is None else zset.scores.get(member) for member in members]
    return [None if score is None else geo.geohash(score).encode() for score in scores]


@command("GEODIST key member1 member2 [M | KM | FT | MI]", "readonly", since="3.2.0", arity=-4)
def geodist(c: Session, key: bytes, member1: bytes, member2: bytes, *args: bytes) -> Reply:
    """Give the distance between two members, in metres or another unit.

    > GEOADD cafes 16.3655 48.2104 central 16.3699 48.2077 hawelka
    (integer) 2
    > GEODIST cafes central hawelka
    "443.2410"
    > GEODIST cafes central hawelka KM
    "0.4432"
    """
    unit = to_metres(args[0]) if len(args) == 1 else 1.0
    if len(args) > 1:
        raise errors.SyntaxError_
    zset = c.readable(key, ZSet)
    if zset is None or member1 not in zset or member2 not in zset:
        return None
    return distance_text(geo.distance(place_of(zset, member1), place_of(zset, member2)) / unit)


class Search:
    """One search: where, what to show of the places found, in which order, how many, and where to store them.

    ``kind`` is GEOSEARCH, GEOSEARCHSTORE, GEORADIUS or GEORADIUS_RO. Options are read in the order in which they
    come, as a server does, because it decides which error is reported.
    """

    def __init__(self, kind: str, zset: ZSet | None) -> None:
        self.kind, self.zset = kind, zset
        self.center: Point | None = None
        self.by: Callable[[Point], geo.Circle | geo.Box] | None = None
        self.polygon: geo.Polygon | None = None
        self.boxed = self.located = self.of_member = False
        self.unit = 1.0
        self.shown: set[bytes] = set()
        self.order: bytes | None = None
        self.any, self.count = False, 0
        self.target: bytes | None = None
        self.store_distance = False

    def by_radius(self, radius: bytes, unit: bytes) -> None:
        length = to_score(radius, errors.NeedRadius)
        if length < 0:
            raise errors.NegativeRadius
        self.unit = to_metres(unit)
        self.by, self.boxed = (lambda center: geo.Circle(center, length * self.unit)), False

    def by_box(self, width: bytes, height: bytes, unit: bytes) -> None:
        wide, high = to_score(width, errors.NeedWidth), to_score(height, errors.NeedHeight)
        if wide < 0 or high < 0:
            raise errors.NegativeBox
        self.unit = to_metres(unit)
        self.by, self.boxed = (lambda center: geo.Box(center, wide * self.unit, high * self.unit)), True

    def by_polygon(self, args: tuple[bytes, ...]) -> int:
        """Read the corners; give how many words they are."""
        corners = to_int(args[0], errors.BadVertices)
        if not -(2**31) <= corners < 2**31:
            raise errors.BadVertices
        words = args[1 : 1 + 2 * max(corners, 0)]
        if corners < 3 or len(words) < 2 * corners:
            raise errors.FewVertices
        self.polygon = geo.Polygon([to_place(*words[i : i + 2]) for i in range(0, len(words), 2)])
        return 1 + len(words)

    def from_member(self, member: bytes) -> None:
        self.of_member = True
        if self.zset is not None:
            self.center = place_of(self.zset, member)

    def read(self, args: tuple[bytes, ...]) -> None:
        """Read all options, and refuse what does not go together."""
        i = 0
        while i < len(args):
            i += 1 + self.option(args[i].upper(), args[i + 1 :])
        if self.target is not None and self.shown:
            stored = self.kind == "GEOSEARCHSTORE"
            raise errors.GeoStore("GEOSEARCHSTORE" if stored else "STORE option in GEORADIUS")
        if self.kind.startswith("GEOSEARCH") and self.polygon is None:
            if not self.of_member and not self.located:
                raise errors.GeoFrom(self.kind)
            if self.by is None:
                raise errors.GeoBy(self.kind)
        if self.any and not self.count:
            raise errors.GeoAny

    def option(self, word: bytes, rest: tuple[bytes, ...]) -> int:
        """Take in one option; give how many words belong to it."""
        if word in (b"WITHCOORD", b"WITHDIST", b"WITHHASH"):
            self.shown.add(word)
        elif word in (b"ASC", b"DESC"):
            self.order = word
        elif word == b"ANY":
            self.any = True
        elif word == b"COUNT" and rest:
            self.count = to_int(rest[0])
            if self.count <= 0:
                raise errors.GeoCount
            return 1
        elif self.kind == "GEORADIUS" and word in (b"STORE", b"STOREDIST") and rest:
            self.target, self.store_distance = rest[0], word == b"STOREDIST"
            return 1
        elif self.kind == "GEOSEARCHSTORE" and word == b"STOREDIST":
            self.store_distance = True
        elif self.kind.startswith("GEOSEARCH"):
            return self.where(word, rest)
        else:
            raise errors.SyntaxError_
        return 0

    def where(self, word: bytes, rest: tuple[bytes, ...]) -> int:
        """Take in an option that says where to search; give how many words belong to it."""
        circled = self.by is not None and not self.boxed
        if self.polygon is not None and word != b"BYPOLYGON":
            raise errors.SyntaxError_
        if word == b"FROMMEMBER" and rest and not self.located:
            self.from_member(rest[0])
            return 1
        if word == b"FROMLONLAT" and len(rest) >= 2 and not self.of_member:
            self.center, self.located = to_place(*rest[:2]), True
            return 2
        if word == b"BYRADIUS" and len(rest) >= 2 and not self.boxed:
            self.by_radius(*rest[:2])
            return 2
        if word == b"BYBOX" and len(rest) >= 3 and not circled:
            self.by_box(*rest[:3])
            return 3
        placed = self.of_member or self.located or self.by is not None
        if word == b"BYPOLYGON" and len(rest) >= 2 and not placed:
            return self.by_polygon(rest)
        raise errors.SyntaxError_

    def found(self) -> list[Found]:
        """The places inside, in order, as many as wanted."""
        if self.zset is None:
            return []
        shape = self.polygon
        area = shape if shape is not None else self.by(self.center)  # type: ignore[misc, arg-type]
        out = matches(self.zset, area, self.count if self.any else 0)
        if self.order is not None or (self.count and not self.any):
            out.sort(key=lambda each: each[2], reverse=self.order == b"DESC")
        return out[: self.count] if self.count else out


def matches(zset: ZSet, shape: geo.Circle | geo.Box | geo.Polygon, limit: int) -> list[Found]:
    """The places inside a shape, in the order in which cells are visited; no more than ``limit``, if there is one."""
    out: list[Found] = []
    for low, high in geo.spans(shape):
        for member, score in zset.slice(zset.score_span(low, high)):
            place = geo.decode(score)
            metres = shape.distance(place)
            if metres is not None:
                out.append((member, score, metres, place))
                if len(out) == limit:
                    return out
    return out


def outcome(c: Session, search: Search) -> Reply:
    """Store what a search finds, or show it."""
    found = search.found()
    if search.target is not None:
        event = b"geosearchstore" if search.kind == "GEOSEARCHSTORE" else b"georadiusstore"
        pairs = [(each[0], each[2] / search.unit if search.store_distance else each[1]) for each in found]
        return keep(c, search.target, event, ZSet.of(pairs))
    if not search.shown:
        return [member for member, *_ in found]
    out: list[Reply] = []
    for member, score, metres, place in found:
        row: list[Reply] = [member]
        if b"WITHDIST" in search.shown:
            row.append(distance_text(metres / search.unit))
        if b"WITHHASH" in search.shown:
            row.append(int(score) if INT64_MIN <= score <= INT64_MAX else INT64_MIN)
        if b"WITHCOORD" in search.shown:
            row.append(coordinates(place))
        out.append(row)
    return out


AREA = ("[FROMMEMBER member | FROMLONLAT longitude latitude] <BYRADIUS radius <M | KM | FT | MI>"
        " | BYBOX width height <M | KM | FT | MI> | BYPOLYGON num-vertices longitude latitude"
        " [longitude latitude ...]> [ASC | DESC] [COUNT count [ANY]]")  # fmt: skip
SHOWN = "[WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]"
COST = "O(N + log M) N members in the cells around the area, M inside of it"


@command(f"GEOSEARCH key {AREA} [WITHCOORD] [WITHDIST] [WITHHASH]", "readonly", since="6.2.0", complexity=COST,
         arity=-7)  # fmt: skip
def geosearch(c: Session, key: bytes, *args: bytes) -> Reply:
    """Find the members inside a circle, a box or a polygon.

    > GEOADD cafes 16.3655 48.2104 central 16.3699 48.2077 hawelka
    (integer) 2
    > GEOSEARCH cafes FROMMEMBER central BYRADIUS 500 M ASC
    1) "central"
    2) "hawelka"
    > GEOSEARCH cafes FROMLONLAT 16.37 48.208 BYBOX 200 200 M WITHDIST
    1) 1) "hawelka"
       2) "34.1003"
    """
    search = Search("GEOSEARCH", c.readable(key, ZSet))
    search.read(args)
    return outcome(c, search)


@command(f"GEOSEARCHSTORE destination source {AREA} [STOREDIST]", "write denyoom", since="6.2.0",
         complexity=COST, arity=-8)  # fmt: skip
def geosearchstore(c: Session, destination: bytes, source: bytes, *args: bytes) -> Reply:
    """Store the members inside a circle, a box or a polygon; gives how many.

    > GEOADD cafes 16.3655 48.2104 central 16.3699 48.2077 hawelka
    (integer) 2
    > GEOSEARCHSTORE near cafes FROMLONLAT 16.37 48.208 BYRADIUS 200 M STOREDIST
    (integer) 1
    > ZRANGE near 0 -1 WITHSCORES
    1) "hawelka"
    2) "34.1002566239991"
    """
    search = Search("GEOSEARCHSTORE", c.readable(source, ZSet))
    search.target = destination
    search.read(args)
    return outcome(c, search)


def around_place(c: Session, kind: str, key: bytes, args: tuple[bytes, ...]) -> Reply:
    """GEORADIUS in both forms: longitude, latitude, radius, unit, options."""
    search = Search(kind, c.readable(key, ZSet))
    search.center = to_place(*args[:2])
    search.by_radius(*args[2:4])
    search.read(args[4:])
    return outcome(c, search)


def around_member(c: Session, kind: str, key: bytes, args: tuple[bytes, ...]) -> Reply:
    """GEORADIUSBYMEMBER in both forms: member, radius, unit, options. Without the key, only the options are read."""
    search = Search(kind, c.readable(key, ZSet))
    if search.zset is not None:
        search.from_member(args[0])
        search.by_radius(*args[1:3])
    search.read(args[3:])
    return outcome(c, search)


@command(f"GEORADIUS key longitude latitude radius <M | KM | FT | MI> {SHOWN} [STORE key | STOREDIST key]",
         "write denyoom movablekeys", since="3.2.0", complexity=COST)  # fmt: skip
def georadius(c: Session, key: bytes, *args: bytes) -> Reply:
    """Find, or store, the members within a distance of a place.

    > GEOADD cafes 16.3655 48.2104 central 16.3699 48.2077 hawelka
    (integer) 2
    > GEORADIUS cafes 16.37 48.208 1 KM ASC WITHDIST
    1) 1) "hawelka"
       2) "0.0341"
    2) 1) "central"
       2) "0.4272"
    """
    return around_place(c, "GEORADIUS", key, args)


@command(f"GEORADIUS_RO key longitude latitude radius <M | KM | FT | MI> {SHOWN}", "readonly", since="3.2.10",
         complexity=COST)  # fmt: skip
def georadius_ro(c: Session, key: bytes, *args: bytes) -> Reply:
    """Find the members within a distance of a place.

    > GEOADD cafes 16.3655 48.2104 central 16.3699 48.2077 hawelka
    (integer) 2
    > GEORADIUS_RO cafes 16.37 48.208 200 M
    1) "hawelka"
    """
    return around_place(c, "GEORADIUS_RO", key, args)


@command(f"GEORADIUSBYMEMBER key member radius <M | KM | FT | MI> {SHOWN} [STORE key | STOREDIST key]",
         "write denyoom movablekeys", since="3.2.0", complexity=COST)  # fmt: skip
def georadiusbymember(c: Session, key: bytes, *args: bytes) -> Reply:
    """Find, or store, the members within a distance of another one.

    > GEOADD cafes 16.3655 48.2104 central 16.3699 48.2077 hawelka
    (integer) 2
    > GEORADIUSBYMEMBER cafes central 1 KM DESC
    1) "hawelka"
    2) "central"
    """
    return around_member(c, "GEORADIUS", key, args)


@command(f"GEORADIUSBYMEMBER_RO key member radius <M | KM | FT | MI> {SHOWN}", "readonly", since="3.2.10",
         complexity=COST)  # fmt: skip
def georadiusbymember_ro(c: Session, key: bytes, *args: bytes) -> Reply:
    """Find the members within a distance of another one.

    > GEOADD cafes 16.3655 48.2104 central 16.3699 48.2077 hawelka
    (integer) 2
    > GEORADIUSBYMEMBER_RO cafes central 1 KM ASC COUNT 1
    1) "central"
    """
    return around_member(c, "GEORADIUS_RO", key, args)
