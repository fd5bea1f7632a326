"""Configuration: every parameter against real servers, the file kept as it was written, all or nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from redtool import errors
from redtool.config import DEFAULTS, Config
from redtool.parameters import ALIASES, NAMES, PARAMETERS
from tests.servers import RealServer, real_servers, running

# Ours on purpose, or what the test's own server was started with.
OURS = {"appendonly", "dir", "unixsocket", "logfile", "bind"}
# Valkey 9 has another default or other choices than Redis 7; ours are those of Redis.
VALKEY = {"lazyfree-lazy-eviction", "lazyfree-lazy-expire", "lazyfree-lazy-server-del", "lazyfree-lazy-user-del",
          "lazyfree-lazy-user-flush", "replica-lazy-flush", "slave-lazy-flush", "repl-backlog-size",
          "syslog-ident"}  # fmt: skip


def texts(server: RealServer, *patterns: str) -> dict[str, str]:
    flat = [word.decode() for word in server.call("CONFIG", "GET", *patterns)]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_defaults_stand_once() -> None:
    assert set(DEFAULTS) <= set(PARAMETERS)
    assert not [name for name, parameter in PARAMETERS.items() if parameter.default is None]
    assert not set(ALIASES) & set(PARAMETERS)
    assert set(ALIASES.values()) <= set(PARAMETERS)


@pytest.mark.parametrize("name", real_servers())
def test_every_parameter_has_the_servers_default(name: str) -> None:
    """Names and texts of the whole CONFIG GET *, of a server that no other test has touched."""
    mine = {name.decode(): text.decode() for name, text in Config().texts([b"*"]).items()}
    with running(name) as server:
        other = texts(server, "*")
    assert set(other) <= set(mine)
    skip = OURS | (VALKEY if name == "valkey" else set())
    different = {n: (mine[n], t) for n, t in other.items() if n not in skip and mine[n] != t}
    assert different == {}


def test_kinds_read_back_what_they_show() -> None:
    for name, parameter in PARAMETERS.items():
        text = parameter.show(parameter.default)
        assert parameter.parse(text, parameter.default) == parameter.default, name


SETS: list[list[str]] = [
    *[["maxmemory", v] for v in ("10K", "10kb", "1MB", "1t", "1.5gb", " 1mb", "", "1b", "0x10", "00100", "50%", "-1",
                                 "18446744073709551615", "3g", "2m")],
    *[["maxmemory-clients", v] for v in ("5%", "100%", "101%", "-1%", "x%", "1gb", "zz", "0", "%")],
    *[["appendfsync", v] for v in ("ALWAYS", "no", "everysec now", "")],
    *[["oom-score-adj", v] for v in ("yes", "relative", "absolute", "no", "x")],
    *[["shutdown-on-sigint", v] for v in ("save now", "now SAVE force", "default")],
    *[["save", v] for v in ("900 1", "900 1 300 10", "900", "0 1", "-1 1", "10 0", "", "a b", "10 -1")],
    *[["client-output-buffer-limit", v] for v in (
        "normal 1 2 3", "replica 1mb 2mb 3", "foo 1 2 3", "normal 1 2", "normal a 2 3", "normal 0 0 0 pubsub 1 1 1",
        "master 1 2 3", "normal 1 2 3x", "", "normal 1 2 -1", "SLAVE 0 0 0")],
    *[["notify-keyspace-events", v] for v in ("KEA", "Kg", "AKEmd", "gxz$lshetdEK", "", "q", "xE", "Km")],
    *[["oom-score-adj-values", v] for v in ("1 2 3", "3 2 1", "-3000 2 3", "a b c", "0 200 1001", "1 2", "")],
    *[["latency-tracking-info-percentiles", v] for v in ("50 99.9", "", "101", "1 x", "0.001 33.33333", "-1")],
    *[["list-max-listpack-size", v] for v in ("-5", "-6", "0", "2147483648", "128")],
    *[["hash-max-listpack-entries", v] for v in ("01", "+1", "", "7", "-1", "1.0", "99999999999999999999")],
    *[["appendonly", v] for v in ("NO", "true", "1", "")],
    *[["hz", v] for v in ("0", "501", "10", "-1")],
    *[["hash-max-ziplist-value", v] for v in ("1kb", "x")],
    *[["loglevel", v] for v in ("warning", "Notice")],
    *[["proto-max-bulk-len", v] for v in ("1", "512mb", "600mb", "x")],
    *[["slowlog-log-slower-than", v] for v in ("-1", "-2", "5")],
    *[["maxclients", v] for v in ("0", "x")],
    *[["maxmemory-policy", v] for v in ("foo", "allkeys-LRU", "volatile-ttl", "noeviction")],
    *[["cluster-announce-hostname", v] for v in ("a!", "a.b-c", "", "x" * 256)],
    ["databases", "4"], ["dir", "/"], ["dbfilename", "x.rdb"], ["appendfilename", "x"], ["nope", "1"],
    ["maxmemory", "1", "nope", "2"], ["maxmemory", "x", "hz", "y"], ["hz", "5", "hz", "6"], ["hz", "5", "HZ", "6"],
    ["hash-max-listpack-entries", "5", "hash-max-ziplist-entries", "6"], ["maxmemory", "1mb", "hz", "x"],
    ["databases", "5", "foo", "1"], ["maxmemory", "2mb", "databases", "3"], ["MaxMemory", "0"], ["a\nb", "1"],
    ["hz", "5", "maxmemory", "q"], ["HZ", "20", "Maxmemory", "1gb"],
]  # fmt: skip


def set_ours(config: Config, words: list[str]) -> str:
    pairs = [(words[i].encode(), words[i + 1].encode()) for i in range(0, len(words), 2)]
    try:
        config.assign(pairs)
    except errors.ReplyError as error:
        return error.message
    return "OK"


def shown(reply: Any) -> str:
    return reply.message if isinstance(reply, errors.ReplyError) else reply.decode()


def test_config_set_answers_as_a_server_does(real: RealServer) -> None:
    """Reply and every parameter named, after each step, on a server of its own."""
    config = Config()
    with running(real.name) as server:
        for words in SETS:
            reply = shown(server.call("CONFIG", "SET", *words))
            assert set_ours(config, words) == reply, words
            for parameter in words[::2]:
                if parameter != "dir" and "\n" not in parameter:
                    text = server.call("CONFIG", "GET", parameter)
                    assert [x for pair in config.texts([parameter.encode()]).items() for x in pair] == text, words


GETS = ["maxmem*", "*ziplist*", "foo", "h[yz]", "MAXMEMORY", "Max*ory", "\\hz", "slave*prio*", "?z"]


@pytest.mark.parametrize("pattern", GETS)
def test_config_get_finds_what_a_server_finds(pattern: str, real: RealServer) -> None:
    mine = {name.decode() for name in Config().texts([pattern.encode()])}
    assert mine == set(texts(real, pattern))


def test_any_known_name_may_be_asked_for() -> None:
    config = Config({"busy-reply-threshold": 7})
    assert config["lua-time-limit"] == 7
    assert config["tls-session-cache-size"] == 20480
    assert config["save"] == ()
    with pytest.raises(KeyError):
        config["nope"]
    assert set(ALIASES) <= NAMES


def test_hooks_hear_of_changes_and_may_refuse() -> None:
    config = Config()
    heard: list[object] = []
    config.on_change("maxmemory", heard.append)

    def refuse(value: object) -> None:
        if value == 3:
            raise errors.ReplyError("no room")

    config.on_change("hz", refuse)
    config.assign([(b"maxmemory", b"1kb"), (b"hz", b"4")])
    config.assign([(b"maxmemory", b"1kb")])  # no change, no call
    assert heard == [1024]
    with pytest.raises(errors.ReplyError) as caught:
        config.assign([(b"maxmemory", b"5"), (b"HZ", b"3")])
    assert caught.value.message == "ERR CONFIG SET failed (possibly related to argument 'HZ') - no room"
    assert (config["maxmemory"], config["hz"]) == (1024, 4)
    assert heard == [1024, 5, 1024]  # told that the old value is back


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("maxmemory zz", "maxmemory: argument must be a memory value"),
        ("maxmemory 1 2", "maxmemory: wrong number of arguments"),
        ("appendonly", "appendonly: wrong number of arguments"),
        ('requirepass "a', 'a " quote is not closed'),
        ("hz ten", "hz: argument couldn't be parsed into an integer"),
        ("slave-priority x", "replica-priority: argument couldn't be parsed into an integer"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "redtool.conf"
    path.write_text(f"# head\n\n{line}\n")
    config = Config()
    with pytest.raises(errors.StoreError) as caught:
        config.read(str(path))
    assert str(caught.value) == f"{path}:3: {reason}"
    assert config == DEFAULTS


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "redis.conf"
    path.write_bytes(
        b'# c\n  MAXMEMORY 1gb\r\nsave 900 1\nsave 300 10 60 100\n\nuser default on nopass\nrequirepass "a \\xff b"\n'
        b"client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit pubsub 0 0 0\n"
        b"hash-max-ziplist-entries 9\n"
        b"bind 127.0.0.1 -::1\ndir /elsewhere\nappendonly no\nlocale-collate ''\nnot-known 1 2 3"
    )
    config = Config()
    config.read(str(path))
    assert config["maxmemory"] == 1 << 30
    assert config["save"] == ((900, 1), (300, 10), (60, 100))
    assert config["requirepass"] == "a \udcff b"
    assert config.text("client-output-buffer-limit") == "normal 1 2 3 slave 268435456 67108864 60 pubsub 0 0 0"
    assert config["hash-max-listpack-entries"] == 9
    assert config["bind"] == "127.0.0.1 -::1"
    assert config["dir"] == ""
    assert config["appendonly"] is False


BEFORE = b"""# my store
save 900 1
include other.conf
save 300 10
MAXMEMORY 1gb
maxmemory-policy allkeys-lru
  # about hz
