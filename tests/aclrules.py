"""Random rules of ACL SETUSER on the embedded engine and on a real server: errors, descriptions and DRYRUN must agree.

    python -m tests.aclrules --count 500 --seed 1 --server valkey

A round makes a user by some commands of random rules; after each, ACL GETUSER and ACL LIST are compared, and at its end
ACL DRYRUN of every line in ``LINES``. Redis 7.0 tells of command rules in another way (it works them out again from
what they allow), so there the descriptions are compared without them, and of DRYRUN only whether it allows.
"""

from __future__ import annotations

import argparse
from random import Random
from typing import Any

from redtool import words
from redtool.commands.categories import CATEGORIES
from redtool.commands.table import find
from redtool.errors import ReplyError
from tests import embedded, servers

LINES = [line for line in """
GET a
GET b1
SET a 1
SET a 1 GET
SET b1 1 EX 5
SETEX a 5 1
MGET a b1 c
MSET a 1 b1 2
DEL a
DEL a b1
UNLINK c
EXISTS a
EXISTS b1 c
STRLEN b1
TYPE a
TOUCH a
INCR a
APPEND b1 x
GETDEL a
GETEX b1
COPY a b1
COPY b1 a DB 2
COPY a a DB 1
RENAME a b1
RENAMENX b1 c
MOVE a 2
EXPIRE a 5
TTL a
PERSIST b1
KEYS *
SCAN 0
DBSIZE
RANDOMKEY
FLUSHALL
FLUSHDB
SWAPDB 0 1
SWAPDB 1 1
SELECT 0
SELECT 1
SELECT x
HSET a f v
HGET b1 f
HLEN b1
HDEL a f
LPUSH a 1
LPOP a
LLEN a
LMOVE a b1 LEFT RIGHT
BLPOP a b1 0
LMPOP 2 a b1 LEFT
LMPOP x a b1 LEFT
SADD a 1
SMEMBERS b1
SMOVE a b1 x
SINTERSTORE c a b1
SINTERCARD 2 a b1
SUNION a b1
ZADD a 1 x
ZRANGE b1 0 -1
ZRANGESTORE a b1 0 -1
ZUNIONSTORE a 2 b1 c
ZUNION 1 a
SORT a
SORT b1 STORE a
SORT_RO b1
GEOADD a 1 1 x
GEORADIUS b1 1 1 1 m STORE a
GEOSEARCHSTORE a b1 FROMMEMBER x BYBOX 1 1 m
PFADD a x
PFMERGE a b1
PFCOUNT b1
SETBIT a 1 1
BITFIELD a GET u8 0
BITFIELD b1 SET u8 0 1
BITOP AND a b1 c
XADD a * f v
XREAD STREAMS a b1 0 0
XREADGROUP GROUP g c STREAMS a 0
XGROUP CREATE a g 0
XINFO STREAM b1
OBJECT ENCODING a
OBJECT HELP
MEMORY USAGE b1
WATCH a b1
MULTI
EXEC
PING
ECHO x
INFO
TIME
CLIENT ID
CLIENT LIST
CLIENT SETNAME x
CLIENT NOSUCH
CONFIG GET x
CONFIG SET a b
CONFIG HELP
ACL WHOAMI
ACL LIST
AUTH x
HELLO
COMMAND
COMMAND COUNT
DEBUG SLEEP 0
DEBUG OBJECT a
SAVE
LASTSAVE
SLOWLOG GET
PUBLISH ch1 x
PUBLISH x x
SPUBLISH ch1 x
SUBSCRIBE ch1
SUBSCRIBE ch1 x
PSUBSCRIBE ch*
PSUBSCRIBE x
SSUBSCRIBE ch2
UNSUBSCRIBE x
PUBSUB CHANNELS
EVAL "return 1" 0
EVAL "return 1" 1 a
EVAL_RO "return 1" 2 a b1
EVALSHA x 1 c
FCALL f 1 a
SCRIPT LOAD x
FUNCTION LIST
DUMP a
RESTORE a 0 x
LOLWUT
WAIT 0 0
ROLE
GET
NOSUCH a
""".splitlines() if line]  # fmt: skip

NEWER = {"WAIT 0 0": "@blocking only since Redis 7.2"}

PATTERNS = ("a", "b*", "c", "*", "a*", "[ab]*", "?", "", "x y")
COMMANDS = ("get", "set", "del", "mget", "copy", "hset", "lpush", "sort", "zadd", "client", "config", "acl", "object",
            "debug", "select", "swapdb", "info", "publish", "subscribe", "ping", "memory", "xgroup", "command",
            "flushall", "eval", "script", "nosuch")  # fmt: skip
SUBCOMMANDS = ("client|id", "client|list", "client|nosuch", "config|get", "config|set", "acl|whoami", "object|encoding",
               "command|count")  # fmt: skip
