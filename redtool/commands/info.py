"""INFO: every section and field of Redis 7.4, with true values where an embedded store has them.

A field whose subject does not exist here (replicas, network, defragmentation) is zero, as on an idle server.
"""

from __future__ import annotations

from redtool import exits
from redtool.commands.connection import SERVER_VERSION
from redtool.commands.memory import Measure
from redtool.commands.roster import waiters
from redtool.commands.table import group
from redtool.resp import Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.engine.keyspace import Keyspace
    from redtool.persistence import Persistence
    from redtool.resp import Reply
    from redtool.session import Session
    from redtool.store import Store

    Fields = dict[str, object]

command = group("server")

SAVE, REWRITE = "save", "rewrite"  # the tasks of ``saving``
SAMPLED_DEADLINES = 1000  # deadlines that avg_ttl looks at


def counted(store: Store, names: str) -> Fields:
    """What a server has counted of its clients; an embedded store has none."""
    return {name: store.counts.get(name, 0) for name in names.split()}


def zeros(names: str) -> Fields:
    """Fields whose subject an embedded store does not have."""
    return dict.fromkeys(names.split(), 0)


def human(size: float) -> str:
    """A size as Redis prints it: 1023B, 1.50K, 2.00M."""
    if size < 1024:
        return f"{int(size)}B"
    for unit in "KMGTP":
        size /= 1024
        if size < 1024 or unit == "P":
            break
    return f"{size:.2f}{unit}"


def server(c: Session) -> Fields:
    import os
    import sys
    from hashlib import sha1

    from redtool import __version__

    store, system = c.store, os.uname()
    uptime = (c.clock.ns - store.started) // 1_000_000_000
    hz = c.config["hz"]
    program = os.path.abspath(sys.argv[0]) if exits.own_process else sys.executable
    return {
        "redis_version": SERVER_VERSION, "redtool_version": __version__, "redis_git_sha1": "00000000",
        "redis_git_dirty": 0, "redis_build_id": 0, "redis_mode": "standalone",
        "os": f"{system.sysname} {system.release} {system.machine}", "arch_bits": 64 if sys.maxsize > 1 << 32 else 32,
        "monotonic_clock": "POSIX clock_gettime", "multiplexing_api": "none", "atomicvar_api": "none",
        "gcc_version": "0.0.0", "python_version": sys.version.split()[0], "process_id": os.getpid(),
        "process_supervised": supervisor(c.config["supervised"]),
        "run_id": sha1(b"%d %d" % (os.getpid(), store.started)).hexdigest(),
        "tcp_port": c.config["port"] or c.config["tls-port"],
        "server_time_usec": c.clock.ns // 1000, "uptime_in_seconds": uptime,
        "uptime_in_days": uptime // 86400, "hz": hz, "configured_hz": hz,
        "lru_clock": c.clock.ns // 1_000_000_000 & 0xFFFFFF, "executable": program,
        "config_file": store.config_path or "", "io_threads_active": 0,
    }  # fmt: skip


def supervisor(mode: str) -> str:
    """What watches over this process, as far as ``supervised`` and the environment tell."""
    from os import environ

    if mode != "auto":
        return mode
    return "systemd" if environ.get("NOTIFY_SOCKET") else "upstart" if environ.get("UPSTART_JOB") else "no"


def clients(c: Session) -> Fields:
    store, waiting = c.store, list(waiters(c))
    databases, sessions = store.databases, store.sessions.values()
    watching = {session.id for db in databases for line in db.watched.values() for session in line}
    return {
        "connected_clients": len(store.sessions), "cluster_connections": 0, "maxclients": c.config["maxclients"],
        **counted(store, "client_recent_max_input_buffer client_recent_max_output_buffer"),
        "blocked_clients": len(waiting),
        "tracking_clients": sum(session.tracking is not None for session in sessions),
        "pubsub_clients": sum(session.listens for session in sessions),
        "watching_clients": len(watching),
        "clients_in_timeout_table": sum(waiter.block.deadline is not None for waiter in waiting),
        "total_watched_keys": sum(len(db.watched) for db in databases),
        "total_blocking_keys": sum(len(db.blocked) for db in databases), "total_blocking_keys_on_nokey": 0,
    }  # fmt: skip


