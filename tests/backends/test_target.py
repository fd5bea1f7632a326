"""Targets: what options, URLs, the environment and the configuration file come to, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from redtool.backends import default_store
from redtool.backends.target import Target, config_path, parse, resolve
from redtool.errors import ConnectError, UsageError

FIELDS = [name for name in Target.__slots__ if name != "timeout"]


def shown(target: Target) -> dict[str, object]:
    """The fields that differ from a fresh Target of the same kind."""
    fresh = Target(target.kind)
    return {name: getattr(target, name) for name in FIELDS if getattr(target, name) != getattr(fresh, name)}


HOME = {"HOME": "/home/ann"}

TEXTS: list[tuple[str, str, dict[str, object]]] = [
    ("redis://", "remote", {}),
    ("redis://db.example", "remote", {"host": "db.example"}),
    ("redis://db.example:7000/3", "remote", {"host": "db.example", "port": 7000, "db": 3}),
    ("valkey://db.example", "remote", {"host": "db.example"}),
    ("REDISS://db.example", "remote", {"host": "db.example", "tls": True}),
    ("valkeys://db.example", "remote", {"host": "db.example", "tls": True}),
    ("redis://ann:pw@db.example", "remote", {"host": "db.example", "user": "ann", "password": "pw"}),
    ("redis://:p%40s%2Fs@db.example", "remote", {"host": "db.example", "password": "p@s/s"}),
    ("redis://p%C3%A9%zz%@db.example", "remote", {"host": "db.example", "password": "pé%zz%"}),
    ("redis://:p@ss@db.example", "remote", {"host": "db.example", "password": "p@ss"}),
    ("redis://pw@db.example", "remote", {"host": "db.example", "password": "pw"}),
    ("redis://[::1]:7000", "remote", {"host": "::1", "port": 7000}),
    ("redis://[::1]", "remote", {"host": "::1"}),
    ("redis://h?db=2&protocol=2&username=ann&password=pw", "remote",
     {"host": "h", "db": 2, "resp": 2, "user": "ann", "password": "pw"}),
    ("rediss://h?ssl_cert_reqs=none", "remote", {"host": "h", "tls": True, "insecure": True}),
    ("rediss://h?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem&sni=x", "remote",
     {"host": "h", "tls": True, "cacert": "/ca.pem", "sni": "x"}),
    ("redis+cluster://a,b:7000,[::1]:7001", "remote",
     {"via": "cluster", "seeds": (("a", 6379), ("b", 7000), ("::1", 7001))}),
    ("valkeys+cluster://ann:pw@a:7000/0?cacert=/ca.pem", "remote",
     {"via": "cluster", "seeds": (("a", 7000),), "tls": True, "user": "ann", "password": "pw", "cacert": "/ca.pem"}),
    ("redis+cluster://", "remote", {"via": "cluster", "seeds": (("127.0.0.1", 6379),)}),
    ("redis+sentinel://a,b:7000/my%20master/3", "remote",
     {"via": "sentinel", "seeds": (("a", 26379), ("b", 7000)), "master": "my master", "db": 3}),
    ("rediss+sentinel://:pw@a/m?sentinel_username=sam&sentinel_password=s", "remote",
     {"via": "sentinel", "seeds": (("a", 26379),), "master": "m", "tls": True, "password": "pw",
      "sentinel": ("sam", "s")}),
    ("unix:///run/redis.sock", "remote", {"socket": "/run/redis.sock"}),
    ("unix:///run/redis.sock?db=4", "remote", {"socket": "/run/redis.sock", "db": 4}),
    ("unix://ann:pw@/run/redis.sock", "remote", {"socket": "/run/redis.sock", "user": "ann", "password": "pw"}),
    ("unix://run/redis.sock", "remote", {"socket": "run/redis.sock"}),
    ("db.example:7000", "remote", {"host": "db.example", "port": 7000}),
    (":7000", "remote", {"port": 7000}),
    ("::1", "remote", {"host": "::1"}),
    ("[::1]:7000", "remote", {"host": "::1", "port": 7000}),
    ("ann:pw@db.example:7000", "remote", {"host": "db.example", "port": 7000, "user": "ann", "password": "pw"}),
    (":memory:", "memory", {}),
    ("./store", "embedded", {"path": "./store"}),
    ("/data/store", "embedded", {"path": "/data/store"}),
    ("dump.rdb", "dump", {"path": "dump.rdb"}),
    ("/data/dump.rdb", "dump", {"path": "/data/dump.rdb"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "fields"), TEXTS, ids=[text for text, _, _ in TEXTS])
def test_texts(text: str, kind: str, fields: dict[str, object]) -> None:
    target = parse(text, HOME)
    assert (target.kind, shown(target)) == (kind, fields)


SETTINGS: list[tuple[dict[str, str], dict[str, str], str, dict[str, object]]] = [  # settings, environment, kind, fields
    ({}, {}, "embedded", {"path": "/home/ann/.local/share/redtool/default", "name": "default"}),
    ({}, {"XDG_DATA_HOME": "/xdg"}, "embedded", {"path": "/xdg/redtool/default", "name": "default"}),
    ({}, {"REDTOOL_STORE": "/s"}, "embedded", {"path": "/s"}),
    ({"db": "3"}, {"REDTOOL_STORE": "/s"}, "embedded", {"path": "/s", "db": 3}),
    ({"resp3": "yes"}, {"REDTOOL_STORE": "/s"}, "embedded", {"path": "/s", "resp": 3}),
    ({"store": "/s"}, {"REDIS_URL": "redis://h"}, "embedded", {"path": "/s"}),
    ({"mem": "yes"}, {"REDIS_URL": "redis://h"}, "memory", {}),
    ({"store": "/s", "user": "ann", "password": "x"}, {}, "embedded", {"path": "/s", "user": "ann", "password": "x"}),
    ({"store": "/s", "user": "ann"}, {"REDISCLI_AUTH": "pw"}, "embedded", {"path": "/s", "user": "ann"}),
    ({"store": "x.rdb"}, {}, "dump", {"path": "x.rdb"}),
    ({"host": "h"}, {}, "remote", {"host": "h"}),
    ({"port": "7000"}, {}, "remote", {"port": 7000}),
    ({"socket": "/s"}, {}, "remote", {"socket": "/s"}),
    ({"password": "pw"}, {}, "remote", {"password": "pw"}),
    ({"cacert": "/ca"}, {}, "remote", {"cacert": "/ca", "tls": True}),
    ({"host": "h", "cert": "/c", "key": "/k"}, {}, "remote", {"host": "h", "cert": "/c", "key": "/k", "tls": True}),
    ({"host": "h", "insecure": "yes"}, {}, "remote", {"host": "h", "tls": True, "insecure": True}),
    ({"host": "h", "resp2": "yes"}, {}, "remote", {"host": "h", "resp": 2}),
    ({}, {"REDIS_URL": "redis://:pw@h/2"}, "remote", {"host": "h", "password": "pw", "db": 2}),
    ({"db": "5"}, {"REDIS_URL": "redis://:pw@h/2"}, "remote", {"host": "h", "password": "pw", "db": 5}),
    ({"user": "ann", "password": "x"}, {"REDIS_URL": "redis://:pw@h"}, "remote",
     {"host": "h", "user": "ann", "password": "x"}),
    # a password for one server is not sent to another
    ({"host": "other"}, {"REDIS_URL": "redis://:pw@h/2"}, "remote", {"host": "other"}),
    ({"url": "redis://other"}, {"REDIS_URL": "redis://:pw@h/2"}, "remote", {"host": "other"}),
    ({"url": "redis://h:7000/1", "db": "2", "port": "7001"}, {}, "remote", {"host": "h", "port": 7001, "db": 2}),
    ({"host": "h"}, {"REDISCLI_AUTH": "env"}, "remote", {"host": "h", "password": "env"}),
    ({"host": "h", "password": "x"}, {"REDISCLI_AUTH": "env"}, "remote", {"host": "h", "password": "x"}),
    ({"url": "redis://:pw@h"}, {"REDISCLI_AUTH": "env"}, "remote", {"host": "h", "password": "pw"}),
    ({}, {"REDISCLI_AUTH": "env"}, "embedded", {"path": "/home/ann/.local/share/redtool/default", "name": "default"}),
    # a name alone in a URL is the password, unless that comes from elsewhere
    ({"url": "redis://ann@h", "password": "x"}, {}, "remote", {"host": "h", "user": "ann", "password": "x"}),
    ({"url": "redis://ann@h", "password_command": "pass redis"}, {}, "remote",
     {"host": "h", "user": "ann", "secret": ("password_command", "pass redis")}),
    ({"url": "redis://:old@h", "askpass": "yes"}, {"REDISCLI_AUTH": "env"}, "remote",
     {"host": "h", "secret": ("askpass", "yes")}),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "environ", "kind", "fields"), SETTINGS, ids=range(len(SETTINGS)))
def test_settings(settings: dict[str, str], environ: dict[str, str], kind: str, fields: dict[str, object]) -> None:
    target = resolve(settings, HOME | environ)
    assert (target.kind, shown(target)) == (kind, fields)


WRONG: list[tuple[dict[str, str], str]] = [
    ({"url": "redis://h:http"}, "redis://…: port must be a number"),
    ({"url": "redis://:secret@h:http"}, "redis://…: port must be a number"),
    ({"url": "redis://:sec/ret@h"}, "redis://…: port must be a number"),
    ({"url": "redis://:sec?ret@h"}, "redis://…: port must be a number"),
    ({"url": "redis://h?sec@ret"}, "redis://…: a '?' in a password is written %3F"),
    ({"url": "redis://h:99999"}, "redis://…: port must be between 1 and 65535"),
    ({"url": "redis://h/first"}, "redis://…: db must be a number"),
    ({"url": "redis://h?db=-1"}, "redis://…: db must be a number"),
    ({"url": "redis://[::1]7000"}, "redis://…: an address in brackets is followed by :port"),
    ({"url": "http://h"}, "http://…: unknown scheme; use redis://, rediss://, valkey://, valkeys:// or unix://; "
     "redis+cluster:// and redis+sentinel:// with several addresses"),
    ({"url": "redis+nodes://h"}, "redis+nodes://…: unknown scheme; use redis://, rediss://, valkey://, valkeys:// or "
     "unix://; redis+cluster:// and redis+sentinel:// with several addresses"),
    ({"url": "redis+cluster://h/3"}, "a cluster has database 0 only"),
    ({"url": "redis+cluster://h:x"}, "redis+cluster://…: port must be a number"),
    ({"cluster": "yes", "db": "3"}, "a cluster has database 0 only"),
    ({"url": "redis+sentinel://h"}, "redis+sentinel://…: the name of the master is missing "
     "(redis+sentinel://HOST:26379/NAME)"),
    ({"url": "redis+sentinel://h/m/x"}, "redis+sentinel://…: db must be a number"),
    ({"url": "unix://"}, "unix://…: the path of the socket is missing"),
    ({"url": "redis://h?protocol=4"}, "the protocol must be 2 or 3, not '4'"),
    ({"url": "redis://h", "store": "/s"}, "--url and --store exclude each other"),
    ({"store": "/s", "mem": "yes"}, "--store and --mem exclude each other"),
    ({"store": "/s", "host": "h"}, "--store and -h exclude each other"),
    ({"socket": "/s", "port": "1"}, "-s excludes -h and -p"),
    ({"port": "x"}, "the port must be a number"),
    ({"host": "h", "db": "x"}, "the database must be a number"),
    ({"host": "h", "cert": "/c"}, "a client certificate needs its key: give both --cert and --key"),
    ({"host": "h", "connect_timeout": "soon"}, "the connect timeout must be a number of seconds"),
    ({"host": "h", "connect_timeout": "nan"}, "the connect timeout must be a number of seconds"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=[str(list(s.values())) for s, _ in WRONG])
def test_what_is_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(settings, HOME)
    assert str(caught.value) == message


def test_an_unknown_parameter_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"redis://…: unknown parameter 'colour'; known are cacert, .*username"):
        parse("redis://h?colour=red", HOME)


SECRET_PLACES = """redis://:hunter2@h/1 rediss://ann:hunter2@h unix://ann:hunter2@/s ann:hunter2@h:1 hunter2@h:1
redis://hunter2@h redis://h?password=hunter2 redis://h?username=ann&password=hunter2"""


