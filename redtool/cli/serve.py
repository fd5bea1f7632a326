"""``redtool serve``: a server on a store, for any client of Redis, for as long as it is wanted or a program runs."""

from __future__ import annotations

import os
from signal import signal
from typing import Annotated, Any

import typer

from redtool import exits, oneshot
from redtool.backends import ADDRESSING, default_store, is_dump, lock_wait
from redtool.cli.program import Program, environment, url_of
from redtool.commands.info import supervisor
from redtool.errors import ConnectError, RedtoolError, UsageError
from redtool.options import Options, as_typed
from redtool.server.log import Log
from redtool.server.service import Service
from redtool.server.setup import Setup, as_line

NAME = "serve"
EXAMPLES = """
redtool serve
redtool serve --port 7000 --requirepass secret --maxmemory 100mb --maxmemory-policy allkeys-lru
redtool serve --store ./mystore --port 0 --unixsocket /run/my.sock
redtool serve /etc/redis/redis.conf --port 7000 --daemonize no
redtool serve --detach && redtool -p 6379 PING && redtool -p 6379 SHUTDOWN
redtool serve -- pytest -q
"""
WAIT = {"lock_wait": "1"}  # seconds for the owner of the store to end, unless told
ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def verb(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="a redis.conf; - is stdin")] = "",
    program: Annotated[
        list[str] | None, typer.Argument(metavar="[-- CMD…]", help="a program: the server lives as long as it runs")
    ] = None,
    port: Annotated[
        str, typer.Option("--port", metavar="PORT", help="TCP port (6379); 0: a free one, beside others none")
    ] = "",
    bind: Annotated[str, typer.Option("--bind", metavar="HOST…", help="addresses to listen on (127.0.0.1 -::1)")] = "",
    unixsocket: Annotated[str, typer.Option("--unixsocket", metavar="PATH", help="a unix socket, too")] = "",
    requirepass: Annotated[str, typer.Option("--requirepass", metavar="PASSWORD", help="what clients must give")] = "",
    tls_port: Annotated[str, typer.Option("--tls-port", metavar="PORT", help="TCP port for TLS")] = "",
    tls_cert_file: Annotated[str, typer.Option("--tls-cert-file", metavar="FILE", help="its certificate")] = "",
    tls_key_file: Annotated[str, typer.Option("--tls-key-file", metavar="FILE", help="and the key of that")] = "",
    tls_ca_cert_file: Annotated[
        str, typer.Option("--tls-ca-cert-file", metavar="FILE", help="certificates that clients' ones are checked by")
    ] = "",
    maxmemory: Annotated[str, typer.Option("--maxmemory", metavar="SIZE", help="how much the data may take")] = "",
    appendonly: Annotated[str, typer.Option("--appendonly", metavar="YES|NO", help="whether to keep a journal")] = "",
    loglevel: Annotated[
        str, typer.Option("--loglevel", metavar="LEVEL", help="debug, verbose, notice or warning")
    ] = "",
    logfile: Annotated[str, typer.Option("--logfile", metavar="FILE", help="where the log goes (stderr)")] = "",
    pidfile: Annotated[str, typer.Option("--pidfile", metavar="FILE", help="write the process number there")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="go on in the background once it is ready")] = False,
    others: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="'NAME VALUE'", help="any other directive of redis.conf; also: --NAME VALUE"),
    ] = None,
) -> int:
    """Serve a store to any client of Redis, until Ctrl-C, SIGTERM or SHUTDOWN.

    The store is the usual one, --store DIR, or in memory with --mem. It listens on this machine alone, on port 6379.
    redtool.conf in the store is its configuration, and keeps what CONFIG SET changes, but not what is said here.
    While it runs, redtool and programs may use the store as before.

    FILE is a redis.conf with all that it may hold: what it does not say is as usual with redis-server (port 6379, save
    points, no journal). Its dir is the store. Any directive may follow as --NAME VALUE, which counts more than FILE.
    CONFIG REWRITE writes FILE anew and keeps its comments, order and includes.

    With -- CMD a program runs, and the server with it: on a free port, with an empty store in memory, unless --port,
    --store or FILE say otherwise. REDIS_URL, REDIS_HOST and REDIS_PORT tell it where. Its exit code is the program's.

    --detach comes back when the server is ready, or says why it is not; its log is then redtool.log in the store.
    """
    options: Options = ctx.obj
    given = {"port": port, "bind": bind, "unixsocket": unixsocket, "requirepass": requirepass, "tls-port": tls_port,
             "tls-cert-file": tls_cert_file, "tls-key-file": tls_key_file, "tls-ca-cert-file": tls_ca_cert_file,
             "maxmemory": maxmemory, "appendonly": appendonly, "loglevel": loglevel, "logfile": logfile,
             "pidfile": pidfile}  # fmt: skip
    words = [as_line(name, text) for name, text in given.items() if text]
    words += [as_line(*each.split(" ", 1)) for each in others or [] if _whole(each)]
    words += _short(options.flags)
    if program and detach:
        raise UsageError("--detach and a program exclude each other")
    flags = options.flags
    setup = Setup(file, words, _place(flags, program), forced="store" in flags or "mem" in flags)
    if "mem" in flags and setup.directory:
        raise UsageError("--mem and --dir exclude each other")
    free = port == "0" and not (unixsocket or tls_port)  # beside those 0 is none, as for a server
    if program:
        return _for_program(setup, program, options, free or "port" not in setup.in_file | setup.said.values.keys())
    background = detach or (setup.first["daemonize"] and not supervised(setup))
    return _in_background(setup, options, free) if background else _here(setup, options, free)


