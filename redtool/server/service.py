"""A server from its start to its end: the store, where it listens, signals, saving, and what is left behind."""

from __future__ import annotations

import os
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, signal

from redtool import errors
from redtool.config import Config
from redtool.persistence import Persistence
from redtool.server.addresses import clear_socket, open_ports, process
from redtool.server.limits import make_descriptors
from redtool.server.listener import Listener
from redtool.server.log import LEVELS
from redtool.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.server.listener import Door
    from redtool.server.log import Log
    from redtool.server.setup import Setup
    from redtool.server.tls import Tls
    from redtool.session import Session

AGAIN = 0.1  # seconds until it is looked again whether a script has come to its end
# Parameters that say where, and why a server does not take another value
MOVED = {"bind": "Failed to bind to specified addresses.",
         "port": "Unable to listen on this port. Check server logs.",
         "tls-port": "Unable to listen on this port. Check server logs."}  # fmt: skip
NAMES = {SIGINT: "shutdown-on-sigint", SIGTERM: "shutdown-on-sigterm"}


class Service:
    """Opens a store and serves it: ``open``, ``run`` until it is stopped, ``close``."""

    def __init__(self, setup: Setup, log: Log, wait: float = 0.0) -> None:
        self.setup, self.log, self.wait = setup, log, wait
        self.store: Store
        self.listener: Listener
        self.persistence: Persistence | None = None
        self.addresses: list[tuple[str, int]] = []
        self._doors: list[Door] = []  # those of the addresses
        self.secure: list[tuple[str, int]] = []  # and those of the port for TLS
        self._tls: Tls | None = None
        self._open = ("", 0, 0)  # what bind, port and tls-port were when they were opened
        self.socket = ""
        self._pidfile = ""
        self._asked = False  # a signal has asked for the end

    @property
    def config(self) -> Config:
        return self.store.config

    # -- the beginning

    def open(self, free_port: bool = False) -> None:
        """Open the store and listen. Raises ConnectError; then nothing is left open."""
        self.store = self._open_store()
        try:
            make_descriptors(self.config, self.log.warning)
            self.listener = Listener(self.store, self.persistence)
            self._listen(free_port)
            self._leave_pid()
        except BaseException:
            self.close(save=False)
            raise
        self.store.log = lambda level, text: self.log.write(LEVELS[level], text.decode("utf-8", "surrogateescape"))
        self.config.on_change("loglevel", self._set_level)
        self.store.may_debug = self._may_debug
        for note in self.setup.notes:
            self.log.notice(note)
        if self.config["protected-mode"] and self._open_to_all():
            self.log.notice("without a password nobody but this machine is let in, whatever bind says (protected-mode)")

    def _set_level(self, level: object) -> None:
        self.log.level = str(level)

    def _may_debug(self, session: Session) -> bool:
        """Whether DEBUG is for a client: as enable-debug-command says, but always for who owns the store's files."""
        mode, address = self.config["enable-debug-command"], session.peer[0]
        local = address.startswith(("127.", "[::1]")) or address.endswith(":0")  # a unix socket
        return mode == "yes" or session.on_attach is not None or (mode == "local" and local)

    def _open_store(self) -> Store:
        setup = self.setup
        if not setup.directory:
            config = Config()
            path = setup.configure(config, "")
            store = Store(config)
            store.config_path = path
            if config.users or config["requirepass"] or config["aclfile"]:
                from redtool import aclfile

                aclfile.restore(store)
            return store
        try:
            self.persistence = Persistence.open(setup.directory, warn=self.log.warning, wait=self.wait, fork=True,
                                                configure=setup.configure)  # fmt: skip
        except errors.StoreLocked as error:
            owner = str(error).rpartition(" ")[2]
            if not owner.isdigit():
                raise
            raise errors.StoreLocked(f"the store {setup.directory} is in use by {process(int(owner))}") from None
        return self.persistence.store

    def _listen(self, free_port: bool) -> None:
        """Open every place that the configuration names, and the store's own for those who open it meanwhile."""
        config, listener = self.config, self.listener
        self._reopen((config["bind"], config["port"], config["tls-port"]), free_port)
        if self.addresses and self.addresses[0][1] != config["port"]:  # a free one: for this time
            config["port"] = config.given["port"] = self.addresses[0][1]
            self._open = (config["bind"], config["port"], config["tls-port"])
        if path := self.setup.place("unixsocket"):
            clear_socket(path)
            listener.listen_unix(path, config["unixsocketperm"] or 0o600)
            self.socket = path
        if not listener.doors:
            raise errors.ConnectError("nowhere to listen: there is neither a port nor a unixsocket")
        if self.persistence is not None:
            try:
                listener.share(self.persistence.directory)
            except (errors.RedtoolError, OSError) as error:
                self.log.warning(f"other processes cannot use the store meanwhile: {error}")
        for name, reason in MOVED.items():
            config.on_change(name, self._mover(reason))

    def _open_to_all(self) -> bool:
        """Whether others reach it, and need no password."""
        far = any(not host.startswith("127.") and host != "::1" for host, _ in self.addresses)
        return far and not self.config["requirepass"] and (self.store.acl is None or self.store.acl.open)

    def _mover(self, reason: str) -> Callable[[object], None]:
        """What CONFIG SET bind and port set off: listen elsewhere, or where it was if that cannot be."""

        def move(value: object) -> None:
            config, before = self.config, self._open
            wanted = (config["bind"], config["port"], config["tls-port"])
            if wanted == before:
                return
            self._close_ports()
            try:
                self._reopen(wanted)
            except errors.ConnectError as error:
                self._reopen(before)
                self.log.warning(str(error))
                raise errors.ReplyError(reason) from None

        return move

    def _close_ports(self) -> None:
        for door in self._doors:
            self.listener.doors.remove(door)
            self.listener.loop.forget(door.sock.fileno())
            door.close()
        self._doors, self.addresses, self.secure = [], [], []

    def _reopen(self, wanted: tuple[str, int, int], free_port: bool = False) -> None:
        """Listen on the ports of every address of ``bind``; nowhere without one."""
        before = len(self.listener.doors)
        self._open = wanted
        bind, port, tls_port = wanted
        opened = False
        try:
            if bind and (port or free_port):
                self.addresses = open_ports(self.listener, bind, port)
            if bind and tls_port:
                self.secure = open_ports(self.listener, bind, tls_port, self._secured())
            opened = True
        finally:
            self._doors = self.listener.doors[before:]
            if not opened:
                self._close_ports()

    def _secured(self) -> Tls:
        """What a port for TLS needs; made when there is one."""
        if self._tls is None:
            from redtool.server.tls import Tls

            self._tls = Tls(self.config)
        return self._tls

    def _leave_pid(self) -> None:
        """Write the file that ``pidfile`` names, as far as that goes."""
        path = self.setup.place("pidfile")
        if path:
            try:
                with open(path, "w") as file:
                    file.write(f"{os.getpid()}\n")
                self._pidfile = path
            except OSError as error:
                self.log.warning(f"cannot write {path}: {(error.strerror or '').lower()}")

    # -- at work

    def run(self, announce: Callable[[], object]) -> None:
        """Serve until SHUTDOWN, a signal, or ``listener.stop``. ``announce`` is called when signals are heeded."""
        before = {number: signal(number, self._signalled) for number in NAMES}
        before[SIGHUP] = signal(SIGHUP, SIG_IGN)
        try:
            announce()
            tell_supervisor(b"READY=1\nSTATUS=Ready to accept connections\n")
            self.listener.run()
        finally:
            tell_supervisor(b"STOPPING=1\n")
            for number, handler in before.items():
                signal(number, handler)

    def _signalled(self, number: int, frame: object) -> None:
        """End as SHUTDOWN does; asked a second time by Ctrl-C, at once and without saving."""
        if self._asked and number == SIGINT:
            self.log.warning("asked twice: ending without saving")
            self._tidy()
            os._exit(1)
        self._asked = True
        words = set(self.config[NAMES[number]].upper().encode().split())  # type: ignore[index]
        self.log.notice("ending: asked to by Ctrl-C" if number == SIGINT else "ending: asked to by SIGTERM")
        self.listener.soon(lambda: self._end(words))
        self.listener.loop.wake()

    def _end(self, words: set[bytes]) -> None:
        """Save where that is to be, and stop. What could not be saved goes on, unless FORCE is set."""
        from redtool.commands.server import save_last

        if self.store.busy:  # what would be saved is the work of half a script
            self.listener.loop.later(AGAIN, lambda: self._end(words))
            return
        try:
            save_last(self.store, words)
        except errors.ReplyError:
            self._asked = False
            self.log.warning("the data could not be saved, so the server goes on")
            return
        self.listener.shut_down(b"NOSAVE" in words)

    # -- the end

    def close(self, save: bool = True) -> None:
        """Let go of everything. A store of its own keeps its data in any case, unless it was told not to."""
        listener = getattr(self, "listener", None)
        if listener is not None:
            save = save and not listener.unsaved
            listener.close()
        self._tidy()
        if self.persistence is not None:
            if listener is not None and listener.cut_short:
                self.persistence.abandon()
            if save and self.store.full and self.store.eviction is not None:
                self.store.eviction.catch_up()
            self.persistence.close(save=save and self.config.at_once)

    def _tidy(self) -> None:
        """Take the pid file away."""
        if self._pidfile:
            from redtool.persist.files import remove

            remove(self._pidfile)
            self._pidfile = ""


def tell_supervisor(text: bytes) -> None:
    """Tell systemd, if it has asked for that."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path[:1] not in ("/", "@"):
        return
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        try:
            out.sendto(text, "\0" + path[1:] if path[:1] == "@" else path)
        except OSError:
            return