@pytest.mark.parametrize("text", SECRET_PLACES.split())
def test_a_password_is_never_shown(text: str) -> None:
    target = parse(text, HOME)
    assert target.password == "hunter2"
    assert "hunter2" not in f"{target} {target!r} {target.label} {target.address}"


STRINGS = [
    ("redis://ann:x@h:1/2", "redis://ann@h:1/2"),
    ("rediss://a%40b:x@h", "rediss://a%40b@h:6379/0"),
    ("unix:///s?db=3", "unix:///s?db=3"),
    ("redis://[::1]:5", "redis://[::1]:5/0"),
    ("./s", "./s"),
    (":memory:", ":memory:"),
]


@pytest.mark.parametrize(("text", "shown"), STRINGS)
def test_str_names_the_target(text: str, shown: str) -> None:
    assert str(parse(text, HOME)) == shown
    assert repr(parse(text, HOME)).startswith("<Target ")


LABELS = [("redis://h:1", "h:1"), ("unix:///s", "/s"), ("./s", "./s"), (":memory:", "memory")]


@pytest.mark.parametrize(("text", "label"), LABELS)
def test_label_is_for_a_prompt(text: str, label: str) -> None:
    assert parse(text, HOME).label == label


CONFIG = """
[targets.prod]
url = "rediss://ann@prod.example:6380/1"
password_command = "printf 'pw one\\nnext'"
cacert = "/ca.pem"
insecure = false

[targets.cache]
host = "cache.example"
port = 7000
connect_timeout = 1.5

[targets.notes]
store = "/data/notes"
db = 2

[targets.loop]
url = "redis://h"
colour = "red"

[targets.list]
host = ["h"]
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "redtool").mkdir()
    (tmp_path / "redtool" / "config.toml").write_text(CONFIG)
    return HOME | {"XDG_CONFIG_HOME": str(tmp_path)}


def test_targets_of_the_configuration_file(environ: dict[str, str]) -> None:
    prod = resolve({"target": "prod"}, environ)
    assert shown(prod) == {"name": "prod", "host": "prod.example", "port": 6380, "db": 1, "tls": True, "user": "ann",
                           "cacert": "/ca.pem", "secret": ("password_command", "printf 'pw one\nnext'")}  # fmt: skip
    assert prod.label == "prod"
    assert prod.credentials() == ("ann", "pw one")
    cache = parse("cache", environ)
    assert (cache.host, cache.port, cache.timeout) == ("cache.example", 7000, 1.5)
    assert shown(parse("@notes", environ)) == {"name": "notes", "path": "/data/notes", "db": 2}
    assert resolve({"target": "prod", "db": "7"}, environ).db == 7


CONFIG_ERRORS = [
    ("none", "no target is called 'none' (known: cache, list, loop, notes, prod)"),
    ("loop", "{config}: targets.loop: unknown setting 'colour'"),
    ("list", "{config}: targets.list.host must be a text, a number or true"),
]


@pytest.mark.parametrize(("name", "message"), CONFIG_ERRORS)
def test_configuration_errors(environ: dict[str, str], name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve({"target": name}, environ)
    assert str(caught.value) == message.format(config=config_path(environ))


def test_a_missing_or_broken_configuration(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    environ = HOME | {"REDTOOL_CONFIG": str(path)}
    with pytest.raises(UsageError, match=r"no target is called 'x' \(.*c.toml names none\)"):
        parse("x", environ)
    path.write_text("[targets\n")
    with pytest.raises(UsageError, match=r"c.toml: "):
        parse("x", environ)


def test_passwords_from_a_file_and_a_command(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_text("se cret\nrest\n")
    assert resolve({"host": "h", "password_file": str(path)}, HOME).credentials() == (None, "se cret")
    with pytest.raises(ConnectError, match="cannot read the password file /none/pw: no such file or directory"):
        resolve({"host": "h", "password_file": "/none/pw"}, HOME).credentials()
    with pytest.raises(ConnectError, match="the password command for h:6379 ended with status 3"):
        resolve({"host": "h", "password_command": "echo secret; exit 3"}, HOME).credentials()


def test_asking_for_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "typed"

    monkeypatch.setattr("getpass.getpass", ask)
    target = resolve({"host": "h", "askpass": "yes"}, HOME)
    assert target.credentials() == target.credentials() == (None, "typed")
    assert prompts == ["Password for h:6379: "]


def test_default_paths() -> None:
    assert default_store({"HOME": "/h", "XDG_DATA_HOME": ""}) == "/h/.local/share/redtool/default"
    assert config_path({"HOME": "/h"}) == "/h/.config/redtool/config.toml"


def test_an_address_beside_a_cluster() -> None:
    """-c makes any server a way into a cluster, and -h takes the place of a URL's addresses."""
    assert resolve({"cluster": "yes"}, HOME).seeds == (("127.0.0.1", 6379),)
    assert resolve({"cluster": "yes", "port": "7000"}, HOME).seeds == (("127.0.0.1", 7000),)
    assert resolve({"cluster": "yes"}, HOME | {"REDIS_URL": "redis://h:7"}).seeds == (("h", 7),)
    assert resolve({"cluster": "yes", "socket": "/s"}, HOME).seeds == ()
    assert resolve({"url": "redis+cluster://a,b", "host": "c"}, HOME).seeds == (("c", 6379),)
    assert resolve({"url": "redis+sentinel://a,b/m", "host": "c"}, HOME).seeds == (("c", 26379),)


