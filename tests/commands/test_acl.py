"""ACL, AUTH and HELLO AUTH: users, what they may do, what is refused to them, and the files that keep them.

Users would disturb other tests, so the real servers here are this module's own. ``users`` runs a test on the embedded
store, through a socket, on Valkey and on Redis 7; ``latest`` leaves out Redis 7, whose refusals have other words;
``remote`` leaves out the embedded store, whose sessions need no password.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from redtool import acl, errors
from redtool.config import Config
from redtool.persistence import Persistence
from redtool.repl.secrets import is_secret
from redtool.session import Session
from redtool.store import Store
from tests import aclrules, embedded, servers
from tests.commands.conftest import Runner
from tests.commands.conftest import plain as plain_reply
from tests.served import Loop, Served
from tests.test_imports import loaded

REAL = list(servers.real_servers())
EXEC_DENIED = (
    "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. "
    "This command is no longer allowed for the following reason: "
)
HASH_OF_PW = "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"
BUILTIN = b"user default on nopass ~* &* +@all"


@pytest.fixture(scope="module")
def own() -> Iterator[dict[str, servers.RealServer]]:
    """Real servers of this module, started when first asked for."""
    started: dict[str, Any] = {}

    class Lazy(dict[str, servers.RealServer]):
        def __missing__(self, name: str) -> servers.RealServer:
            started[name] = servers.running(name)
            self[name] = started[name].__enter__()
            return self[name]

    yield Lazy()
    for manager in started.values():
        manager.__exit__(None, None, None)


def cleared(server: servers.RealServer) -> servers.RealServer:
    """A server without users, passwords, refusals or keys; its own connection is new."""
    if server._client is not None:
        server._client.close()
        server._client = None
    server.call("FLUSHALL")
    for name in server.call("ACL", "USERS"):
        if name != b"default":
            server.call("ACL", "DELUSER", name)
    server.call("ACL", "LOG", "RESET")
    return server


@pytest.fixture
def served_store(served_loop: Loop) -> Iterator[Served]:
    server = Served(served_loop)
    yield server
    server.stop()


def runner_on(name: str, request: pytest.FixtureRequest) -> Runner:
    if name == "embedded":
        return Runner(embedded.Client())
    if name == "served":
        server: Served = request.getfixturevalue("served_store")
        return Runner(server.client(), server)
    real = cleared(request.getfixturevalue("own")[name])
    return Runner(real.client(), real)


def yielded(request: pytest.FixtureRequest) -> Iterator[Runner]:
    runner = runner_on(request.param, request)
    yield runner
    if runner.server is not None and not isinstance(runner.server, Served):
        runner("ACL SETUSER default on nopass ~* &* +@all clearselectors")
        runner("CONFIG SET acl-pubsub-default resetchannels")
        runner('CONFIG SET requirepass ""')
    runner.close()


@pytest.fixture(params=["embedded", "served", *REAL])
def users(request: pytest.FixtureRequest) -> Iterator[Runner]:
    yield from yielded(request)


@pytest.fixture(params=["embedded", "served", "valkey"])
def latest(request: pytest.FixtureRequest) -> Iterator[Runner]:
    yield from yielded(request)


@pytest.fixture(params=["served", *REAL])
def remote(request: pytest.FixtureRequest) -> Iterator[Runner]:
    yield from yielded(request)


@pytest.fixture(params=["served", "valkey"])
def latest_remote(request: pytest.FixtureRequest) -> Iterator[Runner]:
    yield from yielded(request)


def described(runner: Runner, name: str = "u") -> bytes:
    """The line of one user in ACL LIST."""
    start = f"user {name} ".encode()
    found: bytes = next(line for line in runner("ACL LIST") if line.startswith(start))
    return found


# -- users and rules


def test_users_come_and_go(users: Runner) -> None:
    users.table([
        ("ACL LIST", [BUILTIN]),
        ("ACL WHOAMI", b"default"),
        ("ACL SETUSER bob", b"OK"),
        ("ACL SETUSER ada on >pw ~* &* +@all", b"OK"),
        ("ACL LIST", [f"user ada on #{HASH_OF_PW} ~* &* +@all".encode(), b"user bob off resetchannels -@all", BUILTIN]),
        ("ACL USERS", [b"ada", b"bob", b"default"]),
        ("ACL GETUSER nobody", None),
        ("ACL DELUSER ada nobody ada", 1),
        ("ACL DELUSER bob default", "-ERR The 'default' user cannot be removed"),
        ("ACL USERS", [b"bob", b"default"]),
        ('ACL SETUSER "a b"', "-ERR Usernames can't contain spaces or null characters"),
        ('ACL SETUSER "a\\x00b"', "-ERR Usernames can't contain spaces or null characters"),
    ])  # fmt: skip


RULES = [
    ("on nopass", b"on nopass resetchannels -@all"),
    ("on >pw >pw", f"on #{HASH_OF_PW} resetchannels -@all".encode()),
    (f"#{HASH_OF_PW} <pw", b"off resetchannels -@all"),
    (f">pw !{HASH_OF_PW}", b"off resetchannels -@all"),
    (">pw nopass", b"off nopass resetchannels -@all"),
    ("nopass >pw resetpass", b"off resetchannels -@all"),
    ("~a* ~b %R~c %W~d %RW~e %r~f", b"off ~a* ~b %R~c %W~d ~e %R~f resetchannels -@all"),
    ("%R~a %W~a ~b ~b", b"off ~a ~b resetchannels -@all"),
    ("~a ~*", b"off ~* resetchannels -@all"),
    ("allkeys resetkeys ~a", b"off ~a resetchannels -@all"),
    ("&a &b &a", b"off resetchannels &a &b -@all"),
    ("&a allchannels", b"off &* -@all"),
    ("allchannels resetchannels &x", b"off resetchannels &x -@all"),
    ("+@all", b"off resetchannels +@all"),
    ("allcommands nocommands", b"off resetchannels -@all"),
    ("+GET +@Read -@WRITE", b"off resetchannels -@all +get +@read -@write"),
    ("+get -get +get", b"off resetchannels -@all +get"),
    ("+@read +get +@read", b"off resetchannels -@all +get +@read"),
    ("+config|get +config|set -config", b"off resetchannels -@all -config"),
    ("+config -config|set", b"off resetchannels -@all +config -config|set"),
    ("+select|0 +SELECT|1 +debug|sleep", b"off resetchannels -@all +select|0 +select|1 +debug|sleep"),
    ("+select|0 +select", b"off resetchannels -@all +select"),
    ("+@all -flushall -@admin +info", b"off resetchannels +@all -flushall -@admin +info"),
    ("+get (+set ~a) (~b &c -@all)", b"off resetchannels -@all +get (~a resetchannels -@all +set) "
                                     b"(~b resetchannels &c -@all)"),
    ("(+get) clearselectors", b"off resetchannels -@all"),
    ("()", b"off resetchannels -@all (resetchannels -@all)"),
    ("( +get ~x )", b"off resetchannels -@all (~x resetchannels -@all +get)"),
    ("on >pw ~a &b +get (+set) reset", b"off resetchannels -@all"),
    ('""', b"off resetchannels -@all"),
    ("db=2,0", b"off resetchannels db=0,2 -@all"),
    ("db=1 db=3", b"off resetchannels db=3 -@all"),
    ("db=1 alldbs", b"off resetchannels -@all"),
    ("resetdbs", b"off resetchannels resetdbs -@all"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "text"), RULES, ids=[rules for rules, _ in RULES])
def test_rules_are_told_as_they_were_given(latest: Runner, rules: str, text: bytes) -> None:
    assert latest(f"ACL SETUSER u {rules}") == b"OK"
    assert described(latest) == b"user u " + text
    # The line makes the same user again.
    assert latest(b"ACL SETUSER v " + text) == b"OK"
    assert described(latest, "v") == b"user v " + text


AFTER_ALL = ("-ERR Error in ACL SETUSER modifier '{}': Adding a pattern after the * pattern (or the '{}' flag) is not "
             "valid and does not have any effect. Try '{}' to start with an empty list of {}")  # fmt: skip
UNKNOWN = "Unknown command or category name in ACL"
HASH = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
REMOVE = "The password you are trying to remove from the user does not exist"
WRONG = [
    *[(rule, rule, UNKNOWN) for rule in ("+nosuch", "-nosuch", "+@nosuch", "-@nosuch", "+", "+client|nosuch",
                                         "+a|b|c", "-client|nosuch", "-select|0", "+@")],
    *[(rule, rule, "Syntax error") for rule in ("foo", "+select|", "+client|", "%X~a", "%~a", "%RR~a", "%Ra", "%",
                                                "db=", "db=x", "(on)", "(>pw)", "(foo)", ")")],
    ("+client|id|x", "+client|id|x", "Allowing first-arg of a subcommand is not supported"),
    ("#zz", "#zz", HASH), ("!zz", "!zz", HASH), ("#" + "A" * 64, "#" + "A" * 64, HASH),
    ("<zz", "<zz", REMOVE), ("!" + "a" * 64, "!" + "a" * 64, REMOVE),
    ('"~a b"', "~a b", "Syntax error"), ('"&a b"', "&a b", "Syntax error"),
    ("(+get ~a) (+nosuch)", "(+nosuch)", UNKNOWN), ("(+get (~a))", "(+get (~a))", "Syntax error"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "shown", "why"), WRONG, ids=[rules for rules, _, _ in WRONG])
def test_a_wrong_rule_changes_nothing(users: Runner, rules: str, shown: str, why: str) -> None:
    users("ACL SETUSER u on +get")
    before = described(users)
    assert users(f"ACL SETUSER u off +set {rules} +del") == f"-ERR Error in ACL SETUSER modifier '{shown}': {why}"
    assert described(users) == before
    users(f"ACL SETUSER w {rules}")
    assert users("ACL GETUSER w") is None


def test_patterns_after_all(users: Runner) -> None:
    keys = AFTER_ALL.format("{}", "allkeys", "resetkeys", "patterns")
    channels = AFTER_ALL.format("{}", "allchannels", "resetchannels", "channels")
    users.table([
        ("ACL SETUSER u ~* ~a", keys.format("~a")),
        ("ACL SETUSER u allkeys %X", keys.format("%X")),
        ("ACL SETUSER u &* &a", channels.format("&a")),
        ("ACL SETUSER u (+get ~a", "-ERR Unmatched parenthesis in acl selector starting at '(+get'."),
        ("ACL SETUSER u +get (", "-ERR Unmatched parenthesis in acl selector starting at '('."),
    ])  # fmt: skip


def test_database_rules_that_are_out_of_range(latest: Runner) -> None:
    why = "The provided database ID is out of range"
    for rule in ("db=-1", "db=2147483648", "DB=99999999999999999999"):
        assert latest(f"ACL SETUSER u {rule}") == f"-ERR Error in ACL SETUSER modifier '{rule}': {why}"


def test_getuser(latest: Runner) -> None:
    latest("ACL SETUSER u on >pw %R~a ~b &c +@read -get db=1 (+set ~x)")
    selector = [b"commands", b"-@all +set", b"keys", b"~x", b"channels", b"", b"databases", b"alldbs"]
    assert latest("ACL GETUSER u") == [
        b"flags", [b"on"], b"passwords", [HASH_OF_PW.encode()], b"commands", b"-@all +@read -get", b"keys", b"%R~a ~b",
        b"channels", b"&c", b"databases", b"db=1", b"selectors", [selector]]  # fmt: skip
    latest("HELLO 3")
    reply = latest("ACL GETUSER default")
    assert sorted(reply.pop(b"flags")) == [b"nopass", b"on"]
    assert reply == {b"passwords": [], b"commands": b"+@all", b"keys": b"~*", b"channels": b"&*",
                     b"databases": b"alldbs", b"selectors": []}  # fmt: skip


def test_categories(users: Runner) -> None:
    assert len(users("ACL CAT")) == 21
    assert b"get" in users("ACL CAT READ")
    users.table([
        ("ACL CAT nosuch", "-ERR Unknown category 'nosuch'"),
        ("ACL CAT a b", "-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."),
    ])  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_every_command_is_in_a_servers_categories(own: dict[str, servers.RealServer], name: str) -> None:
    server, ours = own[name], embedded.Client()
    assert ours.call("ACL", "CAT") == server.call("ACL", "CAT")
    common = set(ours.call("COMMAND", "LIST")) & set(server.call("COMMAND", "LIST"))
    if name == "redis7":
        common.discard(b"wait")  # @blocking only since 7.2
    for category in ours.call("ACL", "CAT"):
        assert set(ours.call("ACL", "CAT", category)) & common == set(server.call("ACL", "CAT", category)) & common


def test_genpass(users: Runner) -> None:
    assert [len(users(f"ACL GENPASS {bits}")) for bits in ("", 1, 4, 5, 128, 4096)] == [64, 1, 1, 2, 32, 1024]
    assert users("ACL GENPASS") != users("ACL GENPASS")
    bits = "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096"
    users.table([
        ("ACL GENPASS 0", bits), ("ACL GENPASS 4097", bits), ("ACL GENPASS -1", bits),
        ("ACL GENPASS x", "-ERR value is not an integer or out of range"),
        ("ACL GENPASS 1 2", "-ERR unknown subcommand or wrong number of arguments for 'GENPASS'. Try ACL HELP."),
    ])  # fmt: skip


# -- what is refused


def no_command(name: str) -> bytes:
    return f"User u has no permissions to run the '{name}' command".encode()


def test_dryrun(latest: Runner) -> None:
    latest("ACL SETUSER u +@all -flushall -client +client|id -select +select|0 %R~r* %W~w* ~k &c* (+zadd ~z)")
    key = "User u has no permissions to access the '{}' key"
    channel = "User u has no permissions to access the '{}' channel"
    latest.table([
        ("ACL DRYRUN u GET r1", b"OK"),
        ("ACL DRYRUN u GET w1", key.format("w1").encode()),
        ("ACL DRYRUN u SET w1 x", b"OK"),
        ("ACL DRYRUN u SET w1 x GET", key.format("w1").encode()),
        ("ACL DRYRUN u SET r1 x", key.format("r1").encode()),
        ("ACL DRYRUN u INCR w1", key.format("w1").encode()),
        ("ACL DRYRUN u MGET r1 k z", key.format("z").encode()),
        ("ACL DRYRUN u COPY r1 w1", b"OK"),
        ("ACL DRYRUN u COPY w1 r1", key.format("w1").encode()),
        ("ACL DRYRUN u EXISTS w1 r1", b"OK"),
        ("ACL DRYRUN u EXISTS x", key.format("x").encode()),
        ("ACL DRYRUN u ZADD z 1 m", b"OK"),
        ("ACL DRYRUN u ZADD y 1 m", key.format("y").encode()),
        ("ACL DRYRUN u LMPOP x r1 LEFT", b"OK"),  # no number, no keys: the command itself will tell
        ("ACL DRYRUN u BITFIELD r1 GET u8 0", b"OK"),
        ("ACL DRYRUN u BITFIELD r1 SET u8 0 1", key.format("r1").encode()),
        ("ACL DRYRUN u FLUSHALL", no_command("flushall")),
        ("ACL DRYRUN u CLIENT ID", b"OK"),
        ("ACL DRYRUN u CLIENT LIST", no_command("client|list")),
        ("ACL DRYRUN u SELECT 0", b"OK"),
        ("ACL DRYRUN u SELECT 1", no_command("select")),
        ("ACL DRYRUN u PING", b"OK"),
        ("ACL DRYRUN u GET", "-ERR wrong number of arguments for 'get' command"),
        ("ACL DRYRUN u CONFIG GET", "-ERR wrong number of arguments for 'config|get' command"),
        ("ACL DRYRUN u NOSUCH a", "-ERR Command 'NOSUCH' not found"),
        ("ACL DRYRUN u CONFIG nosuch", "-ERR Command 'CONFIG' not found"),
        ("ACL DRYRUN nobody GET a", "-ERR User 'nobody' not found"),
    ])  # fmt: skip
    if acl_knows(b"PUBLISH"):
        latest.table([
            ("ACL DRYRUN u PUBLISH c1 x", b"OK"),
            ("ACL DRYRUN u PUBLISH d1 x", channel.format("d1").encode()),
            ("ACL DRYRUN u SUBSCRIBE c1 d1", channel.format("d1").encode()),
            ("ACL DRYRUN u PSUBSCRIBE c*", b"OK"),
            ("ACL DRYRUN u PSUBSCRIBE c1", channel.format("c1").encode()),
            ("ACL DRYRUN u UNSUBSCRIBE d1", b"OK"),
        ])  # fmt: skip


def acl_knows(name: bytes) -> bool:
    from redtool.commands.table import find

    return find(name) is not None


def test_dryrun_of_databases(latest: Runner) -> None:
    latest("ACL SETUSER u +@all ~* db=1")

    def database(which: str) -> bytes:
        return f"User u has no permissions to access database {which}".encode()

    latest.table([
        ("ACL DRYRUN u GET a", database("GET")),
        ("ACL DRYRUN u DBSIZE", database("DBSIZE")),
        ("ACL DRYRUN u SELECT 1", b"OK"),
        ("ACL DRYRUN u SELECT 0", database("0")),
        ("ACL DRYRUN u SELECT x", b"OK"),
        ("ACL DRYRUN u SWAPDB 1 2", database("2")),
        ("ACL DRYRUN u PING", b"OK"),
        ("SELECT 1", b"OK"),
        ("ACL DRYRUN u GET a", b"OK"),
        ("ACL DRYRUN u MOVE a 2", database("2")),
        ("ACL DRYRUN u COPY a b DB 2", database("2")),
        ("ACL DRYRUN u COPY a b DB 1", b"OK"),
        ("ACL DRYRUN u FLUSHDB", b"OK"),
        ("ACL DRYRUN u FLUSHALL", database("FLUSHALL")),
        ("ACL SETUSER u (+get ~x)", b"OK"),
        ("SELECT 0", b"OK"),
        ("ACL DRYRUN u GET a", b"User u has no permissions to access the 'a' key"),
        ("ACL DRYRUN u SET a b", no_command("set")),
    ])  # fmt: skip


def test_refusals(latest: Runner) -> None:
    latest("ACL SETUSER u on >pw +@all -del -acl +acl|whoami ~a* db=0")
    client = latest.other()
    client.table([
        ("AUTH u pw", b"OK"),
        ("ACL WHOAMI", b"u"),
        ("SET a1 x", b"OK"),
        ("SET b1 x", "-NOPERM No permissions to access a key"),
        ("MSET a1 x b1 y", "-NOPERM No permissions to access a key"),
        ("DEL a1", "-NOPERM User u has no permissions to run the 'del' command"),
        ("ACL LIST", "-NOPERM User u has no permissions to run the 'acl|list' command"),
        ("SELECT 1", "-NOPERM No permissions to access database"),
        ("DEL", "-ERR wrong number of arguments for 'del' command"),
        ("NOSUCH x", "-ERR unknown command 'NOSUCH', with args beginning with: 'x' "),
    ])  # fmt: skip
    # A change of the user is noticed at once.
    latest("ACL SETUSER u +del ~b*")
    client.table([("DEL a1 b1", 1), ("SET b1 x", b"OK")])
    latest("ACL SETUSER u -@all")
    client.table([("GET a1", "-NOPERM User u has no permissions to run the 'get' command"), ("AUTH u pw", b"OK")])


def test_refusals_in_a_transaction(latest: Runner) -> None:
    latest("ACL SETUSER u on nopass +@all -del ~a*")
    client = latest.other()
    client.table([
        ("AUTH u x", b"OK"),
        ("MULTI", b"OK"),
        ("DEL a1", "-NOPERM User u has no permissions to run the 'del' command"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("MULTI", b"OK"),
        ("SET a1 1", b"QUEUED"),
        ("GET a2", b"QUEUED"),
        ("INCR a1", b"QUEUED"),
    ])  # fmt: skip
    latest("ACL SETUSER u -set resetkeys ~a1")
    assert client("EXEC") == [EXEC_DENIED + "no permission to execute the command or subcommand",
                              EXEC_DENIED + "no permission to touch the specified keys", 1]  # fmt: skip
    latest("ACL SETUSER u -exec")
    client.table([
        ("MULTI", b"OK"),
        ("EXEC", "-EXECABORT Transaction discarded because of: NOPERM " + no_command("exec").decode()),
        ("DISCARD", "-ERR DISCARD without MULTI"),
    ])  # fmt: skip


def test_commands_that_no_transaction_takes_are_told_so_first(users: Runner) -> None:
    users("ACL SETUSER u on nopass +@all -save")
    client = users.other()
    client("AUTH u x")
    client("MULTI")
    reply = client("SAVE")
    assert reply.startswith("-ERR Command") and reply.endswith("not allowed inside a transaction")


def test_sort_reads_other_keys_only_for_those_who_may_read_all(users: Runner) -> None:
    users("ACL SETUSER u on nopass +@all ~l")
    client = users.other()
    by, get = (f"-ERR {word} option of SORT denied due to insufficient ACL permissions." for word in ("BY", "GET"))
    client.table([
        ("AUTH u x", b"OK"), ("RPUSH l 2 1", 2),
        ("SORT l BY w_*", by), ("SORT l GET #", get), ("SORT_RO l BY w_* GET #", by),
        ("SORT l BY nosort", [b"2", b"1"]),
    ])  # fmt: skip
    users("ACL SETUSER u %R~*")
    client.table([("SORT l BY w_*", [b"1", b"2"]), ("SORT l GET #", [b"1", b"2"])])


# -- the log


def entries(runner: Runner) -> list[dict[bytes, Any]]:
    return [dict(zip(entry[::2], entry[1::2], strict=True)) for entry in runner("ACL LOG 100")]


def test_log(users: Runner) -> None:
    users("ACL SETUSER u on >pw +@all -del -acl ~a*")
    client = users.other()
    for line in ("AUTH u wrong", "AUTH u pw", "GET b", "GET b", "DEL a", "MULTI", "DEL a", "EXEC", "GET b", "GET a"):
        client(line)
    found = entries(users)
    names = (b"count", b"reason", b"context", b"object", b"username")
    assert [tuple(entry[name] for name in names) for entry in found] == [
        (3, b"key", b"toplevel", b"b", b"u"),
        (1, b"command", b"multi", b"del", b"u"),
        (1, b"command", b"toplevel", b"del", b"u"),
        (1, b"auth", b"toplevel", b"AUTH", b"u"),
    ]
    newest = found[0]
    assert newest[b"client-info"].startswith(b"id=")
    assert b" cmd=get user=" in newest[b"client-info"]
    assert float(newest[b"age-seconds"]) < 60
    users.table([
        ("ACL LOG RESET", b"OK"), ("ACL LOG", []), ("ACL LOG -1", []),
        ("ACL LOG x", "-ERR value is not an integer or out of range"),
        ("ACL LOG 1 2", "-ERR unknown subcommand or wrong number of arguments for 'LOG'. Try ACL HELP."),
    ])  # fmt: skip


def test_log_keeps_as_many_as_configured(users: Runner) -> None:
    before = users("CONFIG GET acllog-max-len")[1].decode()
    users("CONFIG SET acllog-max-len 2")
    for name in ("x1", "x2", "x3", "x2"):
        users(f"AUTH {name} y")
    assert [(entry[b"username"], entry[b"count"]) for entry in entries(users)] == [(b"x2", 2), (b"x3", 1)]
    assert len(users("ACL LOG 1")) == 1
    users(f"CONFIG SET acllog-max-len {before}")


def test_log_counts_like_refusals_within_a_minute(clocked: Runner) -> None:
    clocked("AUTH x y")
    clocked.advance(60_000)
    clocked("AUTH x y")
    (entry,) = entries(clocked)
    assert (entry[b"count"], entry[b"timestamp-last-updated"] - entry[b"timestamp-created"]) == (2, 60_000)
    clocked.advance(60_001)
    clocked("AUTH x y")
    clocked.advance(1_500)
    assert [(entry[b"count"], entry[b"entry-id"], entry[b"age-seconds"]) for entry in entries(clocked)] == [
        (1, 1, b"1.5"), (2, 0, b"61.501")]  # fmt: skip


def test_info_counts_refusals(latest: Runner) -> None:
    kinds = ("auth", "cmd", "key", "channel")

    def counts() -> list[int]:
        lines = latest("INFO stats").decode().splitlines()
        shown = {line.partition(":")[0]: line.partition(":")[2] for line in lines}
        return [int(shown[f"acl_access_denied_{kind}"]) for kind in kinds]

    before = counts()
    latest("ACL SETUSER u on nopass +get ~a")
    client = latest.other()
    for line in ("AUTH u x", "GET b", "GET b", "SET a b", "AUTH nobody x"):
        client(line)
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 1, 2, 0]


# -- logging in

WRONG_PASS = "-WRONGPASS invalid username-password pair or user is disabled."
NO_PASSWORD = ("-ERR AUTH <password> called without any password configured for the default user. "
               "Are you sure your configuration is correct?")  # fmt: skip
HELLO_NOAUTH = ("-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH "
                "<user> <pass> option can be used to authenticate the client and select the RESP protocol version at "
                "the same time")  # fmt: skip


def test_auth(users: Runner) -> None:
    users("ACL SETUSER u >pw +@all")
    users.table([
        ("AUTH pw", NO_PASSWORD),
        ("AUTH default anything", b"OK"),
        ("AUTH u pw", WRONG_PASS),  # it is off
        ("ACL SETUSER u on", b"OK"),
        ("AUTH u wrong", WRONG_PASS),
        ("AUTH nobody pw", WRONG_PASS),
        ("AUTH a b c", "-ERR syntax error"),
        ("ACL WHOAMI", b"default"),
        ("AUTH u pw", b"OK"),
        ("ACL WHOAMI", b"u"),
        ("RESET", b"RESET"),
        ("ACL WHOAMI", b"default"),
        ("HELLO 2 AUTH u wrong", WRONG_PASS),
        ("HELLO 2 AUTH u", "-ERR Syntax error in HELLO option 'AUTH'"),
        ("ACL SETUSER u nopass", b"OK"),
        ("AUTH u anything", b"OK"),
    ])  # fmt: skip
    assert isinstance(users("HELLO 2 AUTH default x"), list)
    assert users("ACL WHOAMI") == b"default"


def test_clients_must_log_in(latest_remote: Runner) -> None:
    remote = latest_remote
    remote("CONFIG SET requirepass secret")
    stranger = remote.other()
    stranger.table([
        ("PING", "-NOAUTH Authentication required."),
        ("HELLO", HELLO_NOAUTH),
        ("HELLO 3", HELLO_NOAUTH),
        ("HELLO 2 SETNAME me", HELLO_NOAUTH),
        ("HELLO 9", "-NOPROTO unsupported protocol version"),
        ("AUTH wrong", WRONG_PASS),
        ("AUTH secret", b"OK"),
        ("PING", b"PONG"),
        ("RESET", b"RESET"),
        ("PING", "-NOAUTH Authentication required."),
        ("AUTH default secret", b"OK"),
        ("ACL WHOAMI", b"default"),
    ])  # fmt: skip
    assert remote("PING") == b"PONG"  # who was in stays in


def test_strangers_are_let_in_while_no_password_is_asked(latest_remote: Runner) -> None:
    remote = latest_remote
    remote("CONFIG SET requirepass secret")
    stranger = remote.other()
    assert stranger("PING") == "-NOAUTH Authentication required."
    remote("ACL SETUSER default nopass")
    stranger.table([("PING", b"PONG"), ("HELLO", HELLO_NOAUTH)])
    remote("ACL SETUSER default off")
    stranger.table([("PING", "-NOAUTH Authentication required."), ("AUTH default x", WRONG_PASS)])
    remote("ACL SETUSER default on")


def test_requirepass_is_the_default_users_password(users: Runner) -> None:
    users.table([
        ("CONFIG SET requirepass pw", b"OK"),
        ("ACL LIST", [f"user default on #{HASH_OF_PW} ~* &* +@all".encode()]),
        ("AUTH wrong", WRONG_PASS),
        ("AUTH pw", b"OK"),
        ("ACL SETUSER default >other", b"OK"),
        ("AUTH other", b"OK"),
        ("CONFIG GET requirepass", [b"requirepass", b"pw"]),
        ('CONFIG SET requirepass ""', b"OK"),
        ("ACL LIST", [BUILTIN]),
        ("AUTH pw", NO_PASSWORD),
    ])  # fmt: skip


def test_a_session_in_this_process_needs_no_password() -> None:
    client = Runner(embedded.Client())
    client("CONFIG SET requirepass pw")
    other = client.other()
    other.table([("PING", b"PONG"), ("RESET", b"RESET"), ("PING", b"PONG"), ("ACL WHOAMI", b"default")])
    client("ACL SETUSER default -get")
    assert other("GET a") == "-NOPERM User default has no permissions to run the 'get' command"
    assert client.other()("GET a") == "-NOPERM User default has no permissions to run the 'get' command"


def test_a_store_configured_with_a_password_asks_for_it(served_loop: Loop) -> None:
    server = Served(served_loop, Store(Config({"requirepass": "pw"})))
    with server.client() as client:
        assert plain_reply(client.call("PING")) == "-NOAUTH Authentication required."
        assert client.call("AUTH", "pw") == b"OK"
    server.stop()


def test_clients_of_a_removed_user_are_ended(remote: Runner) -> None:
    remote("ACL SETUSER u on nopass +@all ~*")
    client = remote.other()
    client("AUTH u x")
    assert remote("ACL DELUSER u") == 1
    with pytest.raises((ConnectionError, BrokenPipeError)):
        client("PING")
        client("PING")


def test_a_user_may_remove_itself(remote: Runner) -> None:
    remote("ACL SETUSER u on nopass +@all ~*")
    client = remote.other()
    client("AUTH u x")
    assert client("ACL DELUSER u") == 1
    with pytest.raises((ConnectionError, BrokenPipeError)):
        client("PING")
        client("PING")


def test_who_listens_to_what_the_user_loses_is_ended() -> None:
    client = Runner(embedded.Client())
    client("ACL SETUSER u on nopass +@all &c* &d*")
    store = client.client.store  # type: ignore[union-attr]

    def listener(channels: bytes, patterns: bytes = b"") -> Session:
        session = Session(store)
        store.execute(session, (b"AUTH", b"u", b"x"))
        session.channels = dict.fromkeys(channels.split())
        session.patterns = dict.fromkeys(patterns.split())
        return session

    keeps, loses, pattern = listener(b"c1"), listener(b"c1 d1"), listener(b"", b"d*")
    client("ACL SETUSER u &e*")
    assert not (keeps.ended or loses.ended or pattern.ended)
    client("ACL SETUSER u resetchannels &c*")
    assert (keeps.ended, loses.ended, pattern.ended) == (False, True, True)


def test_new_users_channels_follow_the_configuration(users: Runner) -> None:
    users.table([
        ("CONFIG SET acl-pubsub-default allchannels", b"OK"),
        ("ACL SETUSER u (+get)", b"OK"),
        ("ACL LIST", [BUILTIN, b"user u off &* -@all (&* -@all +get)"]),
        ("ACL SETUSER u resetchannels reset", b"OK"),
        ("CONFIG SET acl-pubsub-default resetchannels", b"OK"),
    ])  # fmt: skip
    assert users("ACL GETUSER u")[8:10] == [b"channels", b"&*"]


# -- scripts and other code


def test_a_script_is_its_callers_user() -> None:
    client = embedded.Client()
    client.call("ACL", "SETUSER", "u", "on", "nopass", "+@all", "-del", "~a*")
    client.call("AUTH", "u", "x")
    script = Session(client.store, client.session)
    for argv, text in [
        ((b"DEL", b"a"), "User u has no permissions to run the 'del' command"),
        ((b"GET", b"b"), "No permissions to access a key"),
    ]:
        with pytest.raises(errors.ReplyError) as caught:
            client.store.execute(script, argv)
        assert caught.value.message == f"ERR ACL failure in script: {text}"
    assert client.store.execute(script, (b"SET", b"a", b"1")) == b"OK"
    client.call("AUTH", "default", "x")
    contexts = [entry[entry.index(b"context") + 1] for entry in client.call("ACL", "LOG")]
    assert contexts == [b"lua", b"lua"]


def test_allowed() -> None:
    client = embedded.Client()
    assert acl.allowed(client.session, (b"FLUSHALL",))
    client.call("ACL", "SETUSER", "u", "on", "nopass", "+get", "~a*")
    client.call("AUTH", "u", "x")
    assert acl.allowed(client.session, (b"get", b"a1"))
    assert acl.allowed(client.session, (b"get",))
    assert not acl.allowed(client.session, (b"get", b"b1"))
    assert not acl.allowed(client.session, (b"config", b"get", b"*"))
    assert client.store.acl is not None
    assert acl.allowed(client.store.acl.users[b"default"], (b"config", b"get", b"*"))
    for argv in ((b"nosuch",), (b"config", b"nosuch")):
        with pytest.raises(errors.ReplyError, match="Invalid command"):
            acl.allowed(client.session, argv)


# -- files

ACL_FILES = [
    b"",
    b"user ada on >pw ~a* +get\nuser default on nopass ~* &* +@all\n",
    b"user ada on +foo +bar #zz ~* ~x +baz\n\n  # c\nuser\nuser \nfoo bar\nuser a a\nuser b on\nuser b off\n",
    b"user x (+get ~a (+set\n",
    b"user x (+get ~a) (+set ~b)\r\n",
    b"user  ada on\n",
    b"  user x  on   +get \t\n",
    b"user \"a b\" on\n",
    b"user a\tb on\n",
    b"USER a on\n",
    b"user a on\tnopass\n",
    b"user a on (+foo)\nuser b (+get\nuser c on\n",
    b"user x on \xff",
    b"user q +select|0 +client|x +client|id|y -@all\n",
    b"user default on nopass ~a +@all\nuser z on nopass +@all",
]


@pytest.mark.parametrize("name", REAL)
def test_acl_load_and_save(tmp_path: Path, served_loop: Loop, name: str) -> None:
    """Each file is loaded as a server does, or refused in its words."""
    theirs, ours = tmp_path / "theirs.acl", tmp_path / "ours"
    ours.mkdir()
    theirs.write_bytes(BUILTIN)
    (ours / "ours.acl").write_bytes(BUILTIN)
    (ours / "redtool.conf").write_text("aclfile ours.acl\n", encoding="utf-8")
    persistence = Persistence.open(str(ours))
    session = Session(persistence.store)

    def own_reply(*argv: bytes) -> Any:
        try:
            return persistence.store.execute(session, argv)
        except errors.ReplyError as error:
            return f"-{error.message}"

    with servers.running(name, "--aclfile", str(theirs)) as server:
        for data in ACL_FILES:
            theirs.write_bytes(data)
            (ours / "ours.acl").write_bytes(data)
            expected = plain_reply(server.call("ACL", "LOAD"))
            reply = own_reply(b"ACL", b"LOAD")
            if isinstance(expected, str):
                expected, reply = (text.replace(str(path), "F") for text, path in
                                   ((expected, theirs), (reply, ours / "ours.acl")))  # fmt: skip
            assert reply == expected, data
            assert own_reply(b"ACL", b"LIST") == server.call("ACL", "LIST"), data
        assert server.call("ACL", "SAVE") == own_reply(b"ACL", b"SAVE") == b"OK"
        assert (ours / "ours.acl").read_bytes() == theirs.read_bytes()
    (ours / "ours.acl").unlink()
    missing = f"-ERR Error loading ACLs, opening file '{ours / 'ours.acl'}': No such file or directory"
    assert own_reply(b"ACL", b"LOAD") == missing
    persistence.close()
    with pytest.raises(errors.StoreError, match="Error loading ACLs"):
        Persistence.open(str(ours))


def test_acl_load_ends_the_clients_of_users_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "u.acl").write_text("user a on nopass +@all\nuser b on nopass +@all\n", encoding="utf-8")
    (tmp_path / "redtool.conf").write_text("aclfile u.acl\n", encoding="utf-8")
    persistence = Persistence.open(str(tmp_path))
    store = persistence.store
    first, second, owner = Session(store), Session(store), Session(store)
    store.execute(first, (b"AUTH", b"a", b"x"))
    store.execute(second, (b"AUTH", b"b", b"x"))
    (tmp_path / "u.acl").write_text("user a on nopass +get ~x\n", encoding="utf-8")
    store.execute(owner, (b"ACL", b"LOAD"))
    assert (first.ended, second.ended) == (False, True)
    with pytest.raises(errors.ReplyError, match="NOPERM User a has no permissions to run the 'set' command"):
        store.execute(first, (b"SET", b"x", b"1"))
    persistence.close()


def test_without_an_acl_file(latest: Runner) -> None:
    text = ("-ERR This instance is not configured to use an ACL file. You may want to specify users via the ACL "
            "SETUSER command and then issue a CONFIG REWRITE (assuming you have a configuration file set) in order "
            "to store users in the configuration.")  # fmt: skip
    latest.table([("ACL LOAD", text), ("ACL SAVE", text)])


class Reopened:
    """A store directory, opened anew for each line."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, *argv: str) -> Any:
        persistence = Persistence.open(str(self.directory))
        try:
            return persistence.store.execute(Session(persistence.store), tuple(word.encode() for word in argv))
        except errors.ReplyError as error:
            return f"-{error.message}"
        finally:
            persistence.close()

    @property
    def conf(self) -> str:
        return (self.directory / "redtool.conf").read_text(encoding="utf-8")


