"""Look over the files of a store without opening it: what is in them, whether they are whole, and repair."""

from __future__ import annotations

import os

from redtool import errors
from redtool.persist import manifest as manifests
from redtool.persist.files import copy, sync_directory
from redtool.persist.replay import replay_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class _Counted(dict[bytes, "Any"]):
    """A dict to load into that keeps the number of values of each kind, and of keys a hash, to tell two of a name."""

    def __init__(self, kinds: dict[str, int]) -> None:
        super().__init__()
        self.kinds = kinds
        self.seen: set[int] = set()

    def __len__(self) -> int:
        return len(self.seen)

    def __setitem__(self, key: bytes, value: Any) -> None:
        self.seen.add(hash(key))
        kind = getattr(value, "kind", b"string").decode() if not isinstance(value, int) else "expires"
        self.kinds[kind] = self.kinds.get(kind, 0) + 1


class Contents:
    """What a file holds: ``databases`` maps a number to counts by kind of value, and under "expires" of deadlines."""

    def __init__(self) -> None:
        self.databases: dict[int, dict[str, int]] = {}
        self.facts: dict[bytes, bytes] = {}
        self.functions = 0
        self.warnings: list[str] = []
        self._counted: dict[int, tuple[_Counted, _Counted]] = {}

    def select(self, db: int) -> tuple[dict[bytes, Any], dict[bytes, int]]:
        if db not in self._counted:
            kinds = self.databases[db] = {}
            self._counted[db] = _Counted(kinds), _Counted(kinds)
        return self._counted[db]

    def sizes(self, keys: int, expires: int) -> None:
        """Counted instead."""

    def aux(self, name: bytes, value: bytes) -> None:
        self.facts[name] = value

    def function(self, code: bytes) -> None:
        self.functions += 1

    def run(self, batch: list[list[bytes]]) -> tuple[int, None]:
        """Counted by the replay."""
        return len(batch), None

    def use(self, db: int) -> None:
        """Commands are counted for all databases together."""


class FileReport:
    """One file of an AOF: its size, commands in it, bytes of it that are whole, and what is wrong with the rest."""

    def __init__(self, part: manifests.Part, path: str) -> None:
        self.name, self.kind, self.path = part.name, part.kind, path
        self.size = self.commands = self.whole = 0
        self.problem = ""
        self.torn = False  # nothing is wrong but that the last command or transaction is not all there
        self.contents = Contents()


def aof_files(directory: str, config: Mapping[str, Any]) -> list[FileReport]:
    """Read every file of the AOF in load order. Raises StoreError and, for the manifest, CorruptFile."""
    folder = os.path.join(directory, config["appenddirname"])
    found = manifests.read(manifests.path_of(folder, config["appendfilename"]))
    if found is None:
        raise errors.StoreError(f"no journal in {folder}")
    return [report_of(part, os.path.join(folder, part.name)) for part in found.parts]


def report_of(part: manifests.Part, path: str) -> FileReport:
    """Read one file of an AOF to its end, or to where it stops being whole."""
    report = FileReport(part, path)
    try:
        report.size, replay = replay_file(path, report.contents, report.contents.warnings.append)
    except FileNotFoundError:
        report.problem = "missing"
        return report
    except errors.CorruptFile as error:
        report.size, report.whole, report.problem = os.path.getsize(path), error.offset, error.reason
        return report
    report.commands, report.whole = replay.commands, replay.whole
    if report.whole < report.size:
        report.problem, report.torn = "ends inside a command or transaction", True
    return report


def fix_aof(directory: str, config: Mapping[str, Any]) -> tuple[FileReport, str] | None:
    """Cut the last file where it stops being whole; gives its report and where the cut bytes are kept.

    None when nothing is wrong. Damage in an earlier file or in the RDB part of one cannot be repaired: CorruptFile.
    """
    reports = aof_files(directory, config)
    wrong = [report for report in reports if report.problem]
    if not wrong:
        return None
    report = wrong[0]
    if report is not reports[-1] or report.problem == "missing" or report.kind == manifests.BASE:
        raise errors.CorruptFile(report.path, report.whole, report.problem, "only the last increment can be cut")
    kept = report.path + ".cut"
    copy(report.path, kept, report.whole)
    fd = os.open(report.path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(fd, report.whole)
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_directory(os.path.dirname(report.path))
    return report, kept