SHOWN = [
    ("redis+cluster://a,b:7000", "cluster a:6379", "redis+cluster://a:6379,b:7000/0"),
    ("rediss+cluster://ann:pw@[::1]", "cluster [::1]:6379", "rediss+cluster://ann@[::1]:6379/0"),
    ("redis+sentinel://:pw@a/my%20master/2", "my master", "redis+sentinel://a:26379/my%20master/2"),
]


@pytest.mark.parametrize(("text", "label", "url"), SHOWN)
def test_clusters_and_masters_are_shown_without_passwords(text: str, label: str, url: str) -> None:
    target = parse(text, HOME)
    assert (target.label, str(target), "pw" in repr(target)) == (label, url, False)
    assert target.user or str(parse(url, HOME)) == url


def test_a_cluster_and_a_master_of_the_configuration_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("""
[targets.shop]
url = "redis+cluster://a,b"
password_command = "echo pw"
[targets.node]
host = "h"
cluster = true
[targets.queue]
url = "redis+sentinel://a/mymaster/1"
sentinel_password = "s"
""")
    environ = HOME | {"REDTOOL_CONFIG": str(path)}
    shop = parse("@shop", environ)
    assert (shop.via, shop.label, shop.credentials()) == ("cluster", "shop", (None, "pw"))
    node = shop.at("c", 7)
    assert (node.via, node.seeds, node.host, node.port, node.address) == ("", (), "c", 7, "c:7")
    assert parse("node", environ).seeds == (("h", 6379),)
    queue = parse("queue", environ)
    assert (queue.via, queue.label, queue.db, queue.sentinel) == ("sentinel", "queue", 1, (None, "s"))
