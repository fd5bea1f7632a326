"""What a command line, a URL or the configuration names: a store on disk, a dump, or a server, as a Target.

``option`` reads one connection option of a command line into a settings dict, ``resolve`` makes the Target of it,
``parse`` makes one of a text alone (a URL, host:port, a path, a name from the configuration file).
"""

from __future__ import annotations

import os

from redtool.errors import ConnectError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    Settings = MutableMapping[str, "str | bool"]

# option -> (setting, the value it sets; None: the next word is the value)
OPTIONS: dict[str, tuple[str, str | bool | None]] = {
    "-h": ("host", None),
    "--host": ("host", None),
    "-p": ("port", None),
    "--port": ("port", None),
    "-s": ("socket", None),
    "--socket": ("socket", None),
    "-n": ("db", None),
    "--db": ("db", None),
    "-u": ("target", None),
    "--url": ("target", None),
    "--target": ("name", None),
    "-a": ("password", None),
    "--pass": ("password", None),
    "--user": ("username", None),
    "--askpass": ("askpass", True),
    "--password-file": ("password_file", None),
    "--password-command": ("password_command", None),
    "--tls": ("tls", True),
    "--cacert": ("cacert", None),
    "--cacertdir": ("cacertdir", None),
    "--cert": ("cert", None),
    "--key": ("key", None),
    "--sni": ("sni", None),
    "--insecure": ("insecure", True),
    "-2": ("resp", "2"),
    "-3": ("resp", "3"),
    "-t": ("timeout", None),
    "--connect-timeout": ("timeout", None),
    "--store": ("store", None),
    "--mem": ("mem", True),
}

TLS_FILES = ("cacert", "cacertdir", "cert", "key", "sni")
TLS_SETTINGS = ("tls", "insecure", *TLS_FILES)
SECRETS = ("askpass", "password_command", "password_file")
ADDRESS = ("host", "port", "socket")
# what means a server even when no address is given; the address is then 127.0.0.1:6379
REMOTE = (*ADDRESS, "username", "password", *SECRETS, *TLS_SETTINGS)

DEFAULT_TIMEOUT = 5.0  # seconds to wait for a connection


class Target:
    """Where commands go. ``kind`` is "embedded", "memory", "dump" or "remote"; ``str()`` never shows a password."""

    __slots__ = ("cacert", "cacertdir", "cert", "db", "host", "insecure", "key", "kind", "name", "password", "path",
                 "port", "resp", "secret", "sni", "socket", "timeout", "tls", "username")  # fmt: skip

    def __init__(self, kind: str, path: str = "") -> None:
        self.kind, self.path = kind, path
        self.name = ""  # what the configuration calls it
        self.host, self.port, self.socket = "127.0.0.1", 6379, ""
        self.db = 0
        self.username: str | None = None
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
        """The server as a person writes it: a socket path or host:port."""
        if self.socket:
            return self.socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def label(self) -> str:
        """Short text for a prompt."""
        if self.name:
            return self.name
        return {"memory": "memory", "remote": self.address}.get(self.kind, self.path)

    def credentials(self) -> tuple[str | None, str | None]:
        """Give (user name, password), reading the file, running the command or asking first where one is named."""
        if self.secret is not None:
            self.password, self.secret = _fetch(*self.secret, self.address), None
        return self.username, self.password

    def __str__(self) -> str:
        if self.kind != "remote":
            return self.path or ":memory:"
        from redtool.backends.urls import escape

        user = f"{escape(self.username)}@" if self.username else ""
        if self.socket:
            return f"unix://{user}{self.socket}?db={self.db}"
        return f"redis{'s' if self.tls else ''}://{user}{self.address}/{self.db}"

    def __repr__(self) -> str:
        return f"<Target {self.kind} {self}>"


def option(settings: Settings, words: Sequence[str], at: int = 0) -> int:
    """Read the connection option at ``words[at]``, if it is one, and give the position after it (else ``at``)."""
    word, equals, value = words[at], "", ""
    if word.startswith("--"):
        word, equals, value = word.partition("=")
    found = OPTIONS.get(word)
    if found is None:
        return at
    name, fixed = found
    if fixed is not None:
        if equals:
            raise UsageError(f"{word} takes no value")
        settings[name] = fixed
        return at + 1
    if equals:
        settings[name] = value
        return at + 1
    if at + 1 == len(words):
        raise UsageError(f"{word} needs a value")
    settings[name] = words[at + 1]
    return at + 2


def parse(text: str, environ: Mapping[str, str] = os.environ) -> Target:
    """Make the Target that a text names, environment and configuration file included."""
    return resolve({"target": text}, environ)


def resolve(settings: Mapping[str, str | bool], environ: Mapping[str, str] = os.environ) -> Target:
    """Make the Target that settings name: options first, then the URL or name given, then the environment."""
    chosen = [word for word in ("target", "name", "store", "mem") if settings.get(word)]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(_option_of(word) for word in chosen)} exclude each other")
    address = next((word for word in ADDRESS if word in settings), None)
    if chosen and address and chosen[0] in ("store", "mem"):
        raise UsageError(f"{_option_of(chosen[0])} and {_option_of(address)} exclude each other")
    if "socket" in settings and ("host" in settings or "port" in settings):
        raise UsageError("-s excludes -h and -p")
    merged = _named(settings, environ)
    merged.update(settings)
    if merged.get("mem") or merged.get("store"):
        target = _local("" if merged.get("mem") else str(merged["store"]))
    elif any(word in merged for word in REMOTE):
        target = Target("remote")
        _fill_remote(target, merged, environ)
    else:
        target = _local(default_store(environ))
        target.name = "" if environ.get("REDTOOL_STORE") else "default"
    target.name = str(merged.get("known_as", target.name))
    _fill_common(target, merged)
    return target


