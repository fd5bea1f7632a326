"""The manifest of a multi-part AOF: which files, in which order, make up the dataset.

A line is ``file NAME seq N type T``, T being b (base), i (increment) or h (history: no longer needed, to be deleted).
Names with blanks or odd bytes are quoted as in redis-cli. Unknown pairs on a line are ignored, as servers do.
"""

from __future__ import annotations

import os

from redtool import errors
from redtool.persist.files import replace, write_all

MAX_LINE = 1024
BASE, INCREMENT, HISTORY = "b", "i", "h"


class Part:
    """One file of the AOF."""

    __slots__ = ("kind", "name", "seq")

    def __init__(self, name: str, seq: int, kind: str) -> None:
        self.name, self.seq, self.kind = name, seq, kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and (self.name, self.seq, self.kind) == (other.name, other.seq, other.kind)

    def __repr__(self) -> str:
        return f"Part({self.name!r}, {self.seq}, {self.kind!r})"


class Manifest:
    """Base, history and increments, each in load order."""

    __slots__ = ("base", "history", "increments")

    def __init__(self, base: Part | None = None, increments: list[Part] | None = None) -> None:
        self.base = base
        self.history: list[Part] = []
        self.increments: list[Part] = increments or []

    @property
    def parts(self) -> list[Part]:
        """The files that make up the dataset, in load order."""
        return [self.base, *self.increments] if self.base else self.increments

    def next_increment(self, filename: str) -> Part:
        """The increment that would follow the last one."""
        seq = self.increments[-1].seq + 1 if self.increments else 1
        return Part(f"{filename}.{seq}.incr.aof", seq, INCREMENT)

    def next_base(self, filename: str) -> Part:
        """The base that would follow this one."""
        seq = self.base.seq + 1 if self.base else 1
        return Part(f"{filename}.{seq}.base.rdb", seq, BASE)

    def superseded(self, base: Part, increments: list[Part]) -> Manifest:
        """The manifest once ``base`` stands for everything before ``increments``; the rest is history."""
        after = Manifest(base, increments)
        gone = [part for part in self.parts if part not in increments]
        after.history = [*self.history, *(Part(part.name, part.seq, HISTORY) for part in gone)]
        return after

    def format(self) -> bytes:
        parts = [self.base] if self.base else []
        return b"".join(_line(part) for part in (*parts, *self.history, *self.increments))


def path_of(folder: str, filename: str) -> str:
    """Where the manifest of the AOF ``filename`` lies."""
    return os.path.join(folder, filename + ".manifest")


def read(path: str) -> Manifest | None:
    """Read a manifest file; None when there is none."""
    try:
        with open(path, "rb", buffering=0) as file:
            return parse(file.read(), path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise errors.StoreError(f"cannot read {path}: {error.strerror}") from None


def write(path: str, manifest: Manifest) -> None:
    """Replace a manifest file so that a crash leaves either the old or the new one. Raises OSError."""
    folder, name = os.path.split(path)
    replace(path, os.path.join(folder, f"temp-{name}"), lambda fd: _fill(fd, manifest.format()))


def _fill(fd: int, data: bytes) -> None:
    write_all(fd, data)
    os.fsync(fd)


def parse(data: bytes, path: str = "manifest") -> Manifest:
    """Parse a manifest as strictly as a server does; CorruptFile names the line's offset."""
    manifest = Manifest()
    offset = 0
    try:
        if not data:
            raise ValueError("the manifest is empty")
        while offset < len(data):
            end = data.find(b"\n", offset, offset + MAX_LINE)
            if end < 0:
                raise ValueError("a line is too long or has no end")
            if data[offset] != 35:
                _add(manifest, _part(data[offset:end]))
            offset = end + 1
        if not manifest.parts and not manifest.history:
            raise ValueError("the manifest names no file")
        if {part.name for part in manifest.parts} & {part.name for part in manifest.history}:
            raise ValueError("a file in the manifest is both needed and to be deleted")
    except ValueError as error:
        raise errors.CorruptFile(path, offset, str(error)) from None
    return manifest


def _part(line: bytes) -> Part:
    words = _words(line.strip(b" \t\r\n"))
    if not words:
        raise ValueError("empty line in the manifest")
    if len(words) < 6 or len(words) % 2:
        raise ValueError("a line of the manifest is not 'file NAME seq N type T'")
    pairs = {key.lower(): value for key, value in zip(words[::2], words[1::2], strict=True)}
    name, seq, kind = pairs.get(b"file", b""), pairs.get(b"seq", b""), pairs.get(b"type", b"")
    if not name or not seq or not kind:
        raise ValueError("a line of the manifest lacks file, seq or type")
    if b"/" in name or name in (b".", b".."):
        raise ValueError("a file in the manifest has a path, not a name")
    if b"\0" in name:
        raise ValueError("a file in the manifest has a name that no file can have")
    number = int(seq) if seq.isdigit() and len(seq) < 19 else 0
    if not number:
        raise ValueError("a sequence number in the manifest is not a positive number")
    return Part(os.fsdecode(name), number, kind.decode("latin-1"))


def _add(manifest: Manifest, part: Part) -> None:
    if part.kind == BASE:
        if manifest.base:
            raise ValueError("the manifest names two bases")
        manifest.base = part
    elif part.kind == HISTORY:
        manifest.history.append(part)
    elif part.kind == INCREMENT:
        if manifest.increments and part.seq <= manifest.increments[-1].seq:
            raise ValueError("increments in the manifest are out of order")
        manifest.increments.append(part)
    else:
        raise ValueError("unknown file type in the manifest")


def _line(part: Part) -> bytes:
    name = os.fsencode(part.name)
    if any(byte <= 32 or byte > 126 or byte in b"\"'\\" for byte in name):
        from redtool.words import quote

        name = quote(name)
    return b"file %b seq %d type %b\n" % (name, part.seq, part.kind.encode())


def _words(line: bytes) -> list[bytes]:
    if b'"' not in line and b"'" not in line:
        return line.split()
    from redtool.words import split

    try:
        return split(line)
    except errors.QuotingError as error:
        raise ValueError(str(error)) from None