def scripting(c: Session) -> dict[str, Reply]:
    """What INFO's section on memory says of scripts: one interpreter runs scripts and functions alike."""
    known = c.store.scripts
    held = 0 if known is None else known.memory
    functions = 0 if known is None or known.libraries is None else len(known.libraries.functions)
    bodies = 0 if known is None else known.bodies
    libraries = sum(map(len, c.store.functions))
    return {
        "used_memory_lua": held, "used_memory_vm_eval": held, "used_memory_lua_human": human(held),
        "used_memory_scripts_eval": bodies, "number_of_cached_scripts": 0 if known is None else known.count,
        "number_of_functions": functions, "number_of_libraries": len(c.store.functions), "used_memory_vm_functions": 0,
        "used_memory_vm_total": held, "used_memory_vm_total_human": human(held), "used_memory_functions": libraries,
        "used_memory_scripts": bodies + libraries, "used_memory_scripts_human": human(bodies + libraries),
    }


def memory(c: Session) -> Fields:
    from os import sysconf

    m, peak = Measure(c.store), c.store.peak_memory
    total = sysconf("SC_PHYS_PAGES") * sysconf("SC_PAGE_SIZE")
    limit = c.config["maxmemory"]
    return {
        "used_memory": m.used, "used_memory_human": human(m.used), "used_memory_rss": m.rss,
        "used_memory_rss_human": human(m.rss), "used_memory_peak": peak, "used_memory_peak_human": human(peak),
        "used_memory_peak_perc": f"{m.used * 100 / peak if peak else 0:.2f}%", "used_memory_overhead": m.overhead,
        "used_memory_startup": 0, "used_memory_dataset": m.dataset,
        "used_memory_dataset_perc": f"{m.dataset * 100 / m.used if m.used else 0:.2f}%",
        "allocator_allocated": m.used, "allocator_active": m.rss, "allocator_resident": m.rss, "allocator_muzzy": 0,
        "total_system_memory": total, "total_system_memory_human": human(total),
        **scripting(c), "maxmemory": limit, "maxmemory_human": human(limit),
        "maxmemory_policy": c.config["maxmemory-policy"], "allocator_frag_ratio": f"{m.ratio():.2f}",
        "allocator_frag_bytes": m.rss - m.used, "allocator_rss_ratio": "1.00", "allocator_rss_bytes": 0,
        "rss_overhead_ratio": "1.00", "rss_overhead_bytes": 0, "mem_fragmentation_ratio": f"{m.ratio():.2f}",
        "mem_fragmentation_bytes": m.rss - m.used, "mem_not_counted_for_evict": m.journal,
        **zeros("mem_replication_backlog mem_total_replication_buffers mem_clients_slaves mem_clients_normal "
                "mem_cluster_links"),
        "mem_aof_buffer": m.journal, "mem_allocator": "python", "mem_overhead_db_hashtable_rehashing": 0,
        **zeros("active_defrag_running lazyfree_pending_objects lazyfreed_objects"),
    }  # fmt: skip


def persistence(c: Session) -> Fields:
    files, journal = c.store.persistence, c.store.journal
    if files is not None:
        files.poll()
    writable = c.store.guard in ("", "read-only")
    fields: Fields = {
        **zeros("loading async_loading"), **job(files), **snapshots(c.store, files), **rewrites(files),
        "aof_last_write_status": "ok" if writable else "err", "aof_last_cow_size": files.rewrite_cow if files else 0,
        **zeros("module_fork_in_progress module_fork_last_cow_size"),
    }  # fmt: skip
    if journal is not None:
        fields |= {
            "aof_current_size": journal.size, "aof_base_size": journal.base_size, "aof_pending_rewrite": 0,
            "aof_buffer_length": len(journal.pending), "aof_pending_bio_fsync": 0, "aof_delayed_fsync": 0,
        }  # fmt: skip
    return fields


