"""Configuration: what a store reads while it works, CONFIG GET and CONFIG SET, the configuration file.

``DEFAULTS`` holds the parameters that the engine reads, so opening a store costs one dict copy. The others
that Redis knows, and how every parameter is parsed, checked and shown, are in ``parameters``, imported
when someone asks. Names are those of redis.conf.
"""

from __future__ import annotations

from redtool import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from redtool.kinds import Parameter

    Hook = Callable[[Any], object]

# Unlike redis.conf: the journal is on, there are no save points, no port is opened, no password is asked.
DEFAULTS: dict[str, Any] = {
    "aof-load-truncated": True,
    "appenddirname": "appendonlydir",
    "appendfilename": "appendonly.aof",
    "appendfsync": "everysec",
    "appendonly": True,
    "auto-aof-rewrite-min-size": 67108864,
    "auto-aof-rewrite-percentage": 100,
    "databases": 16,
    "dbfilename": "dump.rdb",
    "dir": "",
    "hash-max-listpack-entries": 512,
    "hash-max-listpack-value": 64,
    "hll-sparse-max-bytes": 3000,
    "latency-monitor-threshold": 0,
    "list-compress-depth": 0,
    "list-max-listpack-size": -2,
    "lfu-decay-time": 1,
    "lfu-log-factor": 10,
    "maxmemory": 0,
    "maxmemory-eviction-tenacity": 10,
    "maxmemory-policy": "noeviction",
    "maxmemory-samples": 5,
    "notify-keyspace-events": "",
    "port": 0,
    "proto-max-bulk-len": 536870912,
    "rdb-format": "0010",
    "requirepass": "",
    "save": (),
    "set-max-intset-entries": 512,
    "set-max-listpack-entries": 128,
    "set-max-listpack-value": 64,
    "slowlog-log-slower-than": 10000,
    "slowlog-max-len": 128,
    "stream-node-max-bytes": 4096,
    "stream-node-max-entries": 100,
    "zset-max-listpack-entries": 128,
    "zset-max-listpack-value": 64,
}

SIZES = tuple(name for name in DEFAULTS if name[:3] in ("has", "set", "zse") and "-max-" in name)


