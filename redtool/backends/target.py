"""What a command line, a URL or the configuration names: a store on disk, a dump, or a server, as a Target.

Settings are a dict named as the options are (redtool/options.py: ``url``, ``host``, ``user``, …; flags are "yes").
``resolve`` makes a Target of settings, ``parse`` of a text alone: a URL, host:port, a path, a name from the
configuration file.
"""

from __future__ import annotations

import os

from redtool.backends import default_store, is_dump
from redtool.errors import ConnectError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Settings = Mapping[str, str]

TLS_FILES = ("cacert", "cacertdir", "cert", "key", "sni")
TLS_SETTINGS = ("tls", "insecure", *TLS_FILES)
SECRETS = ("askpass", "password_command", "password_file")
ADDRESS = ("host", "port", "socket")
# what means a server even when no address is given; the address is then 127.0.0.1:6379
REMOTE = (*ADDRESS, "cluster", "seeds", "user", "password", *SECRETS, *TLS_SETTINGS)
# what a target of the configuration file may set
CONFIGURED = frozenset({"url", "store", "db", "resp", "connect_timeout", "sentinel_user", "sentinel_password",
                        *REMOTE}) - {"askpass", "seeds"}  # fmt: skip
SHORT = {"url": "-u", "host": "-h", "port": "-p", "socket": "-s"}

DEFAULT_TIMEOUT = 5.0  # seconds to wait for a connection


class Target:
    """Where commands go. ``kind`` is "embedded", "memory", "dump" or "remote"; ``str()`` never shows a password.

    ``via`` says how a server is found: "" at its address, "cluster" by asking the nodes at ``seeds`` for the slots,
    "sentinel" by asking the sentinels there for the master called ``master``.
    """

    __slots__ = ("cacert", "cacertdir", "cert", "db", "host", "insecure", "key", "kind", "master", "name", "password",
                 "path", "port", "resp", "secret", "seeds", "sentinel", "sni", "socket", "timeout", "tls", "user",
                 "via")  # fmt: skip

    def __init__(self, kind: str, path: str = "") -> None:
        self.kind, self.path = kind, path
        self.name = ""  # what the configuration calls it
        self.host, self.port, self.socket = "127.0.0.1", 6379, ""
        self.via = self.master = ""
        self.seeds: tuple[tuple[str, int], ...] = ()
        self.sentinel: tuple[str | None, str | None] = (None, None)  # user and password for the sentinels
        self.db = 0
        self.user: str | None = None
        self.password: str | None = None
        self.secret: tuple[str, str] | None = None  # where the password comes from: ("password_file", path), …
        self.tls = self.insecure = False
        self.cacert = self.cacertdir = self.cert = self.key = self.sni = ""
        self.resp: int | None = None  # None: RESP3 where the server has it
        self.timeout: float | None = DEFAULT_TIMEOUT

    @property
    def remote(self) -> bool:
        return self.kind == "remote"

    @property
    def address(self) -> str:
        """The server as a person writes it: a socket path, host:port or, of several, the first."""
        if self.socket:
            return self.socket
        if self.via == "sentinel":
            return f"{self.master} of {written(*self.seeds[0])}"
        return written(*self.seeds[0]) if self.seeds else written(self.host, self.port)

    def alone(self) -> Target:
        """The server at the first address, for what turned out to be no cluster."""
        other = self.at(*(self.seeds[0] if self.seeds else (self.host, self.port)))
        other.name, other.socket = self.name, self.socket
        return other

    def at(self, host: str, port: int) -> Target:
        """The server at another address, reached by the same means: a node of the cluster, a master, a sentinel."""
        other = Target(self.kind)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        other.via = other.name = other.socket = ""
        other.seeds, other.host, other.port = (), host, port
        return other

    @property
    def label(self) -> str:
        """Short text for a prompt."""
        if self.name:
            return self.name
        if self.via:
            return self.master or f"cluster {self.address}"
        return {"memory": "memory", "remote": self.address}.get(self.kind, self.path)

    def credentials(self) -> tuple[str | None, str | None]:
        """Give (user name, password), reading the file, running the command or asking first where one is named."""
        if self.secret is not None:
            self.password, self.secret = _fetch(*self.secret, self.address), None
        return self.user, self.password

    def __str__(self) -> str:
        if self.kind != "remote":
            return self.path or ":memory:"
        from redtool.backends.urls import escape

        user = f"{escape(self.user)}@" if self.user else ""
        if self.socket:
            return f"unix://{user}{self.socket}?db={self.db}"
        scheme = f"redis{'s' if self.tls else ''}"
        if self.via and self.seeds:
            path = f"{escape(self.master)}/{self.db}" if self.master else f"{self.db}"
            return f"{scheme}+{self.via}://{user}{','.join(written(*seed) for seed in self.seeds)}/{path}"
        return f"{scheme}://{user}{self.address}/{self.db}"

    def __repr__(self) -> str:
        return f"<Target {self.kind} {self}>"