def job(files: Persistence | None) -> Fields:
    """How far the running save or rewrite is, and how much memory it made the system copy."""
    from time import monotonic

    work = files.job if files is not None else None
    if work is None:
        return {**zeros("current_cow_peak current_cow_size current_cow_size_age"), "current_fork_perc": "0.00",
                **zeros("current_save_keys_processed current_save_keys_total")}  # fmt: skip
    return {
        "current_cow_peak": work.peak, "current_cow_size": work.cow,
        "current_cow_size_age": int(monotonic() - work.heard) if work.cow else 0,
        "current_fork_perc": f"{work.keys * 100 / work.total if work.total else 0:.2f}",
        "current_save_keys_processed": work.keys, "current_save_keys_total": work.total,
    }  # fmt: skip


def snapshots(store: Store, files: Persistence | None) -> Fields:
    """What is to be told of dump.rdb."""
    if files is None:
        return {"rdb_changes_since_last_save": store.changes, "rdb_bgsave_in_progress": 0,
                "rdb_last_save_time": store.started // 1_000_000_000, "rdb_last_bgsave_status": "ok",
                "rdb_last_bgsave_time_sec": -1, "rdb_current_bgsave_time_sec": -1,
                **zeros("rdb_saves rdb_last_cow_size rdb_last_load_keys_expired "
                        "rdb_last_load_keys_loaded")}  # fmt: skip
    return {
        "rdb_changes_since_last_save": store.changes - files.saved_changes,
        "rdb_bgsave_in_progress": int(files.task == SAVE), "rdb_last_save_time": files.lastsave,
        "rdb_last_bgsave_status": "ok" if files.last_save_ok else "err",
        "rdb_last_bgsave_time_sec": files.save_took, "rdb_current_bgsave_time_sec": files.running(SAVE),
        "rdb_saves": files.saves, "rdb_last_cow_size": files.save_cow,
        **zeros("rdb_last_load_keys_expired rdb_last_load_keys_loaded"),
    }  # fmt: skip


def rewrites(files: Persistence | None) -> Fields:
    """What is to be told of the journal's rewrites."""
    if files is None:
        return {**zeros("aof_enabled aof_rewrite_in_progress aof_rewrite_scheduled"), "aof_last_rewrite_time_sec": -1,
                "aof_current_rewrite_time_sec": -1, "aof_last_bgrewrite_status": "ok",
                **zeros("aof_rewrites aof_rewrites_consecutive_failures")}  # fmt: skip
    return {
        "aof_enabled": int(files.journal is not None), "aof_rewrite_in_progress": int(files.task == REWRITE),
        "aof_rewrite_scheduled": int(files.rewrite_scheduled), "aof_last_rewrite_time_sec": files.rewrite_took,
        "aof_current_rewrite_time_sec": files.running(REWRITE),
        "aof_last_bgrewrite_status": "ok" if files.last_rewrite_ok else "err",
        "aof_rewrites": files.rewrites, "aof_rewrites_consecutive_failures": files.rewrites_failed,
    }  # fmt: skip


