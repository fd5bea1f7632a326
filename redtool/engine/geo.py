"""Places on a sphere as scores of a sorted set: 52-bit geohashes, distances, and shapes to search in.

A hash interleaves latitude (even bits) and longitude (odd bits), each a fraction of its range in ``step`` bits; with
26 bits each it is a score, and a shorter one is a cell, a range of scores. A search covers its shape by a cell and
its neighbours, in the order and with the arithmetic of Redis's geohash_helper.c, so that unsorted results come in a
server's order.
"""

from __future__ import annotations

from math import asin, atan2, cos, inf, nan, pi, sin, sqrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Point = tuple[float, float]  # longitude, latitude in degrees
    Bounds = tuple[float, float, float, float]  # least longitude and latitude, greatest longitude and latitude
    Cell = tuple[int, int]  # bits, step

RADIUS = 6372797.560856  # of the earth, in metres
DEGREE = pi / 180.0
LON_MAX = 180.0
LAT_MAX = 85.05112878  # where a square map ends
STEPS = 26
MERCATOR_MAX = 20037726.37
UNITS = {b"m": 1.0, b"km": 1000.0, b"ft": 0.3048, b"mi": 1609.34}
ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"
MASK = 2**64 - 1
LON_BITS, LAT_BITS = 0xAAAAAAAAAAAAAAAA, 0x5555555555555555


def _spread(x: int) -> int:
    """Put 32 bits on the even places of 64."""
    x = (x | x << 16) & 0x0000FFFF0000FFFF
    x = (x | x << 8) & 0x00FF00FF00FF00FF
    x = (x | x << 4) & 0x0F0F0F0F0F0F0F0F
    x = (x | x << 2) & 0x3333333333333333
    return (x | x << 1) & LAT_BITS


def _gathered(x: int) -> int:
    """Take the 32 bits on the even places of 64."""
    x &= LAT_BITS
    x = (x | x >> 1) & 0x3333333333333333
    x = (x | x >> 2) & 0x0F0F0F0F0F0F0F0F
    x = (x | x >> 4) & 0x00FF00FF00FF00FF
    x = (x | x >> 8) & 0x0000FFFF0000FFFF
    return (x | x >> 16) & 0x00000000FFFFFFFF


def is_place(lon: float, lat: float) -> bool:
    """Tell whether a place can be hashed."""
    return -LON_MAX <= lon <= LON_MAX and -LAT_MAX <= lat <= LAT_MAX


def encode(lon: float, lat: float, step: int = STEPS, lat_max: float = LAT_MAX) -> int:
    """The hash of a place."""
    y = int((lat + lat_max) / (lat_max + lat_max) * (1 << step))
    x = int((lon + LON_MAX) / (LON_MAX + LON_MAX) * (1 << step))
    return _spread(y) | _spread(x) << 1


def area(bits: int, step: int) -> Bounds:
    """The cell of a hash."""
    y, x, size = _gathered(bits), _gathered(bits >> 1), 1 << step
    lat_scale, lon_scale = LAT_MAX + LAT_MAX, LON_MAX + LON_MAX
    return (
        -LON_MAX + (x / size) * lon_scale,
        -LAT_MAX + (y / size) * lat_scale,
        -LON_MAX + ((x + 1) / size) * lon_scale,
        -LAT_MAX + ((y + 1) / size) * lat_scale,
    )


def bits_of(score: float) -> int:
    """A score as the unsigned integer that a server reads, whatever the score is."""
    if score >= 2.0**64:
        return 0
    return int(score) & MASK if score >= -(2.0**63) else 1 << 63


def decode(score: float) -> Point:
    """The middle of the cell that a score stands for."""
    left, low, right, high = area(bits_of(score), STEPS)
    return min(max((left + right) / 2, -LON_MAX), LON_MAX), min(max((low + high) / 2, -LAT_MAX), LAT_MAX)


def geohash(score: float) -> str:
    """The standard geohash, 11 characters, whose latitudes go up to 90 degrees; the last one is always 0."""
    lon, lat = decode(score)
    bits = encode(lon, lat, STEPS, 90.0)
    return "".join(ALPHABET[bits >> (52 - shift) & 31] for shift in range(5, 55, 5)) + "0"


def distance(a: Point, b: Point) -> float:
    """Metres between two places, along a great circle (haversine)."""
    v = sin((b[0] * DEGREE - a[0] * DEGREE) / 2)
    if v == 0.0:
        return lat_distance(a[1], b[1])
    lat1, lat2 = a[1] * DEGREE, b[1] * DEGREE
    u = sin((lat2 - lat1) / 2)
    return 2.0 * RADIUS * asin(min(sqrt(u * u + cos(lat1) * cos(lat2) * v * v), 1.0))


def lat_distance(lat1: float, lat2: float) -> float:
    """Metres between two places on one meridian."""
    return RADIUS * abs(lat2 * DEGREE - lat1 * DEGREE)


# -- shapes


def _span(metres: float, lat: float) -> float:
    """How many degrees of longitude some metres are at a latitude."""
    return metres / RADIUS / (cos(lat * DEGREE) if abs(lat) != inf else nan) / DEGREE


def _around(center: Point, width: float, height: float) -> Bounds:
    """The bounds of what reaches this far to each side."""
    lon, lat = center
    lat_delta = height / RADIUS / DEGREE
    lon_delta = _span(width, lat - lat_delta if lat < 0 else lat + lat_delta)  # the end nearer to the equator's side
    return lon - lon_delta, lat - lat_delta, lon + lon_delta, lat + lat_delta