def written(host: str, port: int) -> str:
    """An address as a person writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse(text: str, environ: Mapping[str, str] = os.environ) -> Target:
    """Make the Target that a text names, environment and configuration file included."""
    return resolve({"url": text}, environ)


def resolve(settings: Settings, environ: Mapping[str, str] = os.environ) -> Target:
    """Make the Target that settings name: options first, then the URL or name given, then the environment."""
    _refuse_two_addresses(settings)
    for word in ("url", "target"):
        if settings.get(word) == "":
            raise UsageError(f"{SHORT.get(word, '-t')} is empty")  # an unset variable, most often
    merged = _named(settings, environ)
    merged.update(settings)
    if merged.get("mem") or merged.get("store"):
        target = _local("" if merged.get("mem") else merged["store"])
        _fill_credentials(target, merged, {})  # REDISCLI_AUTH is for servers
    elif any(word in merged for word in REMOTE):
        target = Target("remote")
        _fill_remote(target, merged, environ)
    else:
        target = _local(default_store(environ))
        target.name = "" if environ.get("REDTOOL_STORE") else "default"
    target.name = merged.get("known_as", target.name)
    _fill_session(target, merged)
    return target


def _refuse_two_addresses(settings: Settings) -> None:
    chosen = [f"--{word}" for word in ("url", "target", "store", "mem") if settings.get(word)]
    addresses = [SHORT[word] for word in ADDRESS if word in settings]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other")
    if addresses and chosen and chosen[0] in ("--store", "--mem"):
        raise UsageError(f"{chosen[0]} and {addresses[0]} exclude each other")
    if "-s" in addresses and len(addresses) > 1:
        raise UsageError("-s excludes -h and -p")


def _fill_session(target: Target, merged: Settings) -> None:
    """Settle what holds for every kind: the database and the protocol."""
    resp = "2" if merged.get("resp2") else "3" if merged.get("resp3") else merged.get("resp")
    if resp is not None:
        if resp not in ("2", "3"):
            raise UsageError(f"the protocol must be 2 or 3, not '{resp}'")
        target.resp = int(resp)
    if "db" in merged:
        from redtool.backends.urls import number

        target.db = number(merged["db"], "the database")


def _named(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """What the URL, the name or, without an address, the environment says."""
    if settings.get("target"):
        return _from_config(settings["target"], environ)
    if settings.get("url"):
        return _from_text(settings["url"], environ)
    if settings.get("store") or settings.get("mem") or any(word in settings for word in ADDRESS):
        return {}  # REDIS_URL's password is for REDIS_URL's host
    url = environ.get("REDIS_URL", "")
    return _from_text(url, environ) if url else {}


def _from_text(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    from redtool.backends.urls import from_url, host_and_port

    if "://" in text:
        return from_url(text)
    if text == ":memory:":
        return {"mem": "yes"}
    if text.startswith("@"):
        return _from_config(text[1:], environ)
    if "/" in text or text.endswith(".rdb") or text in (".", ".."):
        return {"store": text}
    if "@" in text:
        return from_url(f"redis://{text}")
    if ":" in text:
        return host_and_port(text)
    return _from_config(text, environ)


def _fill_remote(target: Target, merged: Settings, environ: Mapping[str, str]) -> None:
    target.host, target.socket = merged.get("host", target.host), merged.get("socket", "")
    if "port" in merged:
        from redtool.backends.urls import port_number

        target.port = port_number(merged["port"], "the port")
    if merged.get("via") or merged.get("cluster"):
        _fill_seeds(target, merged)
    for name in TLS_FILES:
        setattr(target, name, merged.get(name, ""))
    target.insecure = bool(merged.get("insecure"))
    target.tls = any(merged.get(name) for name in TLS_SETTINGS)
    if bool(target.cert) != bool(target.key):
        raise UsageError("a client certificate needs its key: give both --cert and --key")
    if "connect_timeout" in merged:
        target.timeout = _seconds(merged["connect_timeout"]) or None  # 0: as long as the system waits
    _fill_credentials(target, merged, environ)


def _fill_seeds(target: Target, merged: Settings) -> None:
    """Settle whom to ask for the server: an address given beside a URL takes the place of the URL's."""
    from redtool.backends.urls import VIA, port_number, seeds

    target.via, target.master = merged.get("via") or "cluster", merged.get("master", "")
    port = VIA[target.via]
    if any(word in merged for word in ADDRESS):
        port = port_number(merged["port"], "the port") if "port" in merged else port
        target.seeds = () if target.socket else ((target.host, port),)
    else:
        target.seeds = seeds(merged.get("seeds", ""), port)
    if target.via == "cluster" and merged.get("db", "0") != "0":
        raise UsageError("a cluster has database 0 only")
    target.sentinel = merged.get("sentinel_user"), merged.get("sentinel_password")