class Config(dict[str, "Any"]):
    """Parameter -> typed value.

    bool for yes/no, int for numbers and sizes in bytes, str for text and choices, ``save`` as
    ((seconds, changes), ...), percentiles as floats. Any name that Redis knows may be asked for, its aliases too.
    ``users`` are the file's ``user`` lines: who has a store open reads them, and puts there what is to be written.
    ``renames`` are its ``rename-command`` lines, in capitals; "" takes a command away. ``given`` are values that no
    file said, so none is to keep them. ``usual`` holds where there is no line, if that is not the parameter's default.
    """

    __slots__ = ("_hooks", "at_once", "given", "renames", "users", "usual")

    def __init__(self, values: dict[str, Any] | None = None) -> None:
        super().__init__(DEFAULTS)
        self.users: list[bytes] = []
        self.renames: dict[str, str] = {}
        self.given: dict[str, Any] = {}
        self.usual: dict[str, Any] = {}
        self.at_once = True  # CONFIG SET writes the file; else only CONFIG REWRITE does, as of a server
        self._hooks: dict[str, list[Hook]] = {}
        if values:
            self.update(values)

    def __missing__(self, name: str) -> Any:
        """The default of a parameter that is not in ``DEFAULTS``, or what an alias stands for."""
        from redtool.parameters import ALIASES, PARAMETERS

        if name in ALIASES:
            return self[ALIASES[name]]
        return PARAMETERS[name].default

    def on_change(self, name: str, hook: Hook) -> None:
        """Call ``hook(value)`` after CONFIG SET changed ``name``. A ReplyError that it raises undoes the change."""
        self._hooks.setdefault(name, []).append(hook)

    # -- CONFIG GET

    def text(self, name: str) -> str:
        """What CONFIG GET shows for one parameter."""
        from redtool.parameters import parameter

        if name == "dir":
            return self["dir"] or _working_directory()
        return parameter(name).show(self[name])

    def texts(self, patterns: Iterable[bytes]) -> dict[bytes, bytes]:
        """Name -> text of every parameter that one of the patterns matches; a plain name comes back as it was typed."""
        from redtool.globs import matcher
        from redtool.parameters import NAMES

        found: dict[bytes, bytes] = {}
        known = {name.encode() for name in NAMES}
        for pattern in patterns:
            if any(c in pattern for c in b"*?["):
                matches = matcher(pattern, ignore_case=True)
                found.update((name, _encode(self.text(name.decode()))) for name in sorted(known) if matches(name))
            elif pattern.lower() in known and not any(pattern.lower() == name.lower() for name in found):
                found[pattern] = _encode(self.text(pattern.lower().decode()))
        return found

    # -- CONFIG SET

    def assign(self, pairs: Sequence[tuple[bytes, bytes]], path: str | None = None) -> None:
        """Set several parameters, all or none, run their hooks and, with ``path``, write the file.

        Raises the server's errors; after one nothing has changed.
        """
        named = _resolve(pairs)
        new: dict[str, Any] = {}
        for shown, name, parameter, text in named:
            try:
                new[name] = parameter.parse(text, new.get(name, self[name]))
            except ValueError as error:
                raise errors.ConfigSetFailed(shown, error) from None
        old = {name: self[name] for name in new}
        self.update(new)
        changed = {name: shown for shown, name, _, _ in named if new[name] != old[name]}
        try:
            for name, shown in changed.items():
                self._tell(name, shown)
            if path is not None:
                self.rewrite(path)
        except (errors.ReplyError, OSError) as error:
            self.update(old)
            for name, shown in changed.items():
                self._tell(name, shown)
            if isinstance(error, OSError):
                raise errors.ConfigRewriteFailed(error.strerror) from None
            raise

    def _tell(self, name: str, shown: str) -> None:
        for hook in self._hooks.get(name, ()):
            try:
                hook(self[name])
            except errors.ReplyError as error:
                raise errors.ConfigSetFailed(shown, error.message.removeprefix("ERR ")) from None

    # -- the file

    def include_base(self, path: str) -> str:
        """What names of included files are relative to: a store's own file, or as servers the working directory."""
        from os.path import dirname

        return dirname(path) if self.at_once else ""

    def read(self, path: str) -> None:
        """Take the values of a file in redis.conf syntax. StoreError names the file and the line that is wrong."""
        from redtool.conffile import read

        read(self, path)

    def rewrite(self, path: str) -> None:
        """Write the file anew: comments, order and unknown directives stay, only values that changed are touched.

        Raises OSError and then leaves the old file as it was.
        """
        from redtool.rewriting import rewrite

        rewrite(self, path)


def _resolve(pairs: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str, Parameter, str]]:
    """Look the names of a CONFIG SET up: (name as typed, name without alias, parameter, text) each."""
    from redtool.parameters import ALIASES, NAMES, PARAMETERS

    named: list[tuple[str, str, Parameter, str]] = []
    seen: set[str] = set()
    for key, value in pairs:
        shown = _decode(key)
        lower = shown.lower()
        if lower not in NAMES:
            raise errors.UnknownParameter(shown.replace("\r", " ").replace("\n", " "))
        name = ALIASES.get(lower, lower)
        parameter = PARAMETERS[name]
        if parameter.fixed:
            raise errors.ConfigSetFailed(shown, f"can't set {parameter.fixed} config")
        if lower in seen:
            raise errors.ConfigSetFailed(shown, "duplicate parameter")
        seen.add(lower)
        named.append((shown, name, parameter, _decode(value)))
    return named


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _working_directory() -> str:
    from os import getcwd

    return getcwd()
