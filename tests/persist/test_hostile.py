"""No damaged file gives anything but an error with a place, or more memory than a bound."""

from __future__ import annotations

import pytest

from redtool import errors
from redtool.persist.rdb import load
from tests.persist.datasets import Collected, sample, saved
from tests.persist.hostile import Attempt, aof_sample, as_aof, as_manifest, as_rdb, attack, server_sample
from tests.servers import RealServer

ROUNDS = 60
MANIFEST = b'file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile "a b" seq 2 type i\n'


def test_damaged_dumps_of_servers(real: RealServer) -> None:
    figures = attack(server_sample(real.name), as_rdb, 3 * ROUNDS, 5)
    assert figures["refused"] > ROUNDS


@pytest.mark.parametrize(
    ("data", "attempt"),
    [(saved(sample()), as_rdb), (aof_sample(), as_aof), (MANIFEST, as_manifest)],
    ids=["rdb", "aof", "manifest"],
)
def test_damaged_files_of_ours(data: bytes, attempt: Attempt) -> None:
    figures = attack(data, attempt, ROUNDS, 6)
    assert figures["refused"] > ROUNDS / 4


def test_every_cut_of_a_dump_is_refused() -> None:
    data = saved({0: {b"a": (b"1", None), b"h": (sample()[0][b"hash"][0], 5), b"x": (sample()[0][b"stream"][0], None)}})
    for size in range(len(data)):
        with pytest.raises(errors.CorruptFile):
            load(data[:size], Collected())


def test_every_flipped_bit_of_a_dump_is_refused() -> None:
    data = saved({0: {b"a": (b"1", None), b"z": (sample()[0][b"zset"][0], 5)}})
    for bit in range(len(data) * 8):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(errors.CorruptFile):
            load(bytes(bad), Collected())
