"""What no sane client sends: bytes that are almost a request, or nothing of the kind."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from random import Random

from tests.servers import Word, request

REQUESTS: list[tuple[Word, ...]] = [
    ("PING",), ("ECHO", "greeting"), ("SET", "k", "v"), ("GET", "k"), ("MGET", "k", "k2", "k3"), ("DEL", "k"),
    ("RPUSH", "list", "a", "b", "c"), ("LRANGE", "list", 0, -1), ("HSET", "h", "f", "v"), ("HGET", "h", "f"),
    ("SET", "k", "x" * 300), ("EXISTS", "k"), ("MULTI",), ("EXEC",), ("STRLEN", "k"), ("SETRANGE", "k", 2, "zz"),
]  # fmt: skip
NUMBERS = [b"0", b"-1", b"-0", b"+1", b" 1", b"1 ", b"01", b"1.0", b"1e3", b"", b"a", b"0x1", b"2147483647",
           b"2147483648", b"4294967296", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
           b"9" * 30, b"536870912", b"536870913", b"1048576", b"1000000", b"10000001", b"\x00"]  # fmt: skip
LINES = [b'SET a "b', b"SET a 'b", b'"', b'"\\x', b'"\\xzz" "a"', b"\x00\x00", b"PING\x00", b"GET", b"  ", b"PING  ",
         b"ping \t x", b"\xff\xfe", b"+OK", b":1", b"-ERR x", b"$3", b"$3\r\nabc", b"_", b"#t", b",1.5", b"%1", b"~1",
         b">2", b"|1", b"(1", b"=7\r\ntxt:abc", b"HELLO 3 x", b"*", b"*\r", b"$", b"GET / HTTP/1.1",
         b"POST / HTTP/1.1", b"Host: example", b"CONNECT a:1 HTTP/1.0",
         b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]  # fmt: skip


def pipeline(rng: Random) -> bytes:
    return b"".join(request(rng.choice(REQUESTS)) for _ in range(rng.randint(1, 5)))


def noise(rng: Random) -> bytes:
    return rng.randbytes(rng.choice((1, 3, 20, 200, 5000)))


def mutated(rng: Random) -> bytes:
    """Good requests with a few bytes changed, gone, doubled or moved."""
    data = bytearray(pipeline(rng))
    for _ in range(rng.randint(1, 3)):
        at, size = rng.randrange(len(data) or 1), rng.randint(1, 8)
        piece = data[at : at + size]
        how = rng.randrange(4)
        if how == 0:
            data[at : at + 1] = bytes((rng.choice(b"*$:-0123456789\r\n a\x00\xff"),))
        elif how == 1:
            del data[at : at + size]
        elif how == 2:
            data[at:at] = piece
        else:
            del data[at : at + size]
            to = rng.randrange(len(data) + 1)
            data[to:to] = piece
    return bytes(data)


def cut(rng: Random) -> bytes:
    data = pipeline(rng)
    return data[: rng.randrange(len(data))]


def absurd_count(rng: Random) -> bytes:
    """A number of words that cannot be, perhaps with some words."""
    return b"*" + rng.choice(NUMBERS) + b"\r\n" + rng.choice((b"", request(("PING",))[4:], b"$1\r\na\r\n" * 3))


def absurd_length(rng: Random) -> bytes:
    """A length of a word that cannot be, or that does not fit it."""
    return b"*2\r\n$4\r\nECHO\r\n$" + rng.choice(NUMBERS) + b"\r\n" + rng.choice((b"", b"abc\r\n", b"a", b"\r\n"))


def line(rng: Random) -> bytes:
    return rng.choice(LINES) + rng.choice((b"\r\n", b"\n", b"\r", b"", b"\r\nPING\r\n"))


def endless_line(rng: Random) -> bytes:
    """A line or a header longer than a server waits for."""
    return rng.choice((b"", b"*", b"*1\r\n$", b"PING ")) + rng.choice((b"1", b"a", b" ")) * rng.choice((60000, 70000))


def headers_only(rng: Random) -> bytes:
    return rng.choice((b"*0\r\n", b"*-1\r\n", b"\r\n", b"\n", b"*1\r\n")) * rng.choice((1, 3, 50))


def wrong_type(rng: Random) -> bytes:
    """Requests whose words are no bulk strings, or arrays themselves."""
    mark = rng.choice(b"*$:+-_#,(=!%~>|\x00")
    return b"*2\r\n" + bytes((mark,)) + rng.choice((b"1\r\n", b"4\r\nPING\r\n", b"\r\n", b"2\r\n$1\r\na\r\n"))


KINDS: dict[Callable[[Random], bytes], int] = {
    noise: 15, mutated: 40, cut: 10, absurd_count: 8, absurd_length: 8, line: 12, endless_line: 1, headers_only: 3,
    wrong_type: 6,
}  # fmt: skip


def malformed(rng: Random) -> bytes:
    """One frame of any kind; some kinds are now and then a good request."""
    (kind,) = rng.choices(list(KINDS), list(KINDS.values()))
    return kind(rng)


def exchange(path: str, data: bytes, wait: float = 30) -> bytes:
    """Send bytes, no more after them, and give what comes back until the server has closed the connection."""
    found = b""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.settimeout(wait)
        with suppress(ConnectionError):  # it may close before all was read
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while part := client.recv(65536):
                found += part
    return found
