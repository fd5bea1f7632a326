"""The example of every command: HELP shows it, so it runs here, on a fresh store, through a socket, on a real server.

An example is typed at one session of an empty database and shown as redis-cli shows replies to a person; ``…`` in it
stands for what varies.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from redtool import words
from redtool.backends.embedded import open_store
from redtool.commands.table import Command
from redtool.render import plain
from redtool.resp import Decoder
from tests import embedded, servers
from tests.served import Served
from tests.test_table import COMMANDS
from tests.transcripts import same, steps

WIDTH = 76  # HELP indents by two, and nothing is folded on a terminal of 80 columns

# Commands without an example, and why.
WITHOUT: dict[str, str] = {}

# Examples of a store that has files, an ACL file among them.
ON_DISK = {"ACL LOAD", "ACL SAVE", "BGREWRITEAOF", "BGSAVE", "CONFIG REWRITE", "SAVE"}

# Examples that a real server answers otherwise, and why.
OURS = {
    "ACL CAT": "a server gives the commands of a category in the order of its hash table",
    "ACL LOAD": "the server of the tests has no ACL file",
    "ACL SAVE": "the server of the tests has no ACL file",
    "BGREWRITEAOF": "a server puts it off while the BGSAVE before it runs",
    "CLUSTER HELP": "Valkey tells nothing of CLUSTER while there is no cluster",
    "CONFIG REWRITE": "the server of the tests has no configuration file",
    "LATENCY DOCTOR": "the advice is our own",
    "MODULE LIST": "Valkey's Lua is a module",
    "MODULE LOAD": "a server looks for the file; redtool loads no modules",
    "MODULE LOADEX": "a server looks for the file; redtool loads no modules",
    "PSYNC": "redtool serves no replicas",
    "READONLY": "Redis refuses it without a cluster, Valkey 9 does not",
    "READWRITE": "Redis refuses it without a cluster, Valkey 9 does not",
    "SYNC": "redtool serves no replicas",
}

EXAMPLES = [command for command in COMMANDS if command.example]
examples = pytest.mark.parametrize("command", EXAMPLES, ids=lambda c: c.name)


# What makes a server as good as new again, apart from its data.
FRESH = (
    "CONFIG SET maxmemory-policy noeviction maxmemory 0 slowlog-log-slower-than 10000",
    "CONFIG RESETSTAT", "SLOWLOG RESET", "LATENCY RESET", "ACL LOG RESET",
)  # fmt: skip


def ran(client: embedded.Client | servers.Client, typed: str) -> list[str]:
    """Run one line and give the lines that show its replies."""
    argv = words.split(typed.encode())
    decoder = Decoder()
    decoder.feed(client.wire(*argv))
    verbatim = plain.is_verbatim(argv)
    shown = [plain.verbatim(reply) if verbatim and isinstance(reply, bytes) else plain.text(reply)
             for reply in decoder.take()]  # fmt: skip
    return b"".join(shown).decode("utf-8", "backslashreplace").splitlines()


def check(command: Command, client: embedded.Client | servers.Client) -> None:
    for typed, expected in steps("\n".join(command.example), ">"):
        shown = ran(client, typed)
        assert same(shown, expected), "\n".join([f"> {typed}", *shown, "instead of", *expected])


@examples
def test_runs_on_a_fresh_store(command: Command, tmp_path: Path) -> None:
    (tmp_path / "redtool.conf").write_text("aclfile users.acl\n", encoding="utf-8")
    (tmp_path / "users.acl").touch()
    with open_store(tmp_path if command.name in ON_DISK else ":memory:", fork=True) as backend:
        client = embedded.Client(None if backend.persistence is None else backend.store)
        check(command, client)
        client.close()


@pytest.mark.parametrize("command", [each for each in EXAMPLES if each.name not in ON_DISK], ids=lambda c: c.name)
def test_runs_through_a_socket(command: Command, served: Served) -> None:
    with served.client() as client:
        check(command, client)


@pytest.fixture(scope="module")
def server() -> Iterator[servers.RealServer]:
    """A server of these tests' own: an example may configure it."""
    with servers.running("valkey", "--enable-debug-command", "yes", "--enable-module-command", "yes") as running:
        yield running


def common() -> list[Command]:
    """The commands whose examples a real server answers alike, subcommands called HELP aside: the texts are our own."""
    return [each for each in EXAMPLES if each.name not in OURS and not each.name.endswith(" HELP")]


@pytest.mark.parametrize("command", common(), ids=lambda c: c.name)
def test_a_real_server_answers_the_same(command: Command, server: servers.RealServer) -> None:
    server.flush()
    for line in FRESH:
        server.call(*line.split())
    with server.client() as client:
        known = set(client.call("COMMAND", "LIST"))
        typed = [words.split(line.encode())[0].lower() for line, _ in steps("\n".join(command.example), ">")]
        if known.issuperset([*typed, command.name.lower().replace(" ", "|").encode()]):
            check(command, client)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_command_has_one(command: Command) -> None:
    assert bool(command.example) != (command.name in WITHOUT)


def test_the_exceptions_are_commands() -> None:
    assert {*WITHOUT, *OURS} <= {command.name for command in COMMANDS}


@examples
def test_is_short_and_shows_the_command(command: Command) -> None:
    typed = [line for line, _ in steps("\n".join(command.example), ">")]
    assert 1 <= len(typed) <= 4
    assert any(line == command.name or line.startswith(f"{command.name} ") for line in typed)
    assert max(map(len, command.example)) <= WIDTH