def _fill_common(target: Target, merged: Mapping[str, str | bool]) -> None:
    if "resp" in merged:
        if merged["resp"] not in ("2", "3"):
            raise UsageError(f"protocol must be 2 or 3, not '{merged['resp']}'")
        target.resp = int(merged["resp"])
    if "db" in merged:
        from redtool.backends.urls import number

        target.db = number(str(merged["db"]), "db")


def _named(settings: Mapping[str, str | bool], environ: Mapping[str, str]) -> dict[str, str | bool]:
    """What the URL, the name or, without an address, the environment says."""
    if settings.get("name"):
        return _from_config(str(settings["name"]), environ)
    if text := settings.get("target"):
        return _from_text(str(text), environ)
    if settings.get("store") or settings.get("mem") or any(word in settings for word in ADDRESS):
        return {}  # REDIS_URL's password is for REDIS_URL's host
    url = environ.get("REDIS_URL", "")
    return _from_text(url, environ) if url else {}


def _from_text(text: str, environ: Mapping[str, str]) -> dict[str, str | bool]:
    from redtool.backends.urls import from_url, host_and_port

    if "://" in text:
        return from_url(text)
    if text == ":memory:":
        return {"mem": True}
    if text.startswith("@"):
        return _from_config(text[1:], environ)
    if "/" in text or text.endswith(".rdb") or text in (".", ".."):
        return {"store": text}
    if "@" in text:
        return from_url(f"redis://{text}")
    if ":" in text:
        return host_and_port(text)
    return _from_config(text, environ)


def _fill_remote(target: Target, merged: Mapping[str, str | bool], environ: Mapping[str, str]) -> None:
    target.host = str(merged.get("host", target.host))
    target.socket = str(merged.get("socket", ""))
    if "port" in merged:
        from redtool.backends.urls import port_number

        target.port = port_number(str(merged["port"]), "port")
    for name in TLS_FILES:
        setattr(target, name, str(merged.get(name, "")))
    target.insecure = bool(merged.get("insecure"))
    target.tls = any(merged.get(name) for name in TLS_SETTINGS)
    if bool(target.cert) != bool(target.key):
        raise UsageError("a client certificate needs its key: give both --cert and --key")
    if "timeout" in merged:
        target.timeout = _seconds(str(merged["timeout"])) or None  # 0: as long as the system waits
    _fill_credentials(target, merged, environ)


def _fill_credentials(target: Target, merged: Mapping[str, str | bool], environ: Mapping[str, str]) -> None:
    """Settle user and password: asking, a command or a file beat a text, and all of them beat the environment."""
    target.secret = next(((name, str(merged[name])) for name in SECRETS if merged.get(name)), None)
    if target.secret is None and "password" in merged:
        target.password = str(merged["password"])
    if "username" in merged:
        target.username = str(merged["username"])
    if alone := merged.get("userinfo"):
        # redis://NAME@host: redis-cli takes it for the password; with a password from elsewhere it can only be the user
        if target.secret is None and target.password is None and target.username is None:
            target.password = str(alone)
        elif target.username is None:
            target.username = str(alone)
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
    return Target("dump" if path.endswith(".rdb") else "embedded", os.path.expanduser(path))


def default_store(environ: Mapping[str, str] = os.environ) -> str:
    """The directory of the store used when none is named."""
    if store := environ.get("REDTOOL_STORE"):
        return store
    base = environ.get("XDG_DATA_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local/share")
    return os.path.join(base, "redtool", "default")


def config_path(environ: Mapping[str, str] = os.environ) -> str:
    """The configuration file, whether or not it exists."""
    if path := environ.get("REDTOOL_CONFIG"):
        return path
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return os.path.join(base, "redtool", "config.toml")


def _from_config(name: str, environ: Mapping[str, str]) -> dict[str, str | bool]:
    """Read ``[targets.NAME]``: url or store, and any setting an option gives (``password_command``, ``cacert``, …)."""
    path = config_path(environ)
    targets = _targets(path)
    entry = targets.get(name)
    if not isinstance(entry, dict):
        known = f"known: {', '.join(sorted(targets))}" if targets else f"{path} names none"
        raise UsageError(f"no target is called '{name}' ({known})")
    allowed = {setting for setting, _ in OPTIONS.values()} - {"target", "name", "mem"} | {"url"}
    for setting, value in entry.items():
        if setting not in allowed:
            raise UsageError(f"{path}: targets.{name}: unknown setting '{setting}'")
        if not isinstance(value, str | int | float):
            raise UsageError(f"{path}: targets.{name}.{setting} must be a text, a number or true")
    found = _from_text(str(entry["url"]), environ) if "url" in entry else {}
    found |= {k: v if isinstance(v, bool) else str(v) for k, v in entry.items() if k != "url"}
    return found | {"known_as": name}


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


def _option_of(setting: str) -> str:
    return next(word for word, (name, _) in OPTIONS.items() if name == setting)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise UsageError("the connect timeout must be a number of seconds")
    return seconds