def _fill_credentials(target: Target, merged: Settings, environ: Mapping[str, str]) -> None:
    """Settle user and password: asking, a command or a file beat a text, and all of them beat the environment."""
    target.secret = next(((name, merged[name]) for name in SECRETS if merged.get(name)), None)
    if target.secret is None:
        target.password = merged.get("password")
    target.user = merged.get("user")
    if (alone := merged.get("userinfo")) and target.user is None:
        # redis://NAME@host: redis-cli takes it for the password; with a password from elsewhere it can only be the user
        if target.secret is None and target.password is None:
            target.password = alone
        else:
            target.user = alone
    if target.secret is None and target.password is None:
        target.password = environ.get("REDISCLI_AUTH") or None


def _fetch(source: str, where: str, address: str) -> str:
    """Read the password from where it is kept. Messages name the source, never what came out of it."""
    if source == "password_file":
        try:
            with open(os.path.expanduser(where), encoding="utf-8") as file:
                return file.readline().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = (getattr(error, "strerror", None) or "not UTF-8 text").lower()
            raise ConnectError(f"cannot read the password file {where}: {reason}") from None
    if source == "password_command":
        import subprocess

        done = subprocess.run(where, shell=True, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise ConnectError(f"the password command for {address} ended with status {done.returncode}")
        return done.stdout.decode("utf-8", "surrogateescape").split("\n", 1)[0].rstrip("\r")
    from getpass import getpass

    try:
        return getpass(f"Password for {address}: ")
    except EOFError:
        raise ConnectError("no password was given") from None


def _local(path: str) -> Target:
    """A store directory, a dump file, or, without a path, memory."""
    if not path:
        return Target("memory")
    path = os.path.expanduser(path)
    return Target("dump" if is_dump(path) else "embedded", path)


def config_path(environ: Mapping[str, str] = os.environ) -> str:
    """The configuration file, whether or not it exists."""
    if path := environ.get("REDTOOL_CONFIG"):
        return path
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return os.path.join(base, "redtool", "config.toml")


def _from_config(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Read ``[targets.NAME]``: url or store, and any setting an option gives (``password_command``, ``cacert``, …)."""
    path = config_path(environ)
    targets = _targets(path)
    entry = targets.get(name)
    if not isinstance(entry, dict):
        known = f"known: {', '.join(sorted(targets))}" if targets else f"{path} names none"
        raise UsageError(f"no target is called '{name}' ({known})")
    found: dict[str, str] = {"known_as": name}
    if "url" in entry:
        found |= _from_text(str(entry["url"]), environ)
    for setting, value in entry.items():
        if setting not in CONFIGURED:
            raise UsageError(f"{path}: targets.{name}: unknown setting '{setting}'")
        if not isinstance(value, str | int | float):
            raise UsageError(f"{path}: targets.{name}.{setting} must be a text, a number or true")
        if setting != "url" and value is not False:
            found[setting] = str(value)
    return found


def _targets(path: str) -> dict[str, object]:
    import tomllib

    try:
        with open(path, "rb") as file:
            targets = tomllib.load(file).get("targets", {})
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or '').lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    return targets if isinstance(targets, dict) else {}


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise UsageError("the connect timeout must be a number of seconds")
    return seconds
