"""What the parameters and directives mean that only a served store has a use for (redtool serve)."""

from __future__ import annotations

SERVED = """
redtool serve reads the same file, and any redis.conf that is named to it. A redis.conf is read as by redis-server: a
directive that nobody knows is refused, with its file and line; what the file does not say is as usual there; relative
names of included files begin where redtool was started. CONFIG SET writes redtool.conf at once, but a redis.conf is
written by CONFIG REWRITE alone. Not to be had: modules, replicas, cluster nodes; a file that asks for them is refused.
Of effect besides:
"""

# Directives that are no parameter.
DIRECTIVES = {
    "include FILE": "Read a file, or all that a pattern names, in this place. In redtool.conf relative names are those "
    "of files beside it.",
    "rename-command NAME OTHER": "Let a command go by another name alone; \"\" takes it away. The journal has the true "
    "one.",
    "user NAME RULES": "A user, as ACL SETUSER makes one.",
}  # fmt: skip

SERVING = {
    "bind": "Addresses to listen on; * and ::* are all; a - before one that may be missing. CONFIG SET moves.",
    "daemonize": "Go on in the background, as --detach does.",
    "dir": "The store's directory, in a redis.conf; it must be there.",
    "logfile": "Where the log goes; \"\": to standard error.",
    "loglevel": "How much of it: debug, verbose, notice, warning.",
    "pidfile": "File for the process number, removed at the end.",
    "port": "TCP port, 6379 where no file says another; 0: none. CONFIG SET moves.",
    "shutdown-on-sigint": "What Ctrl-C does, in the words of SHUTDOWN; default: as without words.",
    "shutdown-on-sigterm": "The same of SIGTERM.",
    "supervised": "Tell systemd when it is ready (Type=notify), and stay in the foreground; auto: when it asks.",
    "unixsocket": "Path of a unix socket to listen on, too.",
    "unixsocketperm": "Its permissions; 0: the owner's alone.",
}  # fmt: skip