def test_users_survive_in_the_configuration_file(tmp_path: Path) -> None:
    store = Reopened(tmp_path)
    (tmp_path / "redtool.conf").write_text("# mine\nappendfsync always\nuser old on\n# more", encoding="utf-8")
    assert store("ACL", "SETUSER", "ada", "on", ">pw", "~a*", "+get", "(+set ~b)") == b"OK"
    lines = [f"user ada on #{HASH_OF_PW} ~a* resetchannels -@all +get (~b resetchannels -@all +set)", BUILTIN.decode(),
             "user old on resetchannels -@all"]  # fmt: skip
    assert store("ACL", "LIST") == [line.encode() for line in lines]
    assert store.conf == "# mine\nappendfsync always\n" + "\n".join(lines) + "\n# more\n"
    assert store("AUTH", "ada", "pw") == b"OK"
    assert store("AUTH", "ada", "no") == WRONG_PASS
    assert store("CONFIG", "SET", "requirepass", "pw") == b"OK"
    assert f"user default on #{HASH_OF_PW} ~* &* +@all\n" in store.conf
    assert "requirepass pw\n" in store.conf
    assert store("AUTH", "pw") == b"OK"
    assert store("ACL", "DELUSER", "ada", "old") == 2
    assert store("CONFIG", "SET", "requirepass", "") == b"OK"
    assert "user" not in store.conf.replace("requirepass", "")


