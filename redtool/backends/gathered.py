"""What several nodes say of themselves, as one answer: INFO with sums, and maps of one reply a node."""

from __future__ import annotations

from redtool.backends.routing import failed
from redtool.errors import ReplyError
from redtool.resp import Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from redtool.resp import Reply

# Fields of INFO that may be added up; of the others each node's value is shown where they differ.
SUMS = """
connected_clients blocked_clients tracking_clients pubsub_clients watching_clients clients_in_timeout_table
total_watched_keys total_blocking_keys total_blocking_keys_on_nokey used_memory used_memory_rss used_memory_overhead
used_memory_startup used_memory_dataset used_memory_lua used_memory_vm_eval used_memory_scripts_eval
number_of_cached_scripts number_of_functions number_of_libraries used_memory_vm_functions used_memory_vm_total
used_memory_functions used_memory_scripts mem_not_counted_for_evict mem_clients_slaves mem_clients_normal
mem_cluster_links mem_aof_buffer lazyfree_pending_objects lazyfreed_objects rdb_changes_since_last_save
rdb_bgsave_in_progress aof_rewrite_in_progress aof_rewrite_scheduled aof_current_size aof_base_size loading
async_loading total_connections_received total_commands_processed instantaneous_ops_per_sec total_net_input_bytes
total_net_output_bytes instantaneous_input_kbps instantaneous_output_kbps rejected_connections sync_full
sync_partial_ok sync_partial_err expired_keys evicted_keys evicted_clients keyspace_hits keyspace_misses
pubsub_channels pubsub_patterns pubsubshard_channels migrate_cached_sockets tracking_total_keys tracking_total_items
tracking_total_prefixes total_error_replies total_reads_processed total_writes_processed connected_slaves
used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children used_cpu_sys_main_thread
used_cpu_user_main_thread
"""
SUMMED = frozenset(SUMS.split())
PARTS = ("db", "cmdstat_", "errorstat_")  # name=number,name=number,…
RATES = {"avg_ttl": "expires", "usec_per_call": "calls"}  # weighed, not added: by this
HUMAN = "_human"


def by_node(names: Sequence[bytes], replies: Sequence[Reply]) -> Reply:
    """A map of each node's reply; an error when no node has any other."""
    if all(isinstance(reply, ReplyError) for reply in replies):
        return failed(replies)
    return dict(zip(names, replies, strict=True))


def info(names: Sequence[bytes], replies: Sequence[Reply]) -> Reply:
    """One INFO of all nodes' INFO, headed by their names. Sums are of the nodes asked, which are masters."""
    if (error := failed(replies)) is not None:
        return error
    texts = [bytes(reply).decode("utf-8", "surrogateescape") for reply in replies if isinstance(reply, bytes)]
    sections: dict[str, dict[str, list[str]]] = {}
    for text in texts:
        fields: dict[str, list[str]] = {}
        for line in text.splitlines():
            if line[:2] == "# ":
                fields = sections.setdefault(line, {})
            elif ":" in line:
                name, _, value = line.partition(":")
                fields.setdefault(name, []).append(value)
    lines = ["# Nodes", f"nodes:{', '.join(name.decode() for name in names)}"]
    for head, fields in sections.items():
        lines += ["", head, *(f"{name}:{_one(name, values, fields)}" for name, values in fields.items())]
    data = "\r\n".join([*lines, ""]).encode("utf-8", "surrogateescape")
    return Verbatim(data) if isinstance(replies[0], Verbatim) else data


def _one(name: str, values: list[str], fields: dict[str, list[str]]) -> str:
    """The value of one field for all nodes."""
    if name.startswith(PARTS) and all("=" in value for value in values):
        return _parts(values)
    if name in SUMMED:
        return _sum(values)
    if name.endswith(HUMAN) and (counted := name.removesuffix(HUMAN)) in SUMMED and counted in fields:
        return _size(float(_sum(fields[counted])))
    distinct = list(dict.fromkeys(values))
    return distinct[0] if len(distinct) == 1 else ", ".join(values)


def _sum(values: list[str]) -> str:
    try:
        return str(sum(int(value) for value in values))
    except ValueError:
        return f"{sum(float(value) for value in values):.6f}".rstrip("0").rstrip(".")


def _parts(values: list[str]) -> str:
    """Add up name=number lists, and weigh what is an average."""
    rows = [dict(part.partition("=")[::2] for part in value.split(",")) for value in values]
    names = dict.fromkeys(name for row in rows for name in row)
    shown: list[str] = []
    for name in names:
        if name in RATES:
            weights = [float(row.get(RATES[name], 0)) for row in rows]
            total = sum(float(row.get(name, 0)) * weight for row, weight in zip(rows, weights, strict=True))
            mean = total / sum(weights) if sum(weights) else 0.0
            shown.append(f"{name}={mean:.2f}" if name == "usec_per_call" else f"{name}={mean:.0f}")
        else:
            shown.append(f"{name}={_sum([row.get(name, '0') for row in rows])}")
    return ",".join(shown)


def _size(number: float) -> str:
    """Bytes as INFO shows them: 512B, 1.05M."""
    unit = "B"
    for bigger in "KMGTP":
        if number < 1024:
            break
        number, unit = number / 1024, bigger
    return f"{number:.2f}{unit}" if unit != "B" else f"{number:.0f}B"
