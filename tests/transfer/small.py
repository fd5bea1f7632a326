"""A key of each type, as commands."""

from __future__ import annotations

SCRIPT = """SET text hello
SET n 1
HSET hash a 1 b 2
RPUSH list x y z
SADD set a b c
ZADD zset 1 a 2.5 b
XADD stream 1-1 f v
XGROUP CREATE stream readers 0
XREADGROUP GROUP readers alice STREAMS stream >
SET session token PXAT 4102444800123"""
