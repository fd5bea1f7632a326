"""INFO: the sections and fields of a real server, with values that are true here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from redtool.backends.embedded import open_store
from tests import embedded, party
from tests.commands.conftest import Runner
from tests.servers import RealServer

USUAL = [b"Server", b"Clients", b"Memory", b"Persistence", b"Stats", b"Replication", b"CPU", b"Modules", b"Errorstats",
         b"Cluster", b"Keyspace"]  # fmt: skip
EVERY = [*USUAL[:8], b"Commandstats", b"Errorstats", b"Latencystats", *USUAL[9:]]


def titles(text: bytes) -> list[bytes]:
    return [line[2:] for line in text.split(b"\r\n") if line.startswith(b"# ")]


def fields(text: bytes) -> dict[str, str]:
    return dict(line.split(":", 1) for line in text.decode().split("\r\n") if ":" in line)


SECTIONS: list[tuple[str, list[bytes]]] = [
    ("INFO", USUAL),
    ("INFO default", USUAL),
    ("INFO all", EVERY),
    ("INFO everything", EVERY),
    ("INFO server", [b"Server"]),
    ("info SERVER Clients", [b"Server", b"Clients"]),
    ("INFO keyspace server keyspace", [b"Server", b"Keyspace"]),
    ("INFO foo", []),
    ("INFO foo keyspace", [b"Keyspace"]),
    ("INFO commandstats", [b"Commandstats"]),
    ("INFO latencystats", [b"Latencystats"]),
    ("INFO default commandstats", [*USUAL[:8], b"Commandstats", *USUAL[8:]]),
]


@pytest.mark.parametrize(("line", "expected"), SECTIONS)
def test_sections(redis7: RealServer, line: str, expected: list[bytes]) -> None:
    assert titles(Runner(embedded.Client())(line)) == expected
    assert titles(redis7.call(*line.split())) == expected


def test_every_field_of_redis_7_is_there_in_its_order(redis7: RealServer) -> None:
    client = embedded.Client()
    for argv in (("SET", "a", "1"), ("LPUSH", "l", "x"), ("GET", "l")):
        client.call(*argv)
        redis7.call(*argv)
    for section in ("server", "clients", "memory", "persistence", "stats", "replication", "cpu", "cluster"):
        mine, other = list(fields(client.call("INFO", section))), list(fields(redis7.call("INFO", section)))
        assert [name for name in other if name not in mine] == [], section
        assert [name for name in mine if name in other] == other, section


# Redis 7.4 has these too; none of the servers here is one.
SINCE_70 = {
    "clients": "pubsub_clients watching_clients total_watched_keys total_blocking_keys total_blocking_keys_on_nokey",
    "memory": "allocator_muzzy mem_overhead_db_hashtable_rehashing",
    "stats": "evicted_scripts expired_subkeys eventloop_cycles eventloop_duration_sum eventloop_duration_cmd_sum "
    "instantaneous_eventloop_cycles_per_sec instantaneous_eventloop_duration_usec acl_access_denied_auth "
    "acl_access_denied_cmd acl_access_denied_key acl_access_denied_channel client_query_buffer_limit_disconnections "
    "client_output_buffer_limit_disconnections",
}


@pytest.mark.parametrize("section", SINCE_70)
def test_fields_that_came_after_7_0(section: str) -> None:
    assert set(SINCE_70[section].split()) <= set(fields(embedded.Client().call("INFO", section)))


def test_reply_is_verbatim(valkey: RealServer) -> None:
    for proto in (2, 3):
        with valkey.client(proto) as server:
            ours = embedded.Client(proto=proto)
            ours.call("SET", "a", "1")
            server.call("FLUSHALL")
            server.call("SET", "a", "1")
            mine, other = ours.wire("INFO", "keyspace"), server.wire("INFO", "keyspace")
            assert mine[:1] == other[:1]
            assert mine.endswith(b"db0:keys=1,expires=0,avg_ttl=0\r\n\r\n")


def test_statistics_are_true(clocked: Runner) -> None:
    clocked.table([("SET a 1 PX 4000", b"OK"), ("GET a", b"1"), ("GET nope", None), ("LPUSH a x", error("WRONGTYPE"))])
    clocked.table([("SET a", error("ERR wrong")), ("NOPE", error("ERR unknown"))])
    facts = fields(clocked("INFO everything"))
    assert (facts["keyspace_hits"], facts["keyspace_misses"]) == ("1", "1")
    assert facts["total_commands_processed"] == "4"
    assert facts["total_error_replies"] == "3"
    assert facts["db0"] == "keys=1,expires=1,avg_ttl=4000"
    assert (facts["errorstat_ERR"], facts["errorstat_WRONGTYPE"]) == ("count=2", "count=1")
    assert facts["cmdstat_get"] == "calls=2,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0"
    assert facts["cmdstat_set"] == "calls=1,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0"
    assert facts["cmdstat_lpush"] == "calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1"
    assert facts["rdb_changes_since_last_save"] == "1"
    clocked.advance(5000)
    clocked("CONFIG GET hz")
    facts = fields(clocked("INFO everything"))
    assert facts["expired_keys"] == "1"
    assert facts["uptime_in_seconds"] == "5"
    assert "cmdstat_config|get" in facts
    assert "db0" not in facts


class error:
    """Equal to an error whose text starts so."""

    def __init__(self, start: str) -> None:
        self.start = "-" + start

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.startswith(self.start)


def test_config_resetstat(clocked: Runner) -> None:
    clocked.table([("SET a 1", b"OK"), ("GET a", b"1"), ("NOPE", error("ERR unknown")), ("CONFIG RESETSTAT", b"OK")])
    facts = fields(clocked("INFO everything"))
    assert (facts["keyspace_hits"], facts["total_error_replies"], facts["expired_keys"]) == ("0", "0", "0")
    assert [name for name in facts if name.startswith(("cmdstat_set", "errorstat_"))] == []


def test_clients_that_watch_and_wait(r: Runner) -> None:
    r("WATCH a b")
    facts = fields(r("INFO clients"))
    assert (facts["watching_clients"], facts["total_watched_keys"], facts["blocked_clients"]) == ("1", "2", "0")


def test_listeners_are_counted(clients: party.Party) -> None:
    for line in ("SUBSCRIBE x y", "PSUBSCRIBE x* y* z*", "SSUBSCRIBE x"):
        party.run(clients, "a", line)
    party.run(clients, "b", "SUBSCRIBE x")
    party.run(clients, "c", "SSUBSCRIBE x")
    (text,) = party.run(clients, "d", "INFO everything")["d"]
    facts = fields(text)
    names = ("pubsub_channels", "pubsub_patterns", "pubsubshard_channels", "pubsub_clients")
    assert [facts[name] for name in names] == ["2", "3", "1", "3"]


def test_memory_follows_the_dataset() -> None:
    r = Runner(embedded.Client())
    assert fields(r("INFO memory"))["used_memory"] == "0"
    r(f"SET k {'x' * 100_000}")
    facts = fields(r("INFO memory"))
    assert 100_000 < int(facts["used_memory"]) < 102_000
    assert int(facts["used_memory"]) == int(facts["used_memory_dataset"]) + int(facts["used_memory_overhead"])
    assert facts["used_memory_human"] == "98.03K" or facts["used_memory_human"].endswith("K")
    assert int(facts["used_memory_rss"]) > 1_000_000
    r("DEL k")
    facts = fields(r("INFO memory"))
    assert int(facts["used_memory_peak"]) > 100_000 > int(facts["used_memory"])


PEOPLE = [(0, "0B"), (1023, "1023B"), (1024, "1.00K"), (1536, "1.50K"), (1 << 20, "1.00M"), (5 << 30, "5.00G"),
          (3 << 40, "3.00T"), (2 << 50, "2.00P")]  # fmt: skip


@pytest.mark.parametrize(("size", "text"), PEOPLE)
def test_sizes_for_people(size: int, text: str) -> None:
    from redtool.commands.info import human

    assert human(size) == text


class Job:
    """Stands in for a rewrite that runs."""

    keys, total, cow, peak, heard = 50, 200, 4096, 8192, 0.0


class Files:
    """Stands in for the files of a store: a save that failed, a rewrite that runs."""

    last_fork_us, forks, lastsave, saved_changes = 123, 2, 1234, 1
    last_save_ok, last_rewrite_ok, stops_writes, rewrite_scheduled = False, True, False, False
    saves, rewrites, rewrites_failed, save_took, rewrite_took, save_cow, rewrite_cow = 3, 2, 0, 1, 4, 77, 88
    task, job, journal, slicing = "", None, True, False

    def cron(self) -> None:
        """Nothing is due."""

    def poll(self) -> None:
        self.task, self.job = "rewrite", Job()

    def running(self, task: str) -> int:
        return 9 if task == self.task else -1


class Journal:
    """Stands in for a journal."""

    size, base_size = 1000, 400
    pending: tuple[Any, ...] = ()

    def append(self, argv: Any, db: int) -> None:
        """Take a command."""


def test_persistence_is_told_by_the_files() -> None:
    client = embedded.Client()
    client.call("MSET", "a", "1", "b", "2", "c", "3")
    client.store.persistence = Files()  # type: ignore[assignment]
    client.store.journal = Journal()  # type: ignore[assignment]
    facts = fields(client.call("INFO", "persistence"))
    expected = {
        "rdb_changes_since_last_save": "2", "rdb_bgsave_in_progress": "0", "rdb_last_save_time": "1234",
        "rdb_last_bgsave_status": "err", "aof_enabled": "1", "aof_rewrite_in_progress": "1",
        "aof_last_bgrewrite_status": "ok", "aof_last_write_status": "ok", "aof_current_size": "1000",
        "aof_base_size": "400", "rdb_saves": "3", "rdb_last_bgsave_time_sec": "1", "aof_rewrites": "2",
        "aof_last_rewrite_time_sec": "4", "aof_rewrites_consecutive_failures": "0", "rdb_last_cow_size": "77",
        "aof_last_cow_size": "88", "current_cow_size": "4096", "current_cow_peak": "8192",
        "current_fork_perc": "25.00", "current_save_keys_processed": "50", "current_save_keys_total": "200",
        "rdb_current_bgsave_time_sec": "-1", "aof_current_rewrite_time_sec": "9",
    }  # fmt: skip
    assert {name: facts[name] for name in expected} == expected
    facts = fields(client.call("INFO", "stats"))
    assert (facts["latest_fork_usec"], facts["total_forks"]) == ("123", "2")
    client.store.refuse_writes("No space left on device")
    assert fields(client.call("INFO", "persistence"))["aof_last_write_status"] == "err"


def test_saves_and_rewrites_are_counted(tmp_path: Path) -> None:
    with open_store(tmp_path, fork=True) as store:
        assert store.persistence is not None
        facts = fields(store.execute("INFO", "persistence"))
        assert (facts["rdb_saves"], facts["rdb_last_bgsave_time_sec"], facts["aof_rewrites"]) == ("0", "-1", "0")
        store.execute("SAVE")
        for command in ("BGSAVE", "BGREWRITEAOF"):
            store.execute(command)
            store.persistence.wait()
        facts = fields(store.execute("INFO", "persistence"))
        assert (facts["rdb_saves"], facts["rdb_last_bgsave_time_sec"], facts["rdb_current_bgsave_time_sec"]) == (
            "2", "0", "-1")  # fmt: skip
        assert (facts["aof_rewrites"], facts["aof_last_rewrite_time_sec"]) == ("1", "0")
        assert fields(store.execute("INFO", "stats"))["total_forks"] == "2"