hz 10
user default on nopass
"""

AFTER = b"""# my store
save 60 1
include other.conf
MAXMEMORY 1gb
maxmemory-policy noeviction
  # about hz
hz 10
user default on nopass
requirepass "a b\\xff"
slowlog-max-len 5
"""


def test_rewriting_touches_only_what_changed(tmp_path: Path) -> None:
    path = tmp_path / "redtool.conf"
    (tmp_path / "other.conf").touch()
    path.write_bytes(BEFORE)
    path.chmod(0o640)
    config = Config()
    config.read(str(path))
    config.rewrite(str(path))
    assert path.read_bytes() == BEFORE
    changes = [(b"save", b"60 1"), (b"maxmemory-policy", b"noeviction"), (b"slowlog-max-len", b"5"),
               (b"requirepass", b"a b\xff")]  # fmt: skip
    config.assign(changes, path=str(path))
    assert path.read_bytes() == AFTER
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["other.conf", "redtool.conf"]
    again = Config()
    again.read(str(path))
    assert again == config


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", b'requirepass ""\n'),
        (b"a#b", b'requirepass "a#b"\n'),
        (b"a\\b", b'requirepass "a\\\\b"\n'),
        (b"'", b'requirepass "\'"\n'),
        (b"plain", b"requirepass plain\n"),
        (b"\xe2\x82\xac\n", b'requirepass "\\xe2\\x82\\xac\\n"\n'),
    ],
)
def test_values_are_quoted_where_they_must_be(tmp_path: Path, text: bytes, line: bytes) -> None:
    path = tmp_path / "c"
    path.write_bytes(b"requirepass other\n")
    config = Config()
    config.read(str(path))
    config.assign([(b"requirepass", text)], path=str(path))
    assert path.read_bytes() == line
    again = Config()
    again.read(str(path))
    assert again.texts([b"requirepass"]) == {b"requirepass": text}


def test_a_file_of_its_own_is_private_and_a_server_reads_it(tmp_path: Path, real: RealServer) -> None:
    path = tmp_path / "redtool.conf"
    config = Config()
    pairs = {"maxmemory": "64mb", "save": "60 5 600 1", "appendonly": "no", "maxmemory-clients": "5%",
             "client-output-buffer-limit": "normal 1 2 3", "notify-keyspace-events": "KEA",
             "latency-tracking-info-percentiles": "50 99.5", "proc-title-template": "it's \"{title}\""}  # fmt: skip
    config.assign([(name.encode(), text.encode()) for name, text in pairs.items()], path=str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with running(real.name, "--include", str(path)) as server:
        for name in pairs:
            assert texts(server, name) == {name: config.text(name)}


def test_a_file_that_cannot_be_written_undoes_the_change(tmp_path: Path) -> None:
    config = Config()
    with pytest.raises(errors.ReplyError) as caught:
        config.assign([(b"hz", b"20")], path=str(tmp_path / "gone" / "redtool.conf"))
    assert caught.value.message == "ERR Rewriting config file: No such file or directory"
    assert config["hz"] == 10
