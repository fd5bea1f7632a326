"""Logging in: AUTH and HELLO AUTH, passwords, strangers; who is ended when a user changes; users in scripts."""

from __future__ import annotations

import pytest

from redtool import acl, errors
from redtool.config import Config
from redtool.session import Session
from redtool.store import Store
from tests import embedded
from tests.commands.accounts import BUILTIN, HASH_OF_PW
from tests.commands.conftest import Runner, plain
from tests.served import Served

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


def test_a_store_configured_with_a_password_asks_for_it() -> None:
    server = Served(Store(Config({"requirepass": "pw"})))
    with server.client() as client:
        assert plain(client.call("PING")) == "-NOAUTH Authentication required."
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
