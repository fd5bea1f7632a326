"""Completion without a terminal: a line with a cursor gives candidates; keys and elements come from a store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from redtool.backends.embedded import Embedded, open_store
from redtool.options import Options
from redtool.repl.editor import WordCompleter
from redtool.repl.shell import Shell

DATA = """
SET greeting hi
SET "my key" 1
SET größe 2
SETEX gone 1 x
HSET user:1 name "Ann Lee" city Oslo "zip code" 0150
HSET user:2 name Bob
RPUSH users a b c
SADD tags red green
ZADD board 10 ann 20 bob
SET * star
ACL SETUSER ada on nopass
"""


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    backend = open_store(":memory:")
    for line in DATA.strip().splitlines():
        from redtool.words import split

        backend.execute(*split(line.encode()))
    assert isinstance(backend, Embedded)
    backend.session.db.expires[b"gone"] = 1  # long past, and not yet removed
    shell = Shell(backend, Options())
    shell.prepare()
    yield shell
    backend.close()


def offered(shell: Shell, line: str) -> dict[str, str]:
    """Complete at the ``|`` of the line; gives text -> help."""
    before, _, after = line.partition("|")
    document = Document(before + after, len(before))
    found = WordCompleter(shell, None).get_completions(document, CompleteEvent())  # type: ignore[arg-type]
    return {completion.text: completion.display_meta_text for completion in found}


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        # commands, in the case that is typed
        ("HGETA|", ["HGETALL"]),
        ("hgeta|", ["hgetall"]),
        ("zcar|", ["zcard"]),
        ("GETALL|", ["HGETALL"]),
        ("|", []),
        ("3 inc|", ["incr", "incrby", "incrbyfloat"]),
        ("config |", ["get", "help", "resetstat", "rewrite", "set"]),
        ("CONFIG RE|", ["RESETSTAT", "REWRITE"]),
        ("connec|", ["connect"]),
        # options where they belong, in the case of the command
        ("SET k v |", ["NX", "XX", "IFEQ", "IFNE", "IFDEQ", "IFDNE", "GET", "EX", "PX", "EXAT", "PXAT", "KEEPTTL"]),
        ("set k v p|", ["px", "pxat"]),
        ("SET k v NX |", ["GET", "EX", "PX", "EXAT", "PXAT", "KEEPTTL"]),
        ("SET k v EX |", []),
        ("ZADD board N|", ["NX"]),
        ("ZRANGE board 0 1 W|", ["WITHSCORES"]),
        ("LMOVE a b LEFT |", ["LEFT", "RIGHT"]),
        ("EXPIRE greeting 10 |", ["NX", "XX", "GT", "LT"]),
        # keys of the type that the command takes
        ("GET |", ["*", '"my key"', "greeting", "größe"]),
        ("GET gr|", ["greeting", "größe"]),
        ("GET g|x", ["greeting", "größe"]),
        ("GET my|", ['"my key"']),
        ('GET "my|', ['"my key"']),
        ("GET 'm|", ["'my key'"]),
        ("HGET |", ["user:1", "user:2"]),
        ("LRANGE |", ["users"]),
        ("SMEMBERS |", ["tags"]),
        ("ZADD |", ["board"]),
        ("ZUNION 2 |", ["board", "tags"]),
        ("SORT |", ["board", "tags", "users"]),
        ("TYPE us|", ["user:1", "user:2", "users"]),
        ("DEL user:1 us|", ["user:2", "users"]),
        ("MEMORY USAGE b|", ["board"]),
        ("GET greeting|", []),
        # elements of the key that is typed
        ("HGET user:1 |", ["city", "name", '"zip code"']),
        ("HGET user:1 n|", ["name"]),
        ("HMGET user:1 name |", ["city", '"zip code"']),
        ("HSET user:1 city Bergen n|", ["name"]),
        ("HGET users |", []),
        ("ZREM board |", ["ann", "bob"]),
        ("ZADD board 10 b|", ["bob"]),
        ("SREM tags r|", ["red"]),
        ("SMOVE tags other r|", ["red"]),
        ("LREM users 0 |", ["a", "b", "c"]),
        ("HGET nosuch |", []),
        # what takes one of a few
        ("CONFIG GET maxmemory|", ["maxmemory", "maxmemory-clients", "maxmemory-eviction-tenacity", "maxmemory-policy",
                                   "maxmemory-samples"]),
        ("CONFIG SET appendfsync |", ["always", "everysec", "no"]),
        ("CONFIG SET maxmemory-policy volatile-l|", ["volatile-lfu", "volatile-lru"]),
        ("CONFIG SET appendonly y|", ["yes"]),
        ("SCAN 0 TYPE |", ["string", "list", "set", "zset", "hash", "stream", "vectorset"]),
        ("INFO me|", ["memory"]),
        ("COMMAND INFO hgeta|", ["hgetall"]),
        ("COMMAND LIST FILTERBY ACLCAT ha|", ["hash"]),
        ("ACL GETUSER |", ["ada", "default"]),
        ("AUTH a|", ["ada"]),
        ("ACL SETUSER ada o|", ["on", "off"]),
        ("acl setuser ada on reset|", ["reset", "resetkeys", "resetchannels", "resetdbs", "resetpass"]),
        ("ACL SETUSER ada +@h|", ["+@hash", "+@hyperloglog"]),
        ("ACL SETUSER ada -hgeta|", ["-hgetall"]),
        ("ACL SETUSER ada ~u|", []),
        ("HELP hgeta|", ["hgetall"]),
        ("HELP @so|", ["@sorted_set"]),
        ("HELP CONFIG S|", ["SET"]),
        # where nothing can be said
        ("NOSUCH |", []),
        ("GET a b |", []),
        ("# GET |", []),
        ('GET "a"b|', []),
        ("SET a 1\nHGET user:|", ["user:1", "user:2"]),
    ],
)  # fmt: skip
def test_candidates(shell: Shell, line: str, texts: list[str]) -> None:
    found = list(offered(shell, line))
    assert sorted(found) == sorted(texts)


def test_help_stands_beside_each(shell: Shell) -> None:
    assert offered(shell, "HGETA|")["HGETALL"] == "Give all fields and values"
    assert offered(shell, "SET k v |")["EX"] == "EX seconds"
    assert offered(shell, "TYPE b|")["board"] == "zset"
    assert offered(shell, "HGET user:1 n|")["name"] == "Ann Lee"
    assert offered(shell, "ZREM board a|")["ann"] == "10"


def test_completing_changes_nothing(shell: Shell) -> None:
    backend = shell.store
    assert backend is not None
    store, db = backend.store, backend.session.db
    before = (store.hits, store.misses, store.changes, store.expired, dict(db.access), len(db))
    for line in ("GET |", "HGET user:1 |", "TYPE |"):
        offered(shell, line)
    assert (store.hits, store.misses, store.changes, store.expired, dict(db.access), len(db)) == before
