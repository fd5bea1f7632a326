"""Server URLs and host:port texts taken apart into settings, the words of backends/target.py."""

from __future__ import annotations

import os

from redtool.errors import UsageError

SCHEMES = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}
# what may follow a scheme after a plus, and the port that its addresses have unless they say so
VIA = {"": 6379, "cluster": 6379, "sentinel": 26379}

# query parameter of a URL -> setting; the ssl_ names are redis-py's
QUERY = {
    "db": "db",
    "username": "user",
    "password": "password",
    "protocol": "resp",
    "timeout": "connect_timeout",
    "socket_connect_timeout": "connect_timeout",
    "cacert": "cacert",
    "ssl_ca_certs": "cacert",
    "cert": "cert",
    "ssl_certfile": "cert",
    "key": "key",
    "ssl_keyfile": "key",
    "sni": "sni",
    "sentinel_username": "sentinel_user",
    "sentinel_password": "sentinel_password",
}


def from_url(url: str) -> dict[str, str]:
    """Take a URL apart. Messages show the scheme only: anything else may be a secret."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    rest, _, query = rest.partition("#")[0].partition("?")
    found: dict[str, str] = {}
    if scheme == "unix":
        user, at, path = rest.rpartition("@") if not rest.startswith("/") else ("", "", rest)
        found["socket"] = plain(path)
        if not path:
            raise UsageError("unix://…: the path of the socket is missing")
    elif scheme.partition("+")[0] in SCHEMES and scheme.partition("+")[2] in VIA:
        netloc, _, path = rest.partition("/")
        user, at, place = netloc.rpartition("@")
        try:
            found |= _places(place, scheme.partition("+")[2], path.strip("/"))
        except UsageError as error:
            raise UsageError(f"{scheme}://…: {str(error).rpartition(': ')[2]}") from None
        if SCHEMES[scheme.partition("+")[0]]:
            found["tls"] = "yes"
    else:
        raise UsageError(f"{scheme}://…: unknown scheme; use redis://, rediss://, valkey://, valkeys:// or unix://; "
                         "redis+cluster:// and redis+sentinel:// with several addresses")  # fmt: skip
    if at:
        name, colon, password = user.partition(":")
        if name:
            found["user" if colon else "userinfo"] = plain(name)
        if password:
            found["password"] = plain(password)
    found |= _from_query(scheme, query)
    if "db" in found:
        number(found["db"], f"{scheme}://…: db")
    return found


def _places(text: str, via: str, path: str) -> dict[str, str]:
    """Read the addresses of a URL and what follows them: a database, or a master's name and a database."""
    found: dict[str, str] = {}
    if not via:
        found = host_and_port(text) if text else {"host": "127.0.0.1"}
    else:
        seeds(text, VIA[via])
        found = {"via": via, "seeds": text}
    if via == "sentinel":
        name, _, path = path.partition("/")
        if not name:
            raise UsageError("the name of the master is missing (redis+sentinel://HOST:26379/NAME)")
        found["master"] = plain(name)
    return found | ({"db": path} if path else {})


def seeds(text: str, port: int) -> tuple[tuple[str, int], ...]:
    """Read addresses between commas."""
    places = [host_and_port(place) for place in text.split(",") if place] or [{"host": "127.0.0.1"}]
    return tuple((place["host"], int(place.get("port", port))) for place in places)


def _from_query(scheme: str, query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name == "ssl_cert_reqs":
            found |= {"insecure": "yes"} if value == "none" else {}
        elif name in QUERY:
            found[QUERY[name]] = plain(value)
        else:
            if "@" in query:  # a password with a bare question mark: do not show its end
                raise UsageError(f"{scheme}://…: a '?' in a password is written %3F")
            raise UsageError(f"{scheme}://…: unknown parameter '{name}'; known are {', '.join(sorted(QUERY))}")
    return found


def host_and_port(text: str) -> dict[str, str]:
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
    found: dict[str, str] = {"host": plain(host) or "127.0.0.1"}
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
    head, *parts = os.fsencode(text).split(b"%")
    for part in parts:
        code = part[:2]
        known = len(code) == 2 and code.strip(b"0123456789abcdefABCDEF") == b""
        head += bytes((int(code, 16),)) + part[2:] if known else b"%" + part
    return os.fsdecode(head)


def escape(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-._~" else "".join(f"%{b:02X}" for b in c.encode()) for c in text)
