"""Whole files and directories exchanged with every real server at hand: see ``matrix``."""

from __future__ import annotations

import pytest

from tests import embedded
from tests.persist.matrix import IMPOSSIBLE, OWN, WAYS, WITH_FIELDS, Side, exchanged, knows, rows
from tests.servers import named_servers

DEFAULT = "redtool's RDB → it"
# What version 9 cannot say of streams; a deleted entry, and how much a group has read.
UNFIT = {"stream: deleted entries", "stream: no entry left", "stream: groups"}
SAME = {(name, way) for name, form in OWN.items() for way in WAYS if form == "0010" and "own" in way}  # as DEFAULT
# What differs little from server to server: one old and the two newest are enough
ALIKE = {(name, way) for name in ("redis7", "redis74", "valkey8") for way in WAYS
         if "without RDB" in way or way.endswith("redtool → it")}  # fmt: skip
LEFT_OUT = IMPOSSIBLE | SAME | ALIKE
PAIRS = [(name, way) for name in sorted(named_servers()) for way in WAYS if (name, way) not in LEFT_OUT]


@pytest.mark.parametrize(("name", "way"), PAIRS)
def test_both_sides_have_the_same(name: str, way: str) -> None:
    found = exchanged(name, way)
    assert found is not None and found.wrong == []
    fields = name in WITH_FIELDS and way != DEFAULT
    unknown = {row[1] for row in rows() if not knows(name, row, fields)}
    assert found.missing == unknown | (UNFIT if OWN[name] == "0009" and "own" in way else set())


def test_the_dataset_has_every_encoding() -> None:
    """As OBJECT ENCODING tells."""
    side = Side(embedded.Client(proto=3, frozen=False).call)
    found = set()
    for db, key, _ in side.fill(rows()):
        side.ask("SELECT", db)
        found.add((side.ask("TYPE", key), side.ask("OBJECT", "ENCODING", key)))
    kinds = {kind: {name for each, name in found if each == kind} for kind, _ in found}
    assert kinds == {
        b"string": {b"int", b"embstr", b"raw"},
        b"list": {b"listpack", b"quicklist"},
        b"hash": {b"listpack", b"listpackex", b"hashtable"},
        b"set": {b"intset", b"listpack", b"hashtable"},
        b"zset": {b"listpack", b"skiplist"},
        b"stream": {b"stream"},
        b"vectorset": {b"raw"},
    }
