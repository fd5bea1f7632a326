"""The options of every way in, the verbs, and how a command line is read: without argparse or typer.

As in redis-cli, option parsing stops at the first word that does not start with ``-``; ``--`` makes
what follows a Redis command always. After a verb the same options are taken by ``extract``.
"""

from __future__ import annotations

from redtool.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Shell = Callable[["Options", Any, str], int]

# option -> (name, takes a value, what it is for). The cli's help, man page and completions are made from this table.
OPTIONS: dict[str, tuple[str, str, str]] = {
    "--store": ("store", "DIR", "use the store in this directory, or open a dump.rdb read-only"),
    "--mem": ("mem", "", "use a store in memory that keeps nothing"),
    "-u": ("url", "URL", "connect to redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://"),
    "--url": ("url", "URL", "the same as -u"),
    "-t": ("target", "NAME", "a named target from the config file"),
    "--target": ("target", "NAME", "the same as -t"),
    "-h": ("host", "HOST", "server host (default 127.0.0.1)"),
    "-p": ("port", "PORT", "server port (default 6379)"),
    "-s": ("socket", "PATH", "server unix socket"),
    "-c": ("cluster", "", "the server is one of a cluster: find the others, follow MOVED and ASK"),
    "--cluster": ("cluster", "", "the same as -c"),
    "-n": ("db", "N", "database number"),
    "-a": ("password", "PASSWORD", "password (better: --askpass or REDISCLI_AUTH)"),
    "--pass": ("password", "PASSWORD", "the same as -a"),
    "--user": ("user", "NAME", "ACL user name"),
    "--askpass": ("askpass", "", "ask for the password"),
    "--password-file": ("password_file", "FILE", "read the password from a file"),
    "--password-command": ("password_command", "CMD", "run a command that prints the password"),
    "--tls": ("tls", "", "use TLS"),
    "--cacert": ("cacert", "FILE", "CA certificates to verify the server with"),
    "--cert": ("cert", "FILE", "client certificate"),
    "--key": ("key", "FILE", "key of the client certificate"),
    "--sni": ("sni", "NAME", "server name to ask for"),
    "--insecure": ("insecure", "", "do not verify the server's certificate"),
    "--connect-timeout": ("connect_timeout", "SECONDS", "how long to wait for a connection (default 5)"),
    "-2": ("resp2", "", "speak RESP2"),
    "-3": ("resp3", "", "speak RESP3"),
    "--wait": ("lock_wait", "SECONDS", "how long to wait for a store in use (default 5)"),
    "--raw": ("raw", "", "print the reply's bytes as they are"),
    "--human": ("human", "", "print for people: types, quotes, tables"),
    "--no-raw": ("human", "", "the same as --human"),
    "--json": ("json", "", "print one line of JSON a reply"),
    "--csv": ("csv", "", "print CSV"),
    "--pretty": ("pretty", "", "lay out JSON strings over several lines"),
    "--color": ("color", "WHEN", "auto, always or never"),
    "--no-pager": ("no_pager", "", "never use the pager"),
    "-x": ("stdin", "", "read the last argument from stdin"),
    "-r": ("repeat", "N", "run the command N times (-1: for ever)"),
    "-i": ("interval", "SECONDS", "wait between repeats"),
    "-e": ("errexit", "", "stop a script at the first error"),
    "--errexit": ("errexit", "", "the same as -e"),
    "--test": ("test", "", "exit 1 when the reply is nil, 0, false or empty"),
    "--help": ("help", "", "show help; of a verb or a Redis command: redtool --help scan"),
    "--version": ("version", "", "show the version"),
    "-v": ("version", "", "the same as --version"),
}

# first option of a section of OPTIONS -> the section's heading
SECTIONS = {"--store": "Where", "--raw": "Output", "-x": "Running", "--help": "Other"}