def stats(c: Session) -> Fields:
    store = c.store
    commands, *_ = totals = store.totals()
    began, *before = store.sample
    seconds = max((c.clock.ns - began) / 1e9, 1e-9)
    rates = [max(now - then, 0) / seconds for now, then in zip(totals, before, strict=True)]
    tracking, hub = store.trackers, store.hub
    exceeded, now_exceeded = store.eviction.times() if store.eviction else (0, 0)
    return {
        "total_connections_received": store.sessions_opened - store.sessions_before,
        "total_commands_processed": commands, "instantaneous_ops_per_sec": round(rates[0]),
        "total_net_input_bytes": store.net_in, "total_net_output_bytes": store.net_out,
        **zeros("total_net_repl_input_bytes total_net_repl_output_bytes"),
        "instantaneous_input_kbps": f"{rates[1] / 1024:.2f}", "instantaneous_output_kbps": f"{rates[2] / 1024:.2f}",
        **dict.fromkeys(("instantaneous_input_repl_kbps", "instantaneous_output_repl_kbps"), "0.00"),
        **counted(store, "rejected_connections"), **zeros("sync_full sync_partial_ok sync_partial_err"),
        "expired_subkeys": store.expired_fields, "expired_fields": store.expired_fields,
        "expired_keys": store.expired, "expired_stale_perc": "0.00",
        **zeros("expired_time_cap_reached_count expire_cycle_cpu_milliseconds"), "evicted_keys": store.evicted,
        **counted(store, "evicted_clients"), "evicted_scripts": 0, "total_eviction_exceeded_time": exceeded,
        "current_eviction_exceeded_time": now_exceeded,
        "keyspace_hits": store.hits, "keyspace_misses": store.misses,
        "pubsub_channels": len(hub.channels) if hub else 0, "pubsub_patterns": len(hub.patterns) if hub else 0,
        "pubsubshard_channels": len(hub.shards) if hub else 0,
        "latest_fork_usec": store.persistence.last_fork_us if store.persistence else 0,
        "total_forks": store.persistence.forks if store.persistence else 0,
        **zeros("migrate_cached_sockets slave_expires_tracked_keys active_defrag_hits "
                "active_defrag_misses active_defrag_key_hits active_defrag_key_misses total_active_defrag_time "
                "current_active_defrag_time"),
        "tracking_total_keys": len(tracking.table) if tracking else 0,
        "tracking_total_items": tracking.items if tracking else 0,
        "tracking_total_prefixes": len(tracking.prefixes) if tracking else 0, "unexpected_error_replies": 0,
        "total_error_replies": sum(store.error_codes.values()),
        **zeros("dump_payload_sanitizations total_reads_processed total_writes_processed io_threaded_reads_processed "
                "io_threaded_writes_processed"),
        **counted(store, "client_query_buffer_limit_disconnections client_output_buffer_limit_disconnections"),
        **zeros("reply_buffer_shrinks reply_buffer_expands eventloop_cycles eventloop_duration_sum "
                "eventloop_duration_cmd_sum "
                "instantaneous_eventloop_cycles_per_sec instantaneous_eventloop_duration_usec"),
        **denials(store),
    }  # fmt: skip


def denials(store: Store) -> dict[str, int]:
    """How often users were refused something."""
    denied = store.acl.log.denied if store.acl is not None else {}
    shown = {"auth": "auth", "cmd": "command", "key": "key", "channel": "channel"}
    return {f"acl_access_denied_{name}": denied.get(reason, 0) for name, reason in shown.items()}


def replication(c: Session) -> Fields:
    from hashlib import sha1

    return {
        "role": "master", "connected_slaves": 0, "master_failover_state": "no-failover",
        "master_replid": sha1(b"replication %d" % c.store.started).hexdigest(), "master_replid2": "0" * 40,
        "master_repl_offset": 0, "second_repl_offset": -1, "repl_backlog_active": 0,
        "repl_backlog_size": c.config["repl-backlog-size"],
        **zeros("repl_backlog_first_byte_offset repl_backlog_histlen"),
    }  # fmt: skip


def cpu(c: Session) -> Fields:
    from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

    own, children = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return {
        "used_cpu_sys": f"{own.ru_stime:.6f}", "used_cpu_user": f"{own.ru_utime:.6f}",
        "used_cpu_sys_children": f"{children.ru_stime:.6f}", "used_cpu_user_children": f"{children.ru_utime:.6f}",
        "used_cpu_sys_main_thread": f"{own.ru_stime:.6f}", "used_cpu_user_main_thread": f"{own.ru_utime:.6f}",
    }  # fmt: skip


