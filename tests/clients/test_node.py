"""node-redis and ioredis find on redtool's server what they find on a real one: scripts print what each step gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import npm
from tests.served import Served
from tests.servers import RealServer

HERE = Path(__file__).parent

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]


@pytest.mark.parametrize(("script", "words"), [("node_redis.mjs", ("2",)), ("node_redis.mjs", ("3",)),
                                               ("ioredis.mjs", ())], ids=str)  # fmt: skip
def test_a_script_sees_no_difference(script: str, words: tuple[str, ...], served: Served, valkey: RealServer) -> None:
    valkey.flush()
    ours = npm.run(HERE / script, served.socket, *words)
    assert ours == npm.run(HERE / script, valkey.socket, *words)
    assert len(ours) > 20