FIRSTS = ("select|0", "SELECT|1", "debug|sleep", "debug|object", "set|a", "client|id|x", "get|", "select|")
PASSWORDS = (">x", ">y", "<x", "<z", "#" + "a" * 64, "!" + "a" * 64, "#b", "!" + "g" * 64)
KEYSETS = ("~", "%R~", "%W~", "%RW~", "%r~", "%WR~", "%~", "%RR~", "%X~")
DATABASES = ("db=0", "db=1,2", "db=2,0", "alldbs", "resetdbs", "DB=1", "db=", "db=x", "db=1,", "db=-1")
PLAIN = ("allkeys", "resetkeys", "allchannels", "resetchannels", "allcommands", "nocommands", "+@all", "-@all", "on",
         "off", "nopass", "resetpass", "clearselectors", "reset")  # fmt: skip


def rule(rng: Random, databases: bool, inside: bool = False) -> str:
    """One rule, now and then a wrong one."""
    kind = rng.random()
    sign = rng.choice("+-")
    if kind < 0.2:
        return rng.choice(KEYSETS[:4] * 3 + KEYSETS) + rng.choice(PATTERNS[:-2] * 3 + PATTERNS)
    if kind < 0.3:
        return "&" + rng.choice(("ch1", "ch*", "x", "*", "ch 1", ""))
    if kind < 0.45:
        return sign + rng.choice([name for name in COMMANDS if known(name)])
    if kind < 0.53:
        return sign + rng.choice(SUBCOMMANDS)
    if kind < 0.58:
        return sign + rng.choice(FIRSTS)
    if kind < 0.75:
        name = rng.choice((*CATEGORIES, "nosuch"))
        return f"{sign}@{name.upper() if rng.random() < 0.1 else name}"
    if kind < 0.8 and databases:
        return rng.choice(DATABASES)
    if kind < 0.86 and not inside:
        parts = " ".join(rule(rng, databases, True) for _ in range(rng.randrange(4)))
        return f"({parts})" if rng.random() < 0.95 else f"({parts}"
    if kind < 0.9 and not inside:
        return rng.choice(PASSWORDS)
    if kind < 0.92:
        return rng.choice(("foo", "+", "-", "+@", "~", "&", "%", "()", "(", ")", ""))
    return rng.choice(PLAIN) if rng.random() < 0.7 else rng.choice(PLAIN).upper()


def plain(value: Any) -> Any:
    if isinstance(value, ReplyError):
        return f"-{value.message}"
    return [plain(item) for item in value] if isinstance(value, list) else value


def known(line: str) -> bool:
    """Whether redtool has the command of a line."""
    name = line.split()[0].upper()
    return name == "NOSUCH" or find(name.encode()) is not None


def outline(described: Any) -> Any:
    """A reply of ACL GETUSER without what Redis 7.0 tells differently."""
    if not isinstance(described, list):
        return described
    fields = {name: value for name, value in zip(described[::2], described[1::2], strict=True)
              if name not in (b"commands", b"databases")}  # fmt: skip
    if b"sanitize-payload" in fields.get(b"flags", []):  # shown by Redis after ``reset``; the default of all
        fields[b"flags"].remove(b"sanitize-payload")
    fields[b"selectors"] = [outline(selector) for selector in fields.get(b"selectors", [])]
    return fields


class Pair:
    """A store in memory and a real server that are asked the same."""

    def __init__(self, server: servers.RealServer) -> None:
        self.ours, self.theirs = embedded.Client(), server.client()
        self.old = server.name == "redis7"

    def ask(self, *argv: bytes | str) -> tuple[Any, Any]:
        return plain(self.ours.call(*argv)), plain(self.theirs.call(*argv))

    def same(self, history: list[Any], *argv: bytes | str) -> None:
        ours, theirs = self.ask(*argv)
        if self.old and argv[1] == "GETUSER":
            ours, theirs = outline(ours), outline(theirs)
        if self.old and argv[1] == "DRYRUN":
            ours, theirs = verdict(ours), verdict(theirs)
        assert ours == theirs, f"{argv}\n  ours   {ours}\n  theirs {theirs}\n  after  {history}"

    def round(self, rng: Random) -> None:
        """One user's life."""
        self.ask("ACL", "DELUSER", "u")
        history: list[Any] = []
        for _ in range(rng.randint(1, 4)):
            rules = [rule(rng, not self.old) for _ in range(rng.randint(1, 6))]
            history.append(rules)
            self.same(history, "ACL", "SETUSER", "u", *rules)
            self.same(history, "ACL", "GETUSER", "u")
            if not self.old:
                self.same(history, "ACL", "LIST")
        if self.ours.call("ACL", "GETUSER", "u") is None:
            return
        database = rng.choice("00012")
        self.same(history, "SELECT", database)
        for line in filter(known, LINES):
            if self.old and line in NEWER:
                continue
            self.same([database, *history], "ACL", "DRYRUN", "u", *words.split(line.encode()))

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


def verdict(reply: Any) -> Any:
    """Whether DRYRUN allows a line, or what is wrong with it."""
    return reply if isinstance(reply, str) else reply == b"OK"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", default="valkey")
    options = parser.parse_args()
    with servers.running(options.server) as server:
        pair = Pair(server)
        for number in range(options.count):
            pair.round(Random(f"{options.seed} {number}"))
        pair.close()
    print(f"{options.count} users alike on {options.server}")


if __name__ == "__main__":
    main()
