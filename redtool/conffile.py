"""The configuration file in redis.conf syntax: read its values, rewrite it keeping what a person wrote.

A line is a directive and its words, quoted as on redis-cli's command line; ``#`` starts a comment line.
Directives that are no parameter (``include``, ``loadmodule``, a newer server's) are kept untouched.
"""

from __future__ import annotations

import os

from redtool import errors, words
from redtool.parameters import ALIASES, PARAMETERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from redtool.config import Config

HEAD = b"# Configuration of a redtool store, in redis.conf syntax. CONFIG SET writes here.\n"
PLACE = ("dir", "unixsocket", "pidfile")  # where a store is, said by whoever opens it, not by its file


def read(config: Config, path: str) -> None:
    """Take the values of a file over into ``config``."""
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
    except OSError as error:
        raise errors.StoreError(f"cannot read {path}: {(error.strerror or '').lower()}") from None
    values: dict[str, Any] = {}
    for number, name, arguments in directives(lines, path):
        try:
            values[name] = parse(name, arguments, values.get(name))
        except ValueError as error:
            raise errors.StoreError(f"{path}:{number + 1}: {name}: {error}") from None
    for name in PLACE:
        values.pop(name, None)
    config.update(values)
    config.users = [line.strip() for line in lines if is_user(line)]


def is_user(line: bytes) -> bool:
    """Whether a line defines a user."""
    return line.lower().split(None, 1)[:1] == [b"user"]


def directives(lines: list[bytes], path: str = "") -> Iterator[tuple[int, str, list[str]]]:
    """Give (line index, parameter, words) of every line that sets a known parameter.

    A line that cannot be split is an error in the file ``path``, or is passed over when there is no path.
    """
    for number, line in enumerate(lines):
        if line.lstrip()[:1] in (b"#", b""):
            continue
        try:
            name, *arguments = [word.decode("utf-8", "surrogateescape") for word in words.split(line)]
        except errors.QuotingError as error:
            if path:
                raise errors.StoreError(f"{path}:{number + 1}: {error}") from None
            continue
        name = ALIASES.get(name.lower(), name.lower())
        if name in PARAMETERS:
            yield number, name, arguments


def parse(name: str, arguments: list[str], before: Any) -> Any:
    """The typed value of a directive; ``before`` is what earlier lines of the file said, or None."""
    parameter = PARAMETERS[name]
    if not arguments or (len(arguments) > 1 and not parameter.words):
        raise ValueError("wrong number of arguments")
    value = parameter.parse(" ".join(arguments), parameter.default if before is None else before)
    if name == "save" and value and before:
        return before + value
    return value


def rewrite(config: Config, path: str) -> None:
    """Write the values of ``config`` into the file, which need not exist."""
    path = os.path.realpath(path)
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        mode = os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        lines, mode = [HEAD], 0o600
    replace(path, b"".join(edited(config, lines)), mode)


def edited(config: Config, lines: list[bytes]) -> list[bytes]:
    """The lines with the parameters that changed set anew, and those that are new appended."""
    where: dict[str, list[int]] = {}
    said: dict[str, Any] = {}
    for number, name, arguments in directives(lines):
        where.setdefault(name, []).append(number)
        try:
            said[name] = parse(name, arguments, said.get(name))
        except ValueError:
            said[name] = None
    out = with_users(lines, config.users)
    for name, numbers in where.items():
        if name not in PLACE and said[name] != config[name]:
            for number in numbers:
                out[number] = b""
            out[numbers[0]] = line_of(config, name)
    if out and not out[-1].endswith(b"\n") and out[-1]:
        out[-1] += b"\n"
    new = [name for name in PARAMETERS if name in config and name not in where and name not in PLACE]
    return out + [line_of(config, name) for name in new if config[name] != PARAMETERS[name].default]


def with_users(lines: list[bytes], users: list[bytes]) -> list[bytes]:
    """As many lines, in which these users are defined, where the first was or at the end of the last line."""
    places = [number for number, line in enumerate(lines) if is_user(line)]
    if [lines[number].strip() for number in places] == users:
        return list(lines)
    text = b"".join(line + b"\n" for line in users)
    if not places and users:
        out = list(lines)
        last = out.pop() if out else b""
        return [*out, last + (b"" if last[-1:] in (b"\n", b"") else b"\n") + text]
    out = [b"" if number in places else line for number, line in enumerate(lines)]
    if places:
        out[places[0]] = text
    return out


def line_of(config: Config, name: str) -> bytes:
    """One directive as a line, quoted where it must be."""
    parameter = PARAMETERS[name]
    text = parameter.show(config[name]).encode("utf-8", "surrogateescape")
    parts = text.split(b" ") if parameter.words and text else [text]
    return b" ".join([name.encode(), *map(quoted, parts)]) + b"\n"


def quoted(word: bytes) -> bytes:
    """Put a word in quotes if it would not be read back as it is."""
    plain = word and not any(c <= 32 or c >= 127 or c in b"\"'\\#" for c in word)
    return word if plain else words.quote(word)


def replace(path: str, data: bytes, mode: int) -> None:
    """Put a new file in the place of an old one, so that a crash leaves one or the other whole."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
