"""TLS on a server's port: certificates as redis.conf names them, and sockets that the loop reads and writes as others.

The handshake is made by the first reads: a client that never comes to its end holds no more than an idle one.
"""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

from redtool import errors

if TYPE_CHECKING:
    from typing import Any, NoReturn

    from redtool.config import Config

RECORD = 1 << 14  # bytes of one record at most: a read of as many leaves nothing that the loop would not see
VERSIONS = {"tlsv1.2": ssl.TLSVersion.TLSv1_2, "tlsv1.3": ssl.TLSVersion.TLSv1_3}
OLD = ("tlsv1", "tlsv1.1", "sslv3")
CLIENTS = {"yes": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "no": ssl.CERT_NONE}
WATCHED = ("tls-auth-clients", "tls-ca-cert-dir", "tls-ca-cert-file", "tls-cert-file", "tls-ciphers",
           "tls-ciphersuites", "tls-dh-params-file", "tls-key-file", "tls-key-file-pass",
           "tls-prefer-server-ciphers", "tls-protocols", "tls-session-caching")  # fmt: skip
REFUSED = "Unable to update TLS configuration. Check server logs."
AGAIN = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Tls:
    """What new connections to a TLS port are secured with; CONFIG SET of a tls- parameter makes it anew.

    Raises ConnectError, which names the parameter and the file, when it cannot be made.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.context = context(config)
        for name in WATCHED:
            config.on_change(name, self._renew)

    def _renew(self, changed: object) -> None:
        try:
            self.context = context(self.config)
        except errors.ConnectError:
            raise errors.ReplyError(REFUSED) from None

    def secure(self, sock: socket.socket) -> Secured:
        """The server's end of a connection that has just been made."""
        return Secured(self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False))


class Secured:
    """A non-blocking TLS socket that behaves as a plain one: BlockingIOError where there is nothing yet, or no room."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.sock, self.family = sock, sock.family
        self.fileno, self.close = sock.fileno, sock.close
        self.getsockname, self.getpeername, self.setsockopt = sock.getsockname, sock.getpeername, sock.setsockopt

    def recv(self, most: int) -> bytes:
        """What has come, whole records of it; b"" at the end."""
        parts: list[bytes] = []
        left = max(most, RECORD)
        try:
            while left >= RECORD and (part := self.sock.recv(left)):
                parts.append(part)
                left -= len(part)
        except OSError as error:
            if not parts:
                _pass_on(error)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def send(self, data: bytes | memoryview) -> int:
        """Send as much as there is room for; what is left over must come again, before anything else."""
        view, sent = memoryview(data), 0
        try:
            while sent < len(view):
                sent += self.sock.send(view[sent : sent + RECORD])
        except OSError as error:
            if not sent:
                _pass_on(error)
        return sent

    def shutdown(self, how: int) -> None:
        """Say goodbye, as far as that goes at once."""
        with suppress(OSError, ValueError):
            self.sock.unwrap()
        self.sock.shutdown(how)


def _pass_on(error: OSError) -> NoReturn:
    """Raise what a plain socket would."""
    if isinstance(error, AGAIN):
        raise BlockingIOError from None
    raise error


def context(config: Config) -> ssl.SSLContext:
    """What the tls- parameters ask for; ConnectError names the one that cannot be had."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _set_versions(made, config["tls-protocols"])
    _load(made, config)
    _trust(made, config)
    if config["tls-prefer-server-ciphers"]:
        made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    if not config["tls-session-caching"]:
        made.options |= ssl.OP_NO_TICKET
    if ciphers := config["tls-ciphers"]:
        try:
            made.set_ciphers(ciphers)
        except ssl.SSLError:
            raise errors.ConnectError(f"tls-ciphers: none of {ciphers} is known here") from None
    if suites := config["tls-ciphersuites"]:
        set_suites: Any = getattr(made, "set_ciphersuites", None)
        if set_suites is None:
            raise errors.ConnectError("tls-ciphersuites: this Python cannot choose those of TLS 1.3; leave it out")
        set_suites(suites)
    return made


def _set_versions(made: ssl.SSLContext, words: str) -> None:
    """Allow the versions that tls-protocols names; 1.2 and 1.3 when it names none."""
    wanted = words.lower().split()
    unknown = [word for word in wanted if word not in VERSIONS and word not in OLD]
    versions = [VERSIONS[word] for word in wanted if word in VERSIONS]
    if unknown or (wanted and not versions):
        raise errors.ConnectError(f"tls-protocols: {words}: TLSv1.2 and TLSv1.3 are spoken here")
    made.minimum_version = min(versions, default=ssl.TLSVersion.TLSv1_2)
    made.maximum_version = max(versions, default=ssl.TLSVersion.TLSv1_3)


def _load(made: ssl.SSLContext, config: Config) -> None:
    """Take the certificate, its key and the parameters of Diffie-Hellman."""
    cert, key, dh = (config[name] for name in ("tls-cert-file", "tls-key-file", "tls-dh-params-file"))
    for name, path in (("tls-cert-file", cert), ("tls-key-file", key)):
        if not path:
            raise errors.ConnectError(f"{name} is not set: a TLS port needs a certificate and its key")
        _readable(name, path)
    asked: list[str] = []  # whether a password was: what went wrong then, OpenSSL does not say

    def password() -> str:
        asked.append(config["tls-key-file-pass"])
        return asked[0]

    try:
        made.load_cert_chain(cert, key, password)
    except ssl.SSLError as error:
        reason = _reason(error)
        if asked:
            reason = "the password is wrong" if asked[0] else "a password is needed: tls-key-file-pass"
        raise errors.ConnectError(f"tls-cert-file {cert} with tls-key-file {key}: {reason}") from None
    if dh:
        _readable("tls-dh-params-file", dh)
        try:
            made.load_dh_params(dh)
        except ssl.SSLError as error:
            raise errors.ConnectError(f"tls-dh-params-file {dh}: {_reason(error)}") from None


def _trust(made: ssl.SSLContext, config: Config) -> None:
    """Ask clients for certificates, as tls-auth-clients says, and know whose to believe."""
    made.verify_mode = CLIENTS[config["tls-auth-clients"]]
    file, directory = config["tls-ca-cert-file"], config["tls-ca-cert-dir"]
    if not file and not directory:
        if made.verify_mode != ssl.CERT_NONE:
            raise errors.ConnectError(
                "tls-ca-cert-file is not set, without which clients' certificates cannot be checked; tls-auth-clients "
                "no asks for none"
            )
        return
    if file:
        _readable("tls-ca-cert-file", file)
    if directory and not os.path.isdir(directory):
        raise errors.ConnectError(f"tls-ca-cert-dir {directory}: there is no such directory")
    try:
        made.load_verify_locations(file or None, directory or None)
    except ssl.SSLError as error:
        raise errors.ConnectError(f"tls-ca-cert-file {file}: {_reason(error)}") from None


def _readable(name: str, path: str) -> None:
    try:
        with open(path, "rb"):
            return
    except OSError as error:
        raise errors.ConnectError(f"{name} {path}: {(error.strerror or str(error)).lower()}") from None


def _reason(error: ssl.SSLError) -> str:
    """What OpenSSL says, in words."""
    words = (error.reason or "").lower().replace("_", " ")
    known = {"key values mismatch": "the key is not that of the certificate", "": "not a PEM file",
             "no start line": "not a PEM file", "no certificate or crl found": "not a PEM file"}  # fmt: skip
    return known.get(words, words)
