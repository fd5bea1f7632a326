"""The two places that ``copy`` and ``diff`` name: which words are places, and how both are opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from redtool.backends import ADDRESSING, default_store, open_backend
from redtool.backends.target import TLS_SETTINGS, resolve
from redtool.cli.open import SIGNS
from redtool.errors import UsageError
from redtool.options import Options, as_typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend

SHARED = frozenset({*TLS_SETTINGS, "connect_timeout", "resp2", "resp3"})  # what holds for both places
FOREIGN = (ADDRESSING | {"store"}) - SHARED  # what says of one place where it is
DEFAULT = "default"  # names the store that is used when none is named


def is_place(word: str) -> bool:
    """Whether a word can only mean a store, dump or server, and no key."""
    if "://" in word or word[:1] in ("/", "@", "~") or word in (".", "..", ":memory:"):
        return True
    return word.startswith(("./", "../")) or word.endswith(".rdb") or is_store(word)


def is_store(path: str) -> bool:
    return os.path.isdir(path) and any(os.path.exists(os.path.join(path, name)) for name in SIGNS)


class Place:
    """A store, dump or server that a word names. TLS settings among the options hold for it if it is a server."""

    def __init__(self, word: str, options: Options) -> None:
        if wrong := sorted(options.flags.keys() & FOREIGN):
            raise UsageError(f"both places are words: leave out {as_typed(wrong[0])}; what is secret belongs "
                             "into a target of config.toml")  # fmt: skip
        self.options = options.with_words([])
        path = default_store() if word == DEFAULT else word if is_store(word) else ""
        kept = {name: value for name, value in options.flags.items() if name not in SHARED}
        self.options.flags = {**kept, "store": path} if path else {**kept, "url": word}
        try:
            remote = resolve(self.options.flags).remote
        except UsageError as error:
            if is_place(word):
                raise
            raise UsageError(f"{error}; a directory is written ./{word}") from None
        if remote:
            self.options.flags = {**options.flags, "url": word}
        self.target = resolve(self.options.flags)

    def must_be_there(self) -> None:
        """A typing error must not make a new store."""
        if self.target.kind == "memory":
            raise UsageError("a store in memory is empty, and gone in a moment")
        if self.target.kind == "embedded" and not is_store(self.target.path):
            raise UsageError(f"there is no store {self.target.path}")

    @property
    def clustered(self) -> bool:
        """Whether it has one database only."""
        return self.target.via == "cluster"


def must_differ(one: Place, other: Place) -> None:
    """The same place twice is a mistake."""
    a, b = one.target, other.target
    if a.remote or b.remote:
        same = a.remote and b.remote and str(a) == str(b)
    else:
        same = os.path.realpath(a.path) == os.path.realpath(b.path)
    if same:
        raise UsageError(f"both are {a}")


@contextmanager
def both(one: Place, other: Place) -> Iterator[tuple[Backend, Backend]]:
    """The two places, open."""
    first = open_backend(one.options)
    try:
        second = open_backend(other.options)
        try:
            yield first, second
        finally:
            second.close()
    finally:
        first.close()


def database(text: str) -> tuple[int, int] | None:
    """``--db``: N, or N:M for two numbers; None for none."""
    if not text:
        return None
    one, _, other = text.partition(":")
    if not one.isdigit() or not (other or one).isdigit() or text.endswith(":"):
        raise UsageError(f"--db takes a database's number, or two like 0:3, not '{text}'")
    return int(one), int(other or one)
