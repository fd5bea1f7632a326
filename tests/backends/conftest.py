"""Clusters and masters under sentinels, one of each a test process; a test may leave data, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

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
def kept_trio() -> Iterator[Trio]:
    with sentinels("valkey") as found:
        yield found


@pytest.fixture
def trio(kept_trio: Trio) -> Trio:
    """A master with two replicas and three sentinels, empty."""
    kept_trio.settle()
    kept_trio.master.flush()
    return kept_trio


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


def openssl(directory: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem; server.pem, for localhost and 127.0.0.1; client.pem; other.pem, an authority that signed neither."""
    directory = tmp_path_factory.mktemp("tls")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("ca", "other"):
        openssl(directory, "req", "-x509", *new_key, "-days", "2", "-subj", f"/CN={name}", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign", "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(directory, "req", *new_key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(directory, "x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    return directory
