"""Programs written for redis-py: on a store of their own process, on redtool's server and on a real one alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio

import redtool
from redtool import redispy
from tests.clients import article
from tests.clients.redispy import STORIES, tasks
from tests.served import Served
from tests.servers import RealServer

# redis-py would have SET, not SETEX; Jedis calls SETEX.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")

STORIES_TOLD = [article.story, *STORIES]


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("story", STORIES_TOLD, ids=lambda story: story.__name__)
def test_a_program_sees_no_difference(
    story: Callable[[Any], Any], proto: int, served: Served, valkey: RealServer
) -> None:
    valkey.flush()
    with redis.Redis(unix_socket_path=valkey.socket, protocol=proto) as client:
        told = story(client)
    with redis.Redis(unix_socket_path=served.socket, protocol=proto) as client:
        assert story(client) == told
    with redispy.redis(":memory:", protocol=proto) as client:
        assert story(client) == told


@pytest.mark.parametrize("proto", [2, 3])
def test_an_asyncio_program_sees_no_difference(proto: int, served: Served, valkey: RealServer) -> None:
    async def told(client: redis.asyncio.Redis) -> list[Any]:
        async with client:
            return await tasks(client)

    valkey.flush()
    expected = asyncio.run(told(redis.asyncio.Redis(unix_socket_path=valkey.socket, protocol=proto)))
    assert asyncio.run(told(redis.asyncio.Redis(unix_socket_path=served.socket, protocol=proto))) == expected
    assert asyncio.run(told(redispy.async_redis(":memory:", protocol=proto))) == expected


def test_pools_of_a_programs_own_share_the_store_of_a_path(tmp_path: Path) -> None:
    place = tmp_path / "store"
    pool = redis.ConnectionPool(connection_class=redispy.StoreConnection, path=place, decode_responses=True)
    one, other = redis.Redis(connection_pool=pool), redis.Redis.from_pool(
        redis.BlockingConnectionPool(connection_class=redispy.StoreConnection, path=str(place), db=1, max_connections=2)
    )
    assert one.set("k", "v")
    assert other.get("k") is None
    other.close()
    assert one.get("k") == "v"
    pool.disconnect()
    with redtool.open(place) as store:  # nobody holds it any more
        assert store.execute("GET", "k") == b"v"


def test_a_store_that_is_open_can_be_used_through_redis_py(tmp_path: Path) -> None:
    with redtool.open(tmp_path / "store") as store:
        with redispy.redis(store) as client:
            client.set("k", "v")
        assert store.execute("GET", "k") == b"v"
        later = redispy.redis(store)
    with pytest.raises(redis.ConnectionError, match="store"):
        later.get("k")


def test_what_is_wrong_with_a_store_is_a_connection_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    with pytest.raises(redis.ConnectionError, match="file"):
        redispy.redis(tmp_path / "file")


def test_a_password_is_asked_for_when_it_is_given() -> None:
    with redtool.open(":memory:") as store:
        store.execute("ACL", "SETUSER", "ann", "on", ">secret", "+get", "~*")
        client = redispy.redis(store, username="ann", password="secret", db=0)
        with client, pytest.raises(redis.exceptions.NoPermissionError):
            client.set("k", "v")
        with pytest.raises(redis.AuthenticationError):
            redispy.redis(store, username="ann", password="wrong")


def test_a_client_that_is_killed_connects_again() -> None:
    with redtool.open(":memory:") as store, redispy.redis(store) as client:
        store.execute("CLIENT", "KILL", "ID", client.client_id())
        assert client.ping()
