"""Users in files: an ACL file, the configuration file, and what a store without users pays for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from redtool import errors
from redtool.config import Config
from redtool.persistence import Persistence
from redtool.repl.secrets import is_secret
from redtool.session import Session
from redtool.store import Store
from tests import servers
from tests.commands.accounts import BUILTIN, HASH_OF_PW, REAL
from tests.commands.conftest import Runner, plain
from tests.test_imports import loaded

WRONG_PASS = "-WRONGPASS invalid username-password pair or user is disabled."

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
def test_acl_load_and_save(tmp_path: Path, name: str) -> None:
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
            expected = plain(server.call("ACL", "LOAD"))
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


def test_odd_names_and_patterns_survive(tmp_path: Path) -> None:
    store = Reopened(tmp_path)
    rules = ("~a'b", '&"', "%R~\\*\xff", "+select|a b", r"""(~"x'y" +select|"c d" +get)""", "(+get ~z)")
    for name in ("", "o'neil", "#hash", "(", "é"):
        assert store("ACL", "SETUSER", name, *rules) == b"OK"
        described = store("ACL", "GETUSER", name)
        assert described[b"keys"] == "~a'b %R~\\*\xff".encode()
        assert described[b"selectors"][0][b"keys"] == b"~x'y"
        assert described[b"selectors"][0][b"commands"] == b"-@all +select|c d +get"
    before = store("ACL", "LIST")
    assert store("CONFIG", "REWRITE") == b"OK"
    assert store("ACL", "LIST") == before
    assert len(before) == 6


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
    ("user\n", "redtool.conf: 'user …': the line should be: user, a name without spaces, rules"),
    ('user "a b" on\n', "the line should be: user, a name without spaces, rules"),
    ('user "a on\n', "redtool.conf"),
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