def nothing(c: Session) -> Fields:
    return {}


def commandstats(c: Session) -> Fields:
    fields: Fields = {}
    for entry in c.store.entries.counted():
        if entry.calls or entry.rejected:
            usec = entry.ns / 1000
            fields["cmdstat_" + entry.command.name.lower().replace(" ", "|")] = (
                f"calls={entry.calls},usec={usec:.0f},usec_per_call={usec / max(entry.calls, 1):.2f},"
                f"rejected_calls={entry.rejected},failed_calls={entry.failed}"
            )
    return fields


def latencystats(c: Session) -> Fields:
    """Percentiles of how long each command takes, in microseconds."""
    from redtool.commands.latency import percentile

    if not c.config["latency-tracking"]:
        return {}
    percents = c.config["latency-tracking-info-percentiles"]
    return {
        "latency_percentiles_usec_" + entry.command.name.lower().replace(" ", "|"): ",".join(
            f"p{percent:g}={percentile(entry, percent) / 1000:.3f}" for percent in percents
        )
        for entry in c.store.entries.counted()
        if entry.calls
    }


def errorstats(c: Session) -> Fields:
    return {f"errorstat_{code}": f"count={count}" for code, count in sorted(c.store.error_codes.items())}


def cluster(c: Session) -> Fields:
    return {"cluster_enabled": 0}


def keyspace(c: Session) -> Fields:
    return {
        f"db{db.index}": f"keys={len(db)},expires={db.expiring},avg_ttl={average_ttl(db, c.now)}"
        for db in c.store.databases
        if len(db)
    }


def average_ttl(db: Keyspace, now: int) -> int:
    """The mean time to live in ms, over a bounded number of deadlines."""
    left = [max(when - now, 0) for when, _ in zip(db.deadlines(), range(SAMPLED_DEADLINES), strict=False)]
    return sum(left) // len(left) if left else 0


SECTIONS: dict[str, Callable[[Session], Fields]] = {
    "Server": server, "Clients": clients, "Memory": memory, "Persistence": persistence, "Stats": stats,
    "Replication": replication, "CPU": cpu, "Modules": nothing, "Commandstats": commandstats,
    "Errorstats": errorstats, "Latencystats": latencystats, "Cluster": cluster, "Keyspace": keyspace,
}  # fmt: skip
ON_REQUEST = frozenset({"commandstats", "latencystats"})


@command("INFO [section [section ...]]", "loading stale")
def info(c: Session, *sections: bytes) -> Reply:
    """Give facts and statistics by section; all but the commands' own without one.

    > SET greeting hello
    OK
    > INFO keyspace
    # Keyspace
    db0:keys=1,expires=0,…
    """
    wanted = {section.decode("utf-8", "replace").lower() for section in sections}
    every = not wanted.isdisjoint({"all", "everything"})
    usual = not wanted or "default" in wanted
    parts = []
    for title, fields in SECTIONS.items():
        name = title.lower()
        if every or name in wanted or (usual and name not in ON_REQUEST):
            lines = [f"# {title}", *(f"{field}:{value}" for field, value in fields(c).items()), ""]
            parts.append("\r\n".join(lines))
    return Verbatim("\r\n".join(parts).encode("utf-8", "surrogateescape"))


def reset_statistics(store: Store) -> None:
    """Set what CONFIG RESETSTAT resets back to zero."""
    for entry in store.entries.counted():
        entry.reset()
    store.hits = store.misses = store.expired = store.expired_fields = store.net_in = store.net_out = 0
    store.evicted = 0
    store.counts.clear()
    if store.eviction is not None:
        store.eviction.over_ns = store.eviction.since = 0
    store.sessions_before = store.sessions_opened
    store.sample = (store.clock.ns, 0, 0, 0)
    store.error_codes.clear()
    if store.persistence is not None:
        store.persistence.reset_statistics()