def _whole(text: str) -> bool:
    if " " not in text:
        raise UsageError("--set takes a directive and its value in one word: --set 'maxmemory 1gb'")
    return True


def _short(flags: dict[str, str]) -> list[bytes]:
    """What -p and -s mean here; other options of a client mean nothing."""
    wrong = {"host": "-h names a server; addresses to listen on: --bind", "password": "for a password: --requirepass",
             "user": "users stand in FILE, or in the store: redtool ACL SETUSER"}  # fmt: skip
    found = [as_line(name, flags[flag]) for flag, name in (("port", "port"), ("socket", "unixsocket")) if flag in flags]
    for name in sorted(ADDRESSING - {"port", "socket", "mem"}):
        if name in flags:
            reason = wrong.get(name, "the store is served, and no server: leave out " + as_typed(name))
            raise UsageError(reason if not name.startswith(("tls", "cert", "key", "cacert", "insecure", "sni"))
                             else "for TLS: --tls-port, --tls-cert-file, --tls-key-file")  # fmt: skip
    return found


def _place(flags: dict[str, str], program: list[str] | None) -> str:
    """The directory that is served, "" for memory."""
    if flags.get("store") and flags.get("mem"):
        raise UsageError("--store and --mem exclude each other")
    if flags.get("mem") or (program and "store" not in flags):
        return ""
    place = os.path.expanduser(flags.get("store") or default_store())
    if is_dump(place):
        raise UsageError(f"{place} is a dump, which is not served; redtool open {place} reads it")
    return place


def idle(setup: Setup) -> str:
    """The parameters that the file sets, and nothing comes of."""
    from redtool.docgen.facts import MEANINGS
    from redtool.docgen.serving import SERVING

    heeded = MEANINGS.keys() | SERVING.keys()
    return ", ".join(sorted({*setup.idle, *(setup.in_file - heeded)}))


def supervised(setup: Setup) -> bool:
    """Whether systemd or upstart has started this, and is told of it: then it must stay in the foreground."""
    return supervisor(setup.first["supervised"]) != "no"


# -- three ways to run


def _log(setup: Setup, usual: str = "", level: str = "") -> Log:
    """The log; a file that is named must be one that can be written."""
    log = Log(level or setup.first["loglevel"], setup.place("logfile") or usual)
    if setup.place("logfile"):
        try:
            open(log.path, "ab").close()
        except OSError as error:
            raise ConnectError(f"cannot write the log {log.path}: {(error.strerror or '').lower()}") from None
    return log


