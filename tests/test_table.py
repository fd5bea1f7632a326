"""Every declaration: documented, and true to tests/data/commands.tsv and to a live server's COMMAND DOCS."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from redtool.commands.table import Command, load_all
from tests.servers import RealServer

FACTS = Path(__file__).parent / "data" / "commands.tsv"
# Words of COMMAND INFO that a server derives from the rest of a declaration.
DERIVED = {"movablekeys", "pubsub", "blocking", "no_mandatory_keys"}
# Words of the list that COMMAND INFO does not show.
HIDDEN = {"sentinel", "only_sentinel", "protected", "may_replicate"}
# Flags that we have and the list, read from the sources of 7.0 and Valkey 9, has not: Redis 7.4 and the live
# server's COMMAND INFO have them (tests/commands/test_introspection.py).
ONLY_OURS = {
    name: set(words.split())
    for words, names in {
        "no_multi": ["WATCH"],
        "no_multi allow_busy": ["CLIENT REPLY"],
        "allow_busy": ["SELECT", "CLIENT ID", "CLIENT GETNAME", "CLIENT SETNAME", "CLIENT SETINFO", "CLIENT NO-EVICT",
                       "CLIENT NO-TOUCH", "CLIENT CACHING", "CLIENT GETREDIR"],
        "loading": ["MEMORY MALLOC-STATS", "MEMORY PURGE"],
    }.items()
    for name in names
}  # fmt: skip

# What Valkey took up later or earlier than Redis.
TIMED = "HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT HTTL HPTTL HEXPIRETIME HPEXPIRETIME HPERSIST HGETEX HSETEX"
OTHER_SINCE = {"CLUSTER SLOT-STATS": "8.0.0", **dict.fromkeys(TIMED.split(), "9.0.0"), "HGETDEL": "9.1.0",
               "MSETEX": "9.1.0"}  # fmt: skip


def declared() -> list[Command]:
    """Every command and subcommand that a person can run."""
    found = [each for top in load_all().values() for each in (top, *(top.subs or {}).values())]
    return [each for each in found if each.handler is not None]


def facts() -> dict[str, dict[str, str]]:
    with FACTS.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file, delimiter="\t")}


COMMANDS = declared()
KNOWN = facts()
names = pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)


@names
def test_has_a_summary(command: Command) -> None:
    summary = command.doc.partition("\n")[0]
    assert summary.endswith("."), summary
    assert len(summary) < 80, summary
    assert summary[0].isupper()
    assert summary.split()[0] not in {"The", "A", "An", "How", "What", "Which", "Whether"}, "imperative: Give, Add, …"


@names
def test_has_since_and_complexity(command: Command) -> None:
    assert command.since.count(".") == 2
    assert command.complexity.startswith("O(") or command.complexity.startswith("Depends")


# What is a module's in servers is compared with COMMAND INFO in tests/commands/test_vectors.py.
OWN = [each for each in COMMANDS if each.name in KNOWN and "module" not in each.flags]


@pytest.mark.parametrize("command", OWN, ids=lambda c: c.name)
def test_agrees_with_the_facts(command: Command) -> None:
    """What the list has not (it ends before Valkey's own commands) is compared with COMMAND INFO alone."""
    row = KNOWN[command.name]
    assert command.syntax.arity == int(row["arity"])
    assert command.since == row["since"]
    theirs = {word for word in row["flags"].lower().split(",") if word} - HIDDEN - DERIVED
    assert command.flags - DERIVED - ONLY_OURS.get(command.name, set()) == theirs



@names
def test_since_and_group_are_a_servers(command: Command, valkey: RealServer) -> None:
    """COMMAND INFO is compared in tests/commands/test_introspection.py; since and group stand in COMMAND DOCS."""
    name = command.name.lower().replace(" ", "|")
    with valkey.client(3) as client:
        docs = client.call("COMMAND", "DOCS", name).get(name.encode())
    if docs is None:
        assert "module" in command.flags or KNOWN[command.name]["in_valkey_9.1.2"] != "1"
        return
    since = OTHER_SINCE.get(command.name, command.since)
    assert (since, command.group.replace("_", "-")) == (docs[b"since"].decode(), docs[b"group"].decode())


def test_every_command_of_a_server_is_there(real: RealServer) -> None:
    """Subcommands too; modules aside, of which these servers have none."""
    ours = {each.name for top in load_all().values() for each in (top, *(top.subs or {}).values())}
    theirs = {row[0] for top in real.call("COMMAND") for row in (top, *top[9])}
    assert {name.decode().upper().replace("|", " ") for name in theirs} <= ours
