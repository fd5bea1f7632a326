"""Server URLs and host:port texts taken apart into settings, the words of backends/target.py."""

from __future__ import annotations

from redtool.errors import UsageError

SCHEMES = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}

# query parameter of a URL -> setting; the ssl_ names are redis-py's
QUERY = {
    "db": "db",
    "username": "username",
    "password": "password",
    "protocol": "resp",
    "timeout": "timeout",
    "socket_connect_timeout": "timeout",
    "cacert": "cacert",
    "ssl_ca_certs": "cacert",
    "cert": "cert",
    "ssl_certfile": "cert",
    "key": "key",
    "ssl_keyfile": "key",
    "sni": "sni",
}


def from_url(url: str) -> dict[str, str | bool]:
    """Take a URL apart. Messages show the scheme only: anything else may be a secret."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    rest, _, query = rest.partition("#")[0].partition("?")
    found: dict[str, str | bool] = {}
    if scheme == "unix":
        user, at, path = rest.rpartition("@") if not rest.startswith("/") else ("", "", rest)
        found["socket"] = plain(path)
        if not path:
            raise UsageError("unix://…: the path of the socket is missing")
    elif scheme in SCHEMES:
        netloc, _, path = rest.partition("/")
        user, at, place = netloc.rpartition("@")
        try:
            found |= host_and_port(place) if place else {"host": "127.0.0.1"}
        except UsageError as error:
            raise UsageError(f"{scheme}://…: {str(error).rpartition(': ')[2]}") from None
        if SCHEMES[scheme]:
            found["tls"] = True
        if path.strip("/"):
            found["db"] = path.strip("/")
    else:
        raise UsageError(f"{scheme}://…: unknown scheme; use redis://, rediss://, valkey://, valkeys:// or unix://")
    if at:
        name, colon, password = user.partition(":")
        if name:
            found["username" if colon else "userinfo"] = plain(name)
        if password:
            found["password"] = plain(password)
    found |= _from_query(scheme, query)
    if "db" in found:
        number(str(found["db"]), f"{scheme}://…: db")
    return found


def _from_query(scheme: str, query: str) -> dict[str, str | bool]:
    found: dict[str, str | bool] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name == "ssl_cert_reqs":
            found["insecure"] = value == "none"
        elif name in QUERY:
            found[QUERY[name]] = plain(value)
        else:
            raise UsageError(f"{scheme}://…: unknown parameter '{name}'; known are {', '.join(sorted(QUERY))}")
    return found


def host_and_port(text: str) -> dict[str, str | bool]:
    """Read ``host``, ``host:port``, ``:port`` or ``[v6]:port``."""
    if text.startswith("["):
        host, _, tail = text[1:].partition("]")
        if tail and not tail.startswith(":"):
            raise UsageError(f"{text}: an address in brackets is followed by :port")
        port = tail[1:]
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    found: dict[str, str | bool] = {"host": plain(host) or "127.0.0.1"}
    if port:
        port_number(port, f"{text}: port")
        found["port"] = port
    return found


def number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{what} must be a number")
    return int(text)


def port_number(text: str, what: str) -> int:
    port = number(text, what)
    if not 0 < port < 65536:
        raise UsageError(f"{what} must be between 1 and 65535")
    return port


def plain(text: str) -> str:
    """Undo percent-encoding. (urllib.parse would cost a third of the start-up time.)"""
    head, *parts = text.split("%")
    plain = head.encode("utf-8", "surrogateescape")
    for part in parts:
        try:
            plain += bytes.fromhex(part[:2]) if len(part[:2].strip()) == 2 else b"%" + part[:2].encode()
        except ValueError:
            plain += b"%" + part[:2].encode("utf-8", "surrogateescape")
        plain += part[2:].encode("utf-8", "surrogateescape")
    return plain.decode("utf-8", "surrogateescape")


def escape(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-._~" else "".join(f"%{b:02X}" for b in c.encode()) for c in text)
