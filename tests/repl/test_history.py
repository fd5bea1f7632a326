"""The history file: what enters it, who may read it, what comes back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from redtool.repl.history import LineHistory, history_path, joined
from redtool.repl.secrets import is_secret

SECRETS = [
    "AUTH hunter2", "auth bob hunter2", "  AUTH x", '"AUTH" x', "2 AUTH x", 'AUTH "open', 'AUTH "a"b', "GET a\nAUTH x",
    "ACL SETUSER bob >x", "acl getuser bob", "ACL DELUSER bob",
    "CONFIG SET masterauth x", "CONFIG SET masteruser x", "config set RequirePass x", "CONFIG SET tls-key-file-pass x",
    "CONFIG SET tls-client-key-file-pass x", "CONFIG SET maxmemory 1 requirepass x",
    "HELLO 3 AUTH bob x", "hello 3 setname me auth bob x",
    "MIGRATE h 1 k 0 5 AUTH x", "MIGRATE h 1 '' 0 5 COPY AUTH2 bob x KEYS a",
    "SENTINEL SET m auth-pass x", "SENTINEL SET m auth-user x", "sentinel set m down-after-milliseconds 1 auth-pass x",
    "SENTINEL CONFIG SET sentinel-pass x", "SENTINEL CONFIG SET sentinel-user x",
    "CONNECT redis://:x@host", "CONNECT redis://host?password=x",
]  # fmt: skip
PLAIN = [
    "GET auth", "SET AUTH x", "ACL WHOAMI", "ACL LIST", "CONFIG GET requirepass", "CONFIG SET maxmemory 1", "HELLO 3",
    "HELLO 3 SETNAME auth2", "MIGRATE h 1 k 0 5 COPY", "SENTINEL GET-MASTER-ADDR-BY-NAME m", "SENTINEL SET m quorum 2",
    "HELP AUTH", "CONNECT redis://host/1", "# AUTH is a command", "AUTHORS",
]  # fmt: skip


@pytest.mark.parametrize("line", SECRETS)
def test_secrets_do_not_enter_the_history(line: str, tmp_path: Path) -> None:
    assert is_secret(line)
    history = LineHistory(str(tmp_path / "history"))
    history.append_string(line)
    kept = (tmp_path / "history").read_text() if (tmp_path / "history").exists() else ""
    assert "x" not in kept
    assert all("x" not in text for text in history.get_strings())


@pytest.mark.parametrize("line", PLAIN)
def test_what_is_no_secret_does(line: str) -> None:
    assert not is_secret(line)


def test_blank_comment_and_repeated_lines_are_left_out(tmp_path: Path) -> None:
    history = LineHistory(str(tmp_path / "deep/er/history"))
    for line in ("GET a", "GET a", " GET b", "", "  ", "# note", "GET c", "GET a"):
        history.append_string(line)
    assert (tmp_path / "deep/er/history").read_text() == "GET a\nGET c\nGET a\n"
    assert stat.S_IMODE((tmp_path / "deep/er/history").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "deep/er").stat().st_mode) == 0o700


def test_texts_of_several_lines_come_back_whole(tmp_path: Path) -> None:
    path = str(tmp_path / "history")
    history = LineHistory(path)
    long = 'SET a "x\ny\n\nz"'
    for text in ("GET a", long, "GET b\nGET c", "SET é \udcff"):
        history.append_string(text)
    assert list(LineHistory(path).load_history_strings()) == ["SET é \udcff", "GET c", "GET b", long, "GET a"]


def test_a_foreign_file_with_an_odd_quote_is_read_line_by_line() -> None:
    lines = ["GET a", "SET don't x", *(f"GET {number}" for number in range(300)), ""]
    assert joined(lines) == lines[:-1]


def test_no_file_is_no_error(tmp_path: Path) -> None:
    for path in ("", str(tmp_path), "/proc/none/history"):
        history = LineHistory(path)
        assert list(history.load_history_strings()) == []
        history.append_string("GET a")
        assert history.get_strings() == ["GET a"]


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"HOME": "/h"}, "/h/.local/state/redtool/history"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/s"}, "/s/redtool/history"),
        ({"REDISCLI_HISTFILE": "/r", "XDG_STATE_HOME": "/s"}, "/r"),
        ({"REDTOOL_HISTFILE": "/t", "REDISCLI_HISTFILE": "/r"}, "/t"),
        ({"REDISCLI_HISTFILE": "/dev/null"}, ""),
        ({"REDTOOL_HISTFILE": "/dev/null", "REDISCLI_HISTFILE": "/r"}, ""),
    ],
)
def test_where_the_file_is(environ: dict[str, str], path: str) -> None:
    assert history_path(environ) == path


def test_a_large_file_is_cut_down(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text("".join(f"SET key:{number} {'x' * 100}\n" for number in range(45_000)))
    history = LineHistory(str(path))
    texts = list(history.load_history_strings())
    assert len(texts) == 2000
    assert texts[0].startswith("SET key:44999 ")
    assert path.read_text().count("\n") == 2000
