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
    "client-output-buffer-limit": "What the server holds for a client that does not read: a class (normal, pubsub), a "
    "hard limit, a soft one and for how many seconds that may be passed; 0: none. Beyond it the client is cut off.",
    "client-query-buffer-limit": "Most that is held of what a client has sent and that is no whole command yet.",
    "commandlog-reply-larger-than": "Bytes of a reply from which on COMMANDLOG notes the command; -1: none.",
    "commandlog-request-larger-than": "The same of a request.",
    "daemonize": "Go on in the background, as --detach does.",
    "dir": "The store's directory, in a redis.conf; it must be there.",
    "enable-debug-command": "Whether clients may run DEBUG: no, yes, or local: from this machine. Who opens the store "
    "may in any case.",
    "logfile": "Where the log goes; \"\": to standard error.",
    "loglevel": "How much of it: debug, verbose, notice, warning.",
    "maxclients": "Most clients; more are told so and let go.",
    "maxmemory-clients": "Most that the buffers of all clients may take, in bytes or in percent of maxmemory, before "
    "those who hold most are cut off; 0: no limit.",
    "pidfile": "File for the process number, removed at the end.",
    "port": "TCP port, 6379 where no file says another; 0: none. CONFIG SET moves.",
    "protected-mode": "Let nobody in from elsewhere as long as there is no password.",
    "shutdown-on-sigint": "What Ctrl-C does, in the words of SHUTDOWN; default: as without words.",
    "shutdown-on-sigterm": "The same of SIGTERM.",
    "supervised": "Tell systemd when it is ready (Type=notify), and stay in the foreground; auto: when it asks.",
    "tcp-backlog": "How many may wait to be let in.",
    "tcp-keepalive": "Seconds after which a silent client is asked whether it is still there; 0: never.",
    "timeout": "Seconds after which an idle client is let go; 0: never.",
    "tls-auth-clients": "Whether clients must have a certificate: yes, no, or optional.",
    "tls-ca-cert-dir": "Directory of the certificates by which those of clients are checked.",
    "tls-ca-cert-file": "File of them.",
    "tls-cert-file": "The server's certificate, in PEM.",
    "tls-ciphers": "Ciphers of TLS 1.2, in OpenSSL's words.",
    "tls-key-file": "Its key.",
    "tls-key-file-pass": "The password of the key.",
    "tls-port": "TCP port for TLS; 0: none.",
    "tls-protocols": "Versions of TLS that are spoken: TLSv1.2, TLSv1.3.",
    "unixsocket": "Path of a unix socket to listen on, too.",
    "unixsocketperm": "Its permissions; 0: the owner's alone.",
}  # fmt: skip
