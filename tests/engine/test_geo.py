"""Geohashes, distances, shapes and the cells that cover them."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from redtool.engine import geo

PALERMO, CATANIA = (13.361389, 38.115556), (15.087269, 37.502669)

HASHES = [
    (PALERMO, 3479099956230698, "sqc8b49rny0"),
    (CATANIA, 3479447370796909, "sqdtr74hyu0"),
    ((0.0, 0.0), 3377699720527872, "7zzzzzzzzz0"),
    ((-180.0, -geo.LAT_MAX), 0, "00bh0hbj200"),
]


@pytest.mark.parametrize(("place", "score", "text"), HASHES)
def test_hash(place: geo.Point, score: int, text: str) -> None:
    assert geo.encode(*place) == score
    lon, lat = geo.decode(float(score))
    assert abs(lon - place[0]) < 1e-5
    assert abs(lat - place[1]) < 1e-5
    assert geo.encode(lon, lat) == score
    assert geo.geohash(float(score))[:4] == text[:4] or place == (0.0, 0.0)


def test_distance() -> None:
    assert geo.distance(PALERMO, CATANIA) == pytest.approx(166274.2, abs=1)
    assert geo.distance(PALERMO, PALERMO) == 0.0
    assert geo.distance((0.0, 0.0), (180.0, 0.0)) == pytest.approx(geo.RADIUS * 3.14159265, rel=1e-6)
    assert geo.distance((5.0, 1.0), (5.0, 2.0)) == geo.lat_distance(1.0, 2.0)


@pytest.mark.parametrize("score", [float("inf"), float("-inf"), -1.0, 2.0**63, 2.0**64, 1.5, 1e300])
def test_any_score_is_some_place(score: float) -> None:
    assert geo.is_place(*geo.decode(score))
    assert len(geo.geohash(score)) == 11


POLYGON = geo.Polygon([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 2.0), (0.0, 10.0)])


@pytest.mark.parametrize(("point", "inside"), [
    ((1.0, 1.0), True),
    ((5.0, 1.0), True),
    ((5.0, 5.0), False),
    ((9.0, 7.0), True),
    ((11.0, 1.0), False),
    ((-1.0, 1.0), False),
])  # fmt: skip
def test_polygon(point: geo.Point, inside: bool) -> None:
    assert (POLYGON.distance(point) is not None) is inside


def test_polygon_around_a_pole_searches_everywhere() -> None:
    polygon = geo.Polygon([(0.0, 80.0), (120.0, 80.0), (-120.0, 80.0)])
    assert not geo.is_place(*polygon.center)
    assert list(geo.spans(polygon)) == [(0, 2**52)]


def shapes(rng: Random) -> geo.Circle | geo.Box | geo.Polygon:
    center = rng.uniform(-180, 180), rng.uniform(-84, 84)
    size = 10 ** rng.uniform(1, 6)
    if rng.random() < 0.3:
        return geo.Circle(center, size)
    if rng.random() < 0.5:
        return geo.Box(center, size, 10 ** rng.uniform(1, 6))
    return geo.Polygon([(rng.uniform(-60, 60), rng.uniform(-60, 60)) for _ in range(rng.randint(3, 8))])


@pytest.mark.parametrize("seed", range(3))
def test_cells_do_not_overlap(seed: int) -> None:
    rng = Random(seed)
    for _ in range(100):
        found = sorted(geo.spans(shapes(rng)))
        assert found
        assert all(low < high for low, high in found)
        assert all(a[1] <= b[0] or a == b for a, b in pairwise(found))


@pytest.mark.parametrize(("reach", "lat", "steps"), [
    (0.0, 0.0, 26), (1.0, 0.0, 24), (1.0, 70.0, 23), (1.0, 81.0, 22),
    (1000.0, 0.0, 14), (5e6, 0.0, 2), (3e7, 0.0, 1), (1e9, 85.0, 1),
])  # fmt: skip
def test_steps(reach: float, lat: float, steps: int) -> None:
    assert geo.steps_for(reach, lat) == steps
