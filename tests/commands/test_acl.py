"""ACL: users and their rules, what is refused to them, and the log of it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from redtool.commands.table import find
from tests import aclrules, embedded, servers
from tests.commands.accounts import BUILTIN, HASH_OF_PW, REAL, cleared
from tests.commands.conftest import Runner

EXEC_DENIED = (
    "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. "
    "This command is no longer allowed for the following reason: "
)


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
    for rule in ("db=-1", "db=2147483648", "DB=99999999999999999999", "db=" + "9" * 5000):
        assert latest(f"ACL SETUSER u {rule}") == f"-ERR Error in ACL SETUSER modifier '{rule}': {why}"


def test_database_rules_are_read_as_a_c_number(latest: Runner) -> None:
    latest.table([
        ("ACL SETUSER u db=+1,007", b"OK"), ('ACL SETUSER v "db= 1,\\t2"', b"OK"), ("ACL SETUSER w db=-0", b"OK"),
        *[(f"ACL SETUSER u '{rule}'", f"-ERR Error in ACL SETUSER modifier '{rule}': Syntax error")
          for rule in ("db=++1", "db=+-1", "db=1_0", "db=1 ", "db=1x", "db=1,,2", "db=-", "db=1,")],
    ])  # fmt: skip
    assert [described(latest, name).split()[4] for name in "uvw"] == [b"db=1,7", b"db=1,2", b"db=0"]


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
        (r'ACL CAT "no\x00such"', "-ERR Unknown category 'no'"),
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
    if find(b"PUBLISH") is not None:
        latest.table([
            ("ACL DRYRUN u PUBLISH c1 x", b"OK"),
            ("ACL DRYRUN u PUBLISH d1 x", channel.format("d1").encode()),
            ("ACL DRYRUN u SUBSCRIBE c1 d1", channel.format("d1").encode()),
            ("ACL DRYRUN u PSUBSCRIBE c*", b"OK"),
            ("ACL DRYRUN u PSUBSCRIBE c1", channel.format("c1").encode()),
            ("ACL DRYRUN u UNSUBSCRIBE d1", b"OK"),
        ])  # fmt: skip


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


# -- random rules


@pytest.mark.parametrize("name", REAL)
def test_random_rules(own: dict[str, servers.RealServer], name: str) -> None:
    pair = aclrules.Pair(cleared(own[name]))
    for number in range(12):
        pair.round(Random(f"suite {number}"))
    pair.close()
