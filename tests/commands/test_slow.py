"""SLOWLOG, COMMANDLOG and LATENCY: what is noted, in which form, and what is never shown."""

from __future__ import annotations

from typing import Any

import pytest

from redtool.commands.latency import buckets, percentile, picture
from redtool.commands.redact import redacted
from redtool.commands.table import find
from redtool.entries import Entry
from tests.commands.conftest import Runner
from tests.embedded import Client
from tests.served import Served

COUNT = "-ERR count should be greater than or equal to -1"
KIND = "-ERR type should be one of the following: slow, large-request, large-reply"

TABLE: list[tuple[str, Any]] = [
    ("CONFIG SET slowlog-log-slower-than -1 latency-monitor-threshold 0", b"OK"),
    ("SLOWLOG RESET", b"OK"), ("SLOWLOG LEN", 0), ("SLOWLOG GET", []), ("SLOWLOG GET -1", []),
    ("SLOWLOG GET -2", COUNT), ("SLOWLOG GET x", COUNT), ("SLOWLOG GET 99999999999", []),
    ("SLOWLOG nope", "-ERR unknown subcommand 'nope'. Try SLOWLOG HELP."),
    ("COMMANDLOG GET 10 slow", []), ("COMMANDLOG LEN SLOW", 0), ("COMMANDLOG RESET large-request", b"OK"),
    ("COMMANDLOG GET x slow", COUNT), ("COMMANDLOG GET 1 foo", KIND), ("COMMANDLOG LEN foo", KIND),
    ("COMMANDLOG GET 1", "-ERR wrong number of arguments for 'commandlog|get' command"),
    ("LATENCY RESET", 0), ("LATENCY LATEST", []), ("LATENCY HISTORY command", []), ("LATENCY RESET nope", 0),
    ("LATENCY GRAPH command", "-ERR No samples available for event 'command'"),
    ("LATENCY HISTOGRAM nope", []),
    ("CONFIG SET slowlog-log-slower-than 10000", b"OK"),
]  # fmt: skip


def test_table(r: Runner) -> None:
    r.table(TABLE)


def test_slow_log(r: Runner) -> None:
    """Every command at threshold 0, newest first; the length is bounded, long lines are cut."""
    most = r("CONFIG GET slowlog-max-len")[1].decode()
    r("SLOWLOG RESET")
    r("CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 3")
    r("CLIENT SETNAME me")
    r("ECHO " + "x" * 300)
    r("DEL " + " ".join(map(str, range(40))))
    entries = r("SLOWLOG GET 2")
    r(f"CONFIG SET slowlog-log-slower-than 10000 slowlog-max-len {most}")
    r("CLIENT SETNAME ''")
    assert [entry[3] for entry in entries] == [
        [b"DEL", *(b"%d" % i for i in range(30)), b"... (10 more arguments)"],
        [b"ECHO", b"x" * 128 + b"... (172 more bytes)"],
    ]
    assert [entry[5] for entry in entries] == [b"me", b"me"]
    assert entries[0][0] == entries[1][0] + 1
    assert r("SLOWLOG LEN") == 3


def test_large_requests_and_replies(served: Served) -> None:
    with served.client() as client:
        client.call("CONFIG", "SET", "commandlog-request-larger-than", 100, "commandlog-reply-larger-than", 100)
        client.call("SET", "k", "v" * 200)
        client.call("GET", "k")
        [[_, _, size, line, _, _]] = client.call("COMMANDLOG", "GET", -1, "LARGE-REQUEST")
        assert (size, line) == (228, [b"SET", b"k", b"v" * 128 + b"... (72 more bytes)"])
        [[_, _, size, line, _, _]] = client.call("COMMANDLOG", "GET", -1, "LARGE-REPLY")[-1:]
        assert (size, line) == (208, [b"GET", b"k"])


def test_transactions_are_logged_by_their_commands(r: Runner) -> None:
    r("SLOWLOG RESET")
    r("CONFIG SET slowlog-log-slower-than 0")
    r("MULTI")
    r("PING")
    r("EXEC")
    entries = r("SLOWLOG GET 2")
    r("CONFIG SET slowlog-log-slower-than 10000")
    assert [entry[3] for entry in entries] == [[b"PING"], [b"MULTI"]]


def test_latency(r: Runner) -> None:
    r("LATENCY RESET")
    r("CONFIG SET latency-monitor-threshold 1")
    r("SLOWLOG GET")
    assert r("LATENCY HISTORY command") == []


def test_latency_of_a_slow_command() -> None:
    client = Client(frozen=False)
    client.call("CONFIG", "SET", "latency-monitor-threshold", 1)
    client.call("DEBUG", "SLEEP", "0.003")
    client.call("DEBUG", "SLEEP", "0.002")
    [[name, second, last, worst]] = client.call("LATENCY", "LATEST")
    assert name == b"command"
    assert last >= 2
    assert worst >= 3
    assert client.call("LATENCY", "HISTORY", "command")[-1] == [second, last]
    assert client.call("LATENCY", "GRAPH", "command").startswith(b"command - high ")
    assert b"SLOWLOG GET" in client.call("LATENCY", "DOCTOR")
    assert client.call("LATENCY", "RESET", "command", "other") == 1


def test_picture() -> None:
    """A ramp of twelve steps, as a server draws it."""
    samples = [(value, f"{value}s") for value in range(0, 13, 3)]
    assert picture(samples, 12).splitlines() == ["   _#", "  _||", " _|||", "_||||", "     ", "03691", "ssss2", "    s"]


def test_histogram() -> None:
    command = find(b"GET")
    assert command is not None
    entry = Entry(command)
    for took in (300, 900, 3000, 20_000, 33_000, 100_000):
        entry.count(took)
    assert entry.calls == 6
    assert entry.histogram()[:3] == [(0, 1024, 2), (2048, 3072, 1), (16_384, 32_768, 1)]
    assert buckets(entry) == {1: 2, 4: 3, 33: 4, 66: 5, 132: 6}
    assert 16_384 < percentile(entry, 60) < 32_769
    entry.reset()
    assert percentile(entry, 50) == 0.0


def test_loading_the_code_of_a_command_is_not_slow() -> None:
    client = Client(frozen=False)
    client.call("GET", "k")
    entries = client.store.entries
    entry = entries.newest = entries.plain[b"GET"]
    entries.loading_ns = 50_000_000  # as if GET had been the first of its group, on a slow disk
    for logged in (0, 1):
        client.store._long(client.session, entry, (b"GET", b"k"), 55_000_000)
        assert client.call("SLOWLOG", "LEN") == logged


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("AUTH pw", "AUTH (redacted)"),
        ("auth user pw", "auth (redacted) (redacted)"),
        ("HELLO 3 AUTH u p SETNAME n", "HELLO 3 AUTH (redacted) (redacted) SETNAME n"),
        ("CONFIG SET maxmemory 1 requirepass pw", "CONFIG SET maxmemory 1 requirepass (redacted)"),
        ("ACL SETUSER bob >pw", "ACL SETUSER (redacted) (redacted)"),
        ("MIGRATE h 1 k 0 1 AUTH pw", "MIGRATE h 1 k 0 1 AUTH (redacted)"),
        ("MIGRATE h 1 k 0 1 COPY AUTH2 u pw", "MIGRATE h 1 k 0 1 COPY AUTH2 (redacted) (redacted)"),
        ("SET k AUTH", "SET k AUTH"),
    ],
)
def test_passwords_are_not_shown(line: str, shown: str) -> None:
    assert b" ".join(redacted(line.encode().split())).decode() == shown