def _here(setup: Setup, options: Options, free_port: bool) -> int:
    """Serve in the foreground."""
    service = Service(setup, _log(setup), lock_wait(WAIT | options.flags))
    service.open(free_port)
    try:
        text = ready(service, "Ctrl-C stops it")
        if service.log.path:
            service.log.notice(text)
        if setup.first["loglevel"] in ("verbose", "debug") and (names := idle(setup)):
            service.log.verbose(f"without effect here: {names}")
        service.run(lambda: oneshot.write(text.encode("utf-8", "surrogateescape") + b"\n"))
    finally:
        service.close()
    service.log.notice("ended")
    return exits.OK


def _in_background(setup: Setup, options: Options, free_port: bool) -> int:
    """Come back when a process of its own serves, or cannot."""
    from redtool.server.detach import detach

    usual = os.path.join(setup.directory, "redtool.log") if setup.directory else os.devnull
    log = _log(setup, usual)

    def work(tell: Any) -> int:
        service = Service(setup, log, lock_wait(WAIT | options.flags))
        service.open(free_port)
        try:
            text = ready(service, f"to stop it: kill {os.getpid()}")
            log.notice(text)
            service.run(lambda: tell(text))
        finally:
            service.close()
        log.notice("ended")
        return exits.OK

    def failure(error: BaseException) -> tuple[str, int]:
        log.warning(str(error))
        code = exits.NO_TARGET if isinstance(error, ConnectError) else exits.ERROR_REPLY
        return str(error) if isinstance(error, RedtoolError | OSError) else repr(error), code

    text, code = detach(work, failure)
    if code:
        oneshot.complain(f"redtool: {text}")
    else:
        oneshot.write(text.encode("utf-8", "surrogateescape") + b"\n")
    return code


def _for_program(setup: Setup, words: list[str], options: Options, free_port: bool) -> int:
    """Serve while a program runs; gives its exit code. Ctrl-C is the program's business, SIGTERM is passed on."""
    quiet = "" if any(name in setup.said.values for name in ("loglevel", "logfile")) or setup.file else "warning"
    service = Service(setup, _log(setup, level=quiet), lock_wait(WAIT | options.flags))
    if free_port:
        setup.first["port"] = 0
        setup.words.append(b"port 0")
        setup.said = setup._command_line()
    service.open(free_port)
    try:
        host, port = reachable(service)
        url = url_of(host, port, service.socket, service.config["requirepass"])
        program = Program(words, environment(url, host, port))
        before = {number: signal(number, heard) for number, heard in program.hears.items()}
        try:
            if program.start(service.listener.stop):
                service.listener.run()
        finally:
            for number, handler in before.items():
                signal(number, handler)
    finally:
        service.close()
    return program.code


# -- what is said


def reachable(service: Service) -> tuple[str, int]:
    """An address on this machine; ("", 0) when there is only a unix socket."""
    host, port = next(iter([*service.addresses, *([] if service.socket else service.secure)]), ("", 0))
    return ALL.get(host, host), port


def ready(service: Service, how: str) -> str:
    """The line that says where a server is."""
    setup = service.setup
    host, port = reachable(service)
    places = [f"{f'[{each}]' if ':' in each else each}:{number}" for each, number in service.addresses]
    secure = [f"{f'[{each}]' if ':' in each else each}:{number} (TLS)" for each, number in service.secure]
    what = setup.directory or "a store in memory"
    url = url_of(host, port, service.socket, "PASSWORD" if service.config["requirepass"] else "")
    if port and not service.addresses:
        url = url.replace("redis://", "rediss://", 1)
    where = " and ".join([*places[:1], *secure[:1], *([service.socket] if service.socket else [])])
    return f"Serving {what} on {where}; {how}. REDIS_URL={url}"
