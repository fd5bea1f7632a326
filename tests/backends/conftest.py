"""Clusters and masters under sentinels, one of each a test process; a test may leave data, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from redtool.backends import open_backend
from redtool.backends.cluster import Cluster
from redtool.backends.sentinel import Sentinel
from tests.clusters import LocalCluster, cluster
from tests.sentinels import Trio, sentinels


@pytest.fixture(scope="session")
def valkey_cluster() -> Iterator[LocalCluster]:
    with cluster("valkey", 3, 1) as found:
        yield found


@pytest.fixture(scope="session")
def redis7_cluster(redis7: object) -> Iterator[LocalCluster]:
    with cluster("redis7", 3, 1) as found:
        yield found


@pytest.fixture
def local(valkey_cluster: LocalCluster) -> LocalCluster:
    """A cluster of three masters with a replica each, empty."""
    valkey_cluster.flush()
    return valkey_cluster


@pytest.fixture(scope="session")
def trio() -> Iterator[Trio]:
    """A master with two replicas and three sentinels. One failover they bear; for the next they need ten seconds."""
    with sentinels("valkey") as found:
        yield found


@pytest.fixture
def c(local: LocalCluster) -> Iterator[Cluster]:
    """A client of the cluster."""
    backend = open_backend(local.url)
    assert isinstance(backend, Cluster)
    with backend:
        yield backend


@pytest.fixture
def m(trio: Trio) -> Iterator[Sentinel]:
    """A client of the master."""
    backend = open_backend(trio.url)
    assert isinstance(backend, Sentinel)
    with backend:
        yield backend
