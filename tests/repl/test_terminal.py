"""The REPL in a pseudo-terminal, as a person meets it."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.repl.terminal import Terminal
from tests.servers import RealServer, running

Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(*words: str, **environ: str) -> Terminal:
        terminal = Terminal(tmp_path, *words, **environ)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


@pytest.fixture
def terminal(open_terminal: Open) -> Terminal:
    terminal = open_terminal()
    terminal.prompt()
    return terminal


@pytest.fixture
def own_server() -> Iterator[RealServer]:
    """A server whose clients may be killed."""
    with running("valkey") as server:
        yield server


def told(server: RealServer, *words: str) -> None:
    """Run a command over a connection that ends with it."""
    with server.client() as client:
        client.call(*words)


def history_of(home: Path) -> str:
    return (home / ".local/state/redtool/history").read_text()


def test_greeting_and_leaving(terminal: Terminal) -> None:
    assert terminal.screen.lines[0] == "store default: ~/.local/share/redtool/default · HELP for help, Ctrl-D to leave"
    terminal.type("\x04")
    assert terminal.end() == 0


@pytest.mark.parametrize("word", ["EXIT", "quit"])
def test_leaving_by_word(terminal: Terminal, word: str) -> None:
    terminal.type(f"{word}\r")
    assert terminal.end() == 0


def test_a_command_is_completed_in_the_case_that_is_typed(terminal: Terminal) -> None:
    terminal.type("hgeta")
    terminal.wait("Give all fields and values")
    terminal.type("\t")
    terminal.wait(lambda screen: screen.current.startswith("default> hgetall"))


def test_an_option_is_completed_where_it_belongs(terminal: Terminal) -> None:
    terminal.type("SET k v KEE")
    terminal.wait("KEEPTTL")
    terminal.type("\t")
    terminal.wait(lambda screen: screen.current.startswith("default> SET k v KEEPTTL"))


def test_keys_of_the_right_type_and_their_fields_are_completed(terminal: Terminal) -> None:
    terminal.run('HSET user:1 name "Ann Lee" city Oslo')
    terminal.run("RPUSH users a")
    terminal.type("HGET u")
    screen = terminal.wait(lambda screen: any(line.split() == ["user:1", "hash"] for line in screen.lines))
    assert "users  " not in screen.text
    terminal.type("\t")
    terminal.wait(lambda screen: screen.current.startswith("default> HGET user:1"))
    terminal.type(" ci")
    terminal.wait(lambda screen: any(line.split() == ["city", "Oslo"] for line in screen.lines))
    terminal.type("\t\r")
    terminal.wait('"Oslo"')


def test_enter_on_a_completion_takes_it_and_does_not_run_the_line(terminal: Terminal) -> None:
    terminal.run("SET apple 1")
    terminal.run("SET apricot 2")
    terminal.type("GET a")
    terminal.wait(lambda screen: any(line.split() == ["apricot", "string"] for line in screen.lines))
    terminal.type("\x1b[B\x1b[B\r")
    terminal.wait(lambda screen: screen.current.startswith("default> GET apricot"))
    terminal.type("\r")
    terminal.wait('"2"')


def test_the_hint_shows_what_is_still_wanted(terminal: Terminal) -> None:
    terminal.type("ZADD board ")
    screen = terminal.wait("[NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]")
    assert screen.current.startswith("default> ZADD board [NX")
    assert screen.style_of("[NX | XX]").endswith("90")  # grey
    terminal.type("5 ")
    terminal.wait(lambda screen: screen.current == "default> ZADD board 5 member [score member ...]")


def test_the_latest_line_of_the_history_is_suggested_before_the_hint(terminal: Terminal) -> None:
    terminal.run("SET greeting hello")
    terminal.type("SET gr")
    terminal.wait(lambda screen: screen.current == "default> SET greeting hello")
    terminal.type("\x1b[C\r")
    terminal.wait(lambda screen: screen.text.count("OK") == 2)


def test_a_wrong_line_is_marked_before_enter(terminal: Terminal) -> None:
    terminal.type("ZADDD board 1 ann")
    screen = terminal.wait("unknown command 'ZADDD'; did you mean ZADD?")
    assert "31" in screen.style_of("ZADDD board").split(";")
    terminal.type("\x03")
    terminal.wait(lambda screen: screen.current == "default>")
    terminal.type("SET k v EX soon ")
    screen = terminal.wait("EX wants an integer, not 'soon'")
    assert "31" in screen.style_of("soon").split(";")
    assert "31" not in screen.style_of("EX soon").split(";")


def test_a_table_is_drawn(terminal: Terminal) -> None:
    terminal.run("ZADD board 10 ann 20 bob")
    screen = terminal.run("ZRANGE board 0 -1 WITHSCORES")
    row = next(line for line in screen.lines if line.startswith("rank"))
    assert row.split() == ["rank", "member", "score"]
    assert any(line.split()[:3] == ["2", "bob", "20"] for line in screen.lines)


def test_ctrl_c_ends_a_blocked_command_and_not_the_session(terminal: Terminal) -> None:
    terminal.type("BLPOP q 0\r")
    terminal.interrupt()
    terminal.wait(lambda screen: "(interrupted)" in screen.text and screen.current == "default>")
    assert '"x"' in terminal.run("ECHO x").text


def test_ctrl_c_ends_monitor_and_not_the_session(terminal: Terminal) -> None:
    terminal.type("MONITOR\r")
    terminal.wait("listening; Ctrl-C ends it")
    terminal.interrupt()
    terminal.wait(lambda screen: "(interrupted)" in screen.text and screen.current == "default>")
    assert '"x"' in terminal.run("ECHO x").text
    assert "embedded:0" not in terminal.screen.text


def test_ctrl_c_ends_a_subscription_and_not_the_store(terminal: Terminal) -> None:
    terminal.type("SUBSCRIBE news sport\r")
    terminal.wait("listening to news, sport; Ctrl-C ends it")
    terminal.interrupt()
    terminal.wait(lambda screen: "(interrupted)" in screen.text and screen.current == "default>")
    assert "(integer) 0" in terminal.run("PUBLISH news x").text
    terminal.run("CONFIG SET notify-keyspace-events Ex")
    for line in ("MULTI", "PSUBSCRIBE __keyevent@*", "SET k v PX 1"):
        terminal.run(line, "default(MULTI)> ")
    terminal.type("EXEC\r")
    terminal.wait("__keyevent@0__:expired (__keyevent@*)  k")
    terminal.interrupt()
    terminal.wait(lambda screen: screen.text.count("(interrupted)") == 2 and screen.current == "default>")
    assert "(integer) 0" in terminal.run("PUBSUB NUMPAT").text


def test_ctrl_c_clears_the_line(terminal: Terminal) -> None:
    terminal.type("SET half done")
    terminal.wait(lambda screen: "SET half done" in screen.current)
    terminal.type("\x03")
    terminal.wait(lambda screen: screen.current == "default>")
    assert "(integer) 0" in terminal.run("EXISTS half").text


def test_history_is_kept_without_secrets(open_terminal: Open, tmp_path: Path) -> None:
    terminal = open_terminal()
    terminal.prompt()
    terminal.run("SET a 1")
    terminal.run(" SET skipped 1")
    terminal.type("AUTH hunter2")
    screen = terminal.wait(lambda screen: "AUTH *******" in screen.current)
    assert "hunter2" not in screen.text
    terminal.type("\r")
    terminal.wait("(error)")
    terminal.run("ACL SETUSER bob")
    terminal.type("\x04")
    terminal.end()
    assert history_of(tmp_path) == "SET a 1\n"
    assert stat.S_IMODE((tmp_path / ".local/state/redtool/history").stat().st_mode) == 0o600
    again = open_terminal()
    again.prompt()
    again.type("\x1b[A")
    again.wait(lambda screen: screen.current.startswith("default> SET a 1"))


def test_ctrl_r_searches_the_history(terminal: Terminal) -> None:
    terminal.run("SET needle 1")
    terminal.run("SET hay 2")
    terminal.type("\x12need")
    terminal.wait(lambda screen: screen.text.count("default> SET needle 1") == 2)
    terminal.type("\r")
    terminal.wait(lambda screen: screen.current.startswith("default> SET needle 1"))


def test_an_open_quote_goes_on_in_the_next_line(terminal: Terminal) -> None:
    terminal.type('SET poem "first\r')
    terminal.wait(lambda screen: screen.current.strip() == "...")
    terminal.type('second"\r')
    terminal.wait("OK")
    assert '"first\\nsecond"' in terminal.run("GET poem").text


def test_pasted_lines_run_one_by_one(terminal: Terminal) -> None:
    terminal.type("\x1b[200~SET a 1\nINCR a\n# a remark\nGET a\x1b[201~")
    terminal.wait("GET a")
    terminal.type("\r")
    screen = terminal.wait('"2"')
    assert [line for line in screen.lines if line.startswith("> ")] == ["> SET a 1", "> INCR a", "> GET a"]


def test_multi_shows_in_prompt_and_toolbar(terminal: Terminal) -> None:
    terminal.run("MULTI", "default(MULTI)> ")
    terminal.run("INCR n", "default(MULTI)> ")
    terminal.wait("1 queued")
    screen = terminal.run("EXEC")
    assert "1) (integer) 1" in screen.text


def test_the_prompt_and_the_toolbar_tell_the_database_and_the_keys(terminal: Terminal) -> None:
    terminal.run("SELECT 2", "default[2]> ")
    terminal.run("SET a 1", "default[2]> ")
    terminal.wait("default db2 · 1 key · ")


def test_repeats_and_help(terminal: Terminal) -> None:
    assert "(integer) 3" in terminal.run("3 INCR n").text
    assert "Store a string under a key" in terminal.run("HELP SET").text


def test_no_color_is_honoured(open_terminal: Open) -> None:
    terminal = open_terminal(NO_COLOR="1")
    terminal.prompt()
    terminal.type("ZADDD board ")
    terminal.wait("did you mean ZADD?")
    styles = {code for _, style in terminal.screen.cells.values() for code in style.split(";")}
    assert styles <= {"", "0", "1", "2", "3", "4", "7"}
    assert "4" in terminal.screen.style_of("ZADDD board").split(";")  # told without colour: underlined


def test_a_server_is_spoken_to_and_its_loss_survived(open_terminal: Open, own_server: RealServer) -> None:
    told(own_server, "HSET", "user:1", "name", "Ann")
    prompt = f"{own_server.socket}> "
    terminal = open_terminal("-s", str(own_server.socket))
    terminal.prompt(prompt)
    terminal.type("HGET us")
    terminal.wait(lambda screen: any(line.split() == ["user:1", "hash"] for line in screen.lines))
    terminal.type("\t")
    terminal.wait(lambda screen: "HGET user:1" in screen.current)
    terminal.type(" n")
    terminal.wait(lambda screen: any(line.split() == ["name", "Ann"] for line in screen.lines))
    terminal.type("\x03")
    terminal.wait(lambda screen: screen.current == prompt.rstrip())
    terminal.type("SUBSCRIBE news\r")
    terminal.wait("listening to news")
    told(own_server, "PUBLISH", "news", "hello there")
    terminal.wait("news  hello there")
    terminal.interrupt()
    terminal.wait(lambda screen: screen.current == prompt.rstrip() and "(interrupted)" in screen.text)
    told(own_server, "CLIENT", "KILL", "TYPE", "normal")
    assert "Ann" in terminal.run("HGET user:1 name", prompt).text


def test_a_server_that_is_gone_is_told_in_one_line(open_terminal: Open) -> None:
    terminal = open_terminal()
    terminal.prompt()
    screen = terminal.run("CONNECT 127.0.0.1 1")
    assert "(error) cannot connect to 127.0.0.1:1: connection refused" in screen.text
    assert "OK" in terminal.run("SET a 1").text