class Circle:
    """All within ``radius`` metres."""

    __slots__ = ("bounds", "center", "reach")

    def __init__(self, center: Point, radius: float) -> None:
        self.center, self.reach = center, radius
        self.bounds = _around(center, radius, radius)

    def distance(self, point: Point) -> float | None:
        """Metres from the center to a point inside; None for one outside."""
        metres = distance(self.center, point)
        return None if metres > self.reach else metres


class Box:
    """All in a rectangle, its sides along meridians and parallels, in metres."""

    __slots__ = ("bounds", "center", "height", "reach", "width")

    def __init__(self, center: Point, width: float, height: float) -> None:
        self.center, self.width, self.height = center, width, height
        self.reach = sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2))
        self.bounds = _around(center, width / 2, height / 2)

    def distance(self, point: Point) -> float | None:
        """Metres from the center to a point inside; None for one outside."""
        lon, lat = self.center
        if lat_distance(point[1], lat) > self.height / 2:
            return None
        if distance(point, (lon, point[1])) > self.width / 2:
            return None
        return distance(self.center, point)


def _mean(points: Sequence[Point]) -> Point:
    """The place below the mean of places, taken as vectors from the middle of the earth."""
    x = y = z = 0.0
    for lon, lat in points:
        x += cos(lat * DEGREE) * cos(lon * DEGREE)
        y += cos(lat * DEGREE) * sin(lon * DEGREE)
        z += sin(lat * DEGREE)
    return atan2(y, x) / DEGREE, atan2(z, sqrt(x * x + y * y)) / DEGREE


class Polygon:
    """All inside a polygon on the map; distances are from the mean of its corners on the sphere."""

    __slots__ = ("bounds", "center", "corners", "reach")

    def __init__(self, corners: Sequence[Point]) -> None:
        self.corners = corners
        lons, lats = [lon for lon, _ in corners], [lat for _, lat in corners]
        self.center = _mean(corners)
        self.bounds = (min(lons), min(lats), max(lons), max(lats))
        self.reach = max(distance(self.center, corner) for corner in corners)

    def distance(self, point: Point) -> float | None:
        """Metres from the center to a point inside; None for one outside."""
        lon, lat = point
        inside = False
        lon2, lat2 = self.corners[-1]
        for lon1, lat1 in self.corners:
            if (lat1 > lat) != (lat2 > lat) and lon < (lon2 - lon1) * (lat - lat1) / (lat2 - lat1) + lon1:
                inside = not inside
            lon2, lat2 = lon1, lat1
        return distance(self.center, point) if inside else None


# -- cells


def steps_for(reach: float, lat: float) -> int:
    """How fine cells may be so that a cell and its neighbours cover what reaches this far, most of the time."""
    step = -1
    if reach == 0:
        return STEPS
    while reach < MERCATOR_MAX:
        reach *= 2
        step += 1
    if lat > 66 or lat < -66:  # meridians come together towards the poles
        step -= 1
        if lat > 80 or lat < -80:
            step -= 1
    return min(max(step, 1), STEPS)


def _moved(cell: Cell, east: int, north: int) -> Cell:
    """The neighbour of a cell, over the edges of the map if need be."""
    bits, step = cell
    x, y = bits & LON_BITS, bits & LAT_BITS
    lon_ones, lat_ones = LON_BITS >> (64 - step * 2), LAT_BITS >> (64 - step * 2)
    if east:
        x = (x + lat_ones + 1 if east > 0 else (x | lat_ones) - (lat_ones + 1)) & lon_ones
    if north:
        y = (y + lon_ones + 1 if north > 0 else (y | lon_ones) - (lon_ones + 1)) & lat_ones
    return x | y, step


# The order in which a server visits them: (east, north).
AROUND = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))


def _cells(shape: Circle | Box | Polygon) -> list[Cell]:
    """The cell of the center and those neighbours that the shape may reach into."""
    left, low, right, high = shape.bounds
    lon, lat = shape.center
    if not is_place(lon, lat):  # the center of a polygon around a pole, with which a server finds anything or nothing
        return [(0, 0)]
    step = steps_for(shape.reach, lat)
    cell = (encode(lon, lat, step), step)
    if step > 1 and (
        area(*_moved(cell, 0, 1))[3] < high
        or area(*_moved(cell, 0, -1))[1] > low
        or area(*_moved(cell, 1, 0))[2] < right
        or area(*_moved(cell, -1, 0))[0] > left
    ):
        step -= 1
        cell = (encode(lon, lat, step), step)
    west, south, east, north = area(*cell)
    useless = (
        {(0, west < left, -1), (0, east > right, 1), (1, south < low, -1), (1, north > high, 1)} if step > 1 else set()
    )
    return [
        _moved(cell, *way)
        for way in AROUND
        if not any(needless and way[axis] == side for axis, needless, side in useless)
    ]


def spans(shape: Circle | Box | Polygon) -> Iterator[tuple[int, int]]:
    """The ranges of scores to search in, the upper ends not included, in a server's order."""
    before: Cell | None = None
    for number, cell in enumerate(_cells(shape)):
        if cell == before:  # a huge shape: both neighbours are the same cell
            continue
        bits, step = cell
        shift = 52 - step * 2
        yield bits << shift, (bits + 1) << shift
        before = cell if number else None  # the center itself is not compared with
