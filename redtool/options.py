"""The options before the first word of the command line, read without argparse or typer.

As in redis-cli, option parsing stops at the first word that does not start with ``-``; ``--`` makes
what follows a Redis command always.
"""

from __future__ import annotations

from redtool.errors import UsageError

# option -> (name, takes a value, what it is for). The cli's help, man page and completions are made from this table.
OPTIONS: dict[str, tuple[str, str, str]] = {
    "--store": ("store", "DIR", "use the store in this directory, or open a dump.rdb read-only"),
    "--mem": ("mem", "", "use a store in memory that keeps nothing"),
    "-u": ("url", "URL", "connect to redis://, rediss:// or unix://"),
    "--url": ("url", "URL", "the same as -u"),
    "-t": ("target", "NAME", "a named target from the config file"),
    "--target": ("target", "NAME", "the same as -t"),
    "-h": ("host", "HOST", "server host (default 127.0.0.1)"),
    "-p": ("port", "PORT", "server port (default 6379)"),
    "-s": ("socket", "PATH", "server unix socket"),
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
    "--wait": ("lock_wait", "SECONDS", "how long to wait for a store in use (default 5)"),
    "--help": ("help", "", "show help"),
    "--version": ("version", "", "show the version"),
    "-v": ("version", "", "the same as --version"),
}


class Options:
    """What stood before the command: ``flags`` by name (True, or the value's text) and the ``words`` after."""

    __slots__ = ("flags", "forced", "words")

    def __init__(self) -> None:
        self.flags: dict[str, str] = {}
        self.words: list[str] = []
        self.forced = False  # after "--": the words are a Redis command

    def get(self, name: str, default: str = "") -> str:
        return self.flags.get(name, default)


def parse(argv: list[str]) -> Options:
    """Split a command line into options and words. UsageError names what is wrong."""
    out = Options()
    at, count = 0, len(argv)
    while at < count:
        word = argv[at]
        if word[:1] != "-" or word == "-":
            break
        at += 1
        if word == "--":
            out.forced = True
            break
        name, equals, value = word.partition("=") if word[:2] == "--" else (word, "", "")
        option = OPTIONS.get(name)
        if option is None:
            raise UsageError(f"unknown option {name}; see redtool --help")
        key, metavar, _ = option
        if not metavar:
            if equals:
                raise UsageError(f"{name} takes no value")
            out.flags[key] = "yes"
            continue
        if not equals:
            if at >= count:
                raise UsageError(f"{name} needs a value: {name} {metavar}")
            value = argv[at]
            at += 1
        out.flags[key] = value
    out.words = argv[at:]
    return out