def test_a_limited_default_user_does_not_stop_the_journal_from_loading(tmp_path: Path) -> None:
    store = Reopened(tmp_path)
    assert store("SET", "k", "v") == b"OK"
    assert store("ACL", "SETUSER", "default", "-@write") == b"OK"
    assert store("SET", "k", "w") == "-NOPERM User default has no permissions to run the 'set' command"
    assert store("GET", "k") == b"v"


@pytest.mark.parametrize(("conf", "why"), [
    ("user ada on +nosuch\n", "redtool.conf: 'user ada …': Unknown command or category name in ACL"),
    ("user ada (+get\n", "redtool.conf: 'user ada …'"),
    ("user ada on\nuser ada off\n", "Duplicate user found"),
    ("user\n", "redtool.conf: 'user …'"),
    ("user ada on\naclfile x.acl\n", "redtool.conf has users and names an ACL file"),
])  # fmt: skip
def test_a_configuration_with_wrong_users(tmp_path: Path, conf: str, why: str) -> None:
    (tmp_path / "redtool.conf").write_text(conf, encoding="utf-8")
    with pytest.raises(errors.StoreError) as caught:
        Persistence.open(str(tmp_path))
    assert why in str(caught.value)


def test_nothing_is_loaded_where_nobody_uses_it(tmp_path: Path) -> None:
    _, modules = loaded(tmp_path, "SET", "k", "v")
    assert not {module for module in modules if module.startswith(("redtool.acl", "redtool.aclfile"))}
    store = Store(Config())
    store.execute(Session(store), (b"AUTH", b"default", b"x"))
    assert (store.acl, store.default_user) == (None, None)


@pytest.mark.parametrize("line", [
    "ACL SETUSER u on >pw", "acl setuser u +get", "AUTH pw", "AUTH u pw", "HELLO 3 AUTH u pw",
    "CONFIG SET requirepass pw", "config set maxmemory 1 requirepass x",
])  # fmt: skip
def test_lines_with_passwords_are_not_kept(line: str) -> None:
    assert is_secret(line)


# -- random rules


@pytest.mark.parametrize("name", REAL)
def test_random_rules(own: dict[str, servers.RealServer], name: str) -> None:
    pair = aclrules.Pair(cleared(own[name]))
    for number in range(12):
        pair.round(Random(f"suite {number}"))
    pair.close()