# Words that are redtool's own in lower case (DESIGN 7); cli/ has a module for each.
VERBS: dict[str, str] = {
    "demo": "fill a scratch store with an example of everything and look around",
    "repl": "the interactive terminal, also where stdin is no terminal",
    "open": "open a dump for reading, or a store's directory",
    "run": "run the commands of a file, one a line",
    "serve": "a server on a store, for any client of Redis; reads a redis.conf",
    "scan": "go through all keys, by pattern and type, with TTL and size",
    "memory": "how much memory keys take",
    "policy": "what is dropped when memory is full: show, list, set",
    "config": "read and change the configuration",
    "bgsave": "save dump.rdb in the background",
    "backup": "copy a store, or save a dump of a store or server",
    "copy": "copy the keys of a store, dump or server into another one",
    "diff": "what is not the same in two stores, dumps or servers",
    "aof": "the append only file: status, rewrite, check, fix, log",
    "rdb": "look into an RDB file: check, info, json, keys",
    "help": "show help, of a verb or a Redis command",
}

def as_typed(flag: str) -> str:
    """The option that sets a flag, as a person types it."""
    return next(option for option, (name, _, _) in OPTIONS.items() if name == flag)


FORMATS = ("raw", "human", "json", "csv")


class Options:
    """What stood before the command: ``flags`` by name ("yes", or the value's text) and the ``words`` after."""

    __slots__ = ("flags", "forced", "shell", "words")

    def __init__(self) -> None:
        self.flags: dict[str, str] = {}
        self.words: list[str] = []
        self.shell: Shell = _no_shell  # opens the REPL for a verb: __main__ knows how, cli/ must not
        self.forced = False  # after "--": the words are a Redis command

    def get(self, name: str, default: str = "") -> str:
        return self.flags.get(name, default)

    def with_words(self, words: list[str]) -> Options:
        """The same options before other words, a Redis command's."""
        other = Options()
        other.flags, other.words, other.forced = self.flags, words, True
        return other


def _no_shell(options: Options, backend: Any, greeting: str) -> int:
    raise UsageError("no interactive terminal here")


def parse(argv: list[str]) -> Options:
    """Split a command line into options and words. UsageError names what is wrong."""
    out = Options()
    at, count = 0, len(argv)
    while at < count:
        word = argv[at]
        if word[:1] != "-" or word == "-":
            break
        if word == "--":
            out.forced = True
            at += 1
            break
        at = take(argv, at, out.flags)
    out.words = argv[at:]
    return out


def extract(words: list[str], own: Mapping[str, bool], flags: dict[str, str], operands: int = 0) -> list[str]:
    """Move the shared options among a verb's words into ``flags``; gives the rest, what follows ``--`` untouched.

    ``own`` are the verb's own options and whether they take a value; they win. A negative number is a word. After
    so many ``operands`` (0: no such end) a word begins a command, which is left as it is.
    """
    rest: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        name = word.partition("=")[0] if word[:2] == "--" else word
        if word == "--":
            return rest + words[at:]
        if name in own:
            step = 2 if own[name] and name == word else 1
            rest += words[at : at + step]
            at += step
        elif word[:1] != "-" or word == "-" or word[1:2].isdigit() or name not in OPTIONS:
            if operands and len(rest) == operands:
                return rest + words[at:]
            rest.append(word)
            at += 1
        else:
            at = take(words, at, flags)
    return rest


def take(words: list[str], at: int, flags: dict[str, str]) -> int:
    """Read the option at a position into ``flags``; gives the position after it."""
    word = words[at]
    name, equals, value = word.partition("=") if word[:2] == "--" else (word, "", "")
    option = OPTIONS.get(name)
    if option is None:
        raise UsageError(_unknown(name))
    key, metavar, _ = option
    if not metavar:
        if equals:
            raise UsageError(f"{name} takes no value")
        value = "yes"
    elif not equals:
        at += 1
        if at >= len(words):
            raise UsageError(f"{name} needs a value: {name} {metavar}" + ("; for help: --help" if name == "-h" else ""))
        value = words[at]
    if key in FORMATS:
        for other in FORMATS:  # the last one counts
            flags.pop(other, None)
    flags[key] = value
    return at + 1


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, OPTIONS, 1, 0.75) if name[:2] == "--" else []
    return f"unknown option {name}; " + (f"did you mean {near[0]}?" if near else "see redtool --help")
