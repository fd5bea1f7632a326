"""The shell without a line editor: lines in, what is printed out; Ctrl-C where it hurts most."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from redtool.backends.embedded import Embedded, open_store
from redtool.errors import ConnectError
from redtool.options import Options
from redtool.repl.interrupts import Interrupts
from redtool.repl.shell import Leave, Shell

Run = Callable[[str], str]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Interrupts() as interrupts:
        shell = Shell(open_store(tmp_path / "store"), Options(), interrupts)
        yield shell
        shell.backend.close()


@pytest.fixture
def run(shell: Shell, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(text: str) -> str:
        shell.run(text)
        return capfd.readouterr().out

    return run


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("SET a 1", "OK\n"),
        ("GET a", "(nil)\n"),
        ("", ""),
        ("# remark", ""),
        ("3 INCR n", "(integer) 1\n(integer) 2\n(integer) 3\n"),
        ("0 INCR n", ""),
        ("GETT a", "(error) ERR unknown command 'GETT', with args beginning with: 'a' \n"),
        ("GET", "(error) ERR wrong number of arguments for 'get' command\n"),
        ('GET "a"b', '(error) there is text right after a closing ": put a space between\n'),
        ("CONNECT", "(error) CONNECT wants a host and a port, or one address\n"),
        ("HELP nosuchthing", "unknown command 'nosuchthing'\n"),
        ("SET a 1\nGET a", '> SET a 1\nOK\n> GET a\n"1"\n'),
        ("SET a 'b\nc'", "OK\n"),
    ],
)
def test_lines(run: Run, line: str, printed: str) -> None:
    assert run(line) == printed


@pytest.mark.parametrize("line", ["EXIT", "quit", "GET a\nEXIT\nGET b"])
def test_leaving(shell: Shell, line: str) -> None:
    with pytest.raises(Leave):
        shell.run(line)


def test_a_transaction_is_counted_and_shown(shell: Shell, run: Run) -> None:
    assert shell.facts.queued is None
    run("MULTI")
    run("INCR n")
    run("SET a b")
    assert shell.facts.queued == 2
    assert run("EXEC") == "1) (integer) 1\n2) OK\n"
    assert shell.facts.queued is None
    run("MULTI")
    run("DISCARD")
    assert (shell.facts.queued, shell.queued) == (None, [])


def test_connect_changes_the_target_and_keeps_the_old_one_when_it_fails(shell: Shell, run: Run, tmp_path: Path) -> None:
    run("SET here 1")
    assert "(error) cannot connect to" in run("CONNECT 127.0.0.1 1")
    assert run("EXISTS here") == "(integer) 1\n"
    assert run(f"CONNECT {tmp_path}/store") == f"already on {tmp_path}/store\n"
    run(f"CONNECT {tmp_path}/second")
    assert shell.facts.name.endswith("second")
    assert run("EXISTS here") == "(integer) 0\n"
    run(f"CONNECT {tmp_path}/store")  # the lock was let go
    assert run("EXISTS here") == "(integer) 1\n"


def test_a_lost_connection_is_one_line_and_the_next_command_may_bring_it_back(shell: Shell, run: Run) -> None:
    class Lost:
        name, remote, db, in_multi, there = "host:1", True, 0, False, False

        def execute(self, *argv: bytes) -> bytes:
            if not self.there:
                raise ConnectError("connection lost")
            return b"pong"

        def messages(self) -> Iterator[object]:
            return iter(())

        def close(self) -> None: ...

    shell.backend.close()
    lost = Lost()
    shell._adopt(lost)  # type: ignore[arg-type]
    assert run("PING") == "(error) connection lost\n"
    assert not shell.facts.connected
    lost.there = True
    assert run("PING") == '"pong"\n'
    assert shell.facts.connected


@pytest.mark.parametrize(
    ("flag", "printed"), [("json", '["a","b"]\n'), ("csv", '"a","b"\n'), ("raw", "a\nb\n")]
)
def test_a_format_that_the_options_name_is_kept(shell: Shell, run: Run, flag: str, printed: str) -> None:
    run("RPUSH l a b")
    shell.options.flags[flag] = "yes"
    assert run("LRANGE l 0 -1").replace(" ", "") == printed


def test_a_fault_does_not_cost_the_session(shell: Shell, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*argv: bytes) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(shell.backend, "execute", fail)
    assert run("PING") == "(error) a fault in redtool itself: RecursionError: too deep\n"
    monkeypatch.undo()
    assert run("PING") == "PONG\n"


# -- Ctrl-C


def press_during(shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Send SIGINT from the middle of a command of the store."""
    store = shell.store
    assert store is not None
    store.store.execute(store.session, {"APPEND": (b"APPEND", b"w", b"x")}.get(name, (name.encode(), b"w")))
    entry = store.store.entries.plain[name.encode()]
    handler = entry.handler

    def struck(*args: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return handler(*args)

    monkeypatch.setattr(entry, "handler", struck)


def test_ctrl_c_in_a_write_waits_for_its_end(shell: Shell, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    press_during(shell, monkeypatch, "APPEND")
    out = run("5 APPEND a x")
    assert out == "(integer) 1\n\n(interrupted)\n"  # the first was finished, the others not begun
    monkeypatch.undo()
    assert run("GET a") == '"x"\n'
    assert shell.store is not None
    assert run("APPEND a y") == "(integer) 2\n"
    path = shell.store.persistence.directory  # type: ignore[union-attr]
    shell.backend.close()
    again = open_store(path)
    assert again.execute("GET", "a") == b"xy"
    again.close()
    shell._adopt(open_store(path))


def test_ctrl_c_in_the_last_write_says_nothing(shell: Shell, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    press_during(shell, monkeypatch, "APPEND")
    assert run("APPEND a x") == "(integer) 1\n"


def test_ctrl_c_ends_a_command_that_only_reads(shell: Shell, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    press_during(shell, monkeypatch, "STRLEN")
    assert run("STRLEN a") == "\n(interrupted)\n"
    monkeypatch.undo()
    assert run("SET a 1") == "OK\n"
    assert shell.store is not None
    assert shell.store.store.depth == 0


def test_ctrl_c_ends_a_wait_and_the_paste(shell: Shell, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    store = shell.store
    assert isinstance(store, Embedded)
    until = store._until

    def struck(event: object, deadline: int | None) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        until(event, deadline)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_until", struck)
    assert run("BLPOP q 0\nSET a 1") == "> BLPOP q 0\n\n(interrupted)\n"
    assert store.session.db.blocked == {}
    assert run("EXISTS a") == "(integer) 0\n"
    run("RPUSH q x")
    monkeypatch.undo()
    assert run("BLPOP q 0").splitlines()[-1].split() == ["q", "x"]


def test_ctrl_c_counts_from_enter_on(shell: Shell, run: Run) -> None:
    shell.interrupts.deaf = True
    os.kill(os.getpid(), signal.SIGINT)
    shell.interrupts.deaf = False
    assert run("SET a 1") == "OK\n"
    os.kill(os.getpid(), signal.SIGINT)
    assert run("BLPOP q 0") == "\n(interrupted)\n"
