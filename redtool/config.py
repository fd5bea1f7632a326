"""Configuration parameters: names, kinds and defaults as in redis.conf; values typed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULTS: dict[str, Any] = {
    "appendonly": True,
    "appendfsync": "everysec",
    "appenddirname": "appendonlydir",
    "appendfilename": "appendonly.aof",
    "aof-load-truncated": True,
    "dbfilename": "dump.rdb",
    "databases": 16,
    "maxmemory": 0,
    "maxmemory-policy": "noeviction",
    "hash-max-listpack-entries": 128,
    "hash-max-listpack-value": 64,
    "list-max-listpack-size": -2,
    "set-max-intset-entries": 512,
    "set-max-listpack-entries": 128,
    "set-max-listpack-value": 64,
    "zset-max-listpack-entries": 128,
    "zset-max-listpack-value": 64,
}


class Config(dict[str, "Any"]):
    """Parameter -> typed value: bool for yes/no, int for numbers and sizes (bytes), str otherwise."""

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        super().__init__(DEFAULTS)
        self.update(values or {})
