"""Copy the files of a store's directory into a new one, so that the copy opens with the same data.

The caller holds the directory's lock. Files are copied and synced before the manifest that names them is written, all
of it into a directory beside the target, which takes the target's name when it is complete and has been read
through: a backup is there as a whole or not at all.
"""

from __future__ import annotations

import os

from redtool import errors
from redtool.persist import manifest as manifests
from redtool.persist.check import report_of
from redtool.persist.files import PRIVATE_DIRECTORY, copy, sync_directory
from redtool.persist.manifest import Manifest, Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class Backup:
    """One backup under way. ``files`` maps the names of what was copied to bytes; ``linked`` are those not copied."""

    def __init__(self, directory: str, target: str, config: Mapping[str, Any], config_name: str, link: bool) -> None:
        self.directory, self.target, self.config, self.link = directory, target, config, link
        self.config_name = config_name
        self.staging = f"{target.rstrip('/')}.part-{os.getpid()}"
        self.files: dict[str, int] = {}
        self.linked: list[str] = []
        self.cut = 0  # bytes of an unfinished command that were left behind

    def run(self, advance: Callable[[int], None]) -> None:
        """Make it; ``advance`` is told how many files are done. Raises StoreError, CorruptFile, OSError."""
        _must_be_free(self.target)
        os.mkdir(self.staging, PRIVATE_DIRECTORY)
        try:
            self._copy_all(advance)
            os.rename(self.staging, self.target)
        except BaseException:
            from shutil import rmtree

            rmtree(self.staging, ignore_errors=True)
            raise
        sync_directory(os.path.dirname(os.path.abspath(self.target)))

    def _copy_all(self, advance: Callable[[int], None]) -> None:
        dump, old = self.config["dbfilename"], self.config["appendfilename"]
        manifest = self._manifest()
        if manifest is not None:
            self._copy_journal(manifest, advance)
        elif self._is_file(old):  # of Redis 6 and older: one file
            self._take(old, grows=True)
            self._verify(Part(old, 1, manifests.INCREMENT), old)
        if self._is_file(dump):
            self._take(dump)
            self._verify(Part(dump, 1, manifests.BASE), dump)
        if not self.files:
            raise errors.StoreError(f"{self.directory} holds no data")
        for name in (self.config_name, str(self.config["aclfile"] or "") if "aclfile" in self.config else ""):
            if name and "/" not in name and self._is_file(name):
                self._take(name, grows=True)
        sync_directory(self.staging)

    def _manifest(self) -> Manifest | None:
        folder = os.path.join(self.directory, self.config["appenddirname"])
        return manifests.read(manifests.path_of(folder, self.config["appendfilename"]))

    def _copy_journal(self, manifest: Manifest, advance: Callable[[int], None]) -> None:
        folder = self.config["appenddirname"]
        os.mkdir(os.path.join(self.staging, folder), PRIVATE_DIRECTORY)
        parts = manifest.parts
        for number, part in enumerate(parts):
            name = os.path.join(folder, part.name)
            self._take(name, grows=number == len(parts) - 1)
            self._verify(part, name, last=number == len(parts) - 1)
            advance(number + 1)
        after = self._manifest()
        if after is None or after.parts != parts:
            raise errors.StoreError(f"the files of {self.directory} changed meanwhile: is a server running on it?")
        path = manifests.path_of(os.path.join(self.staging, folder), self.config["appendfilename"])
        manifests.write(path, Manifest(manifest.base, manifest.increments))

    def _is_file(self, name: str) -> bool:
        return os.path.isfile(os.path.join(self.directory, name))

    def _take(self, name: str, grows: bool = False) -> None:
        """Copy a file, or link one that nobody writes to any more."""
        source, target = os.path.join(self.directory, name), os.path.join(self.staging, name)
        if self.link and not grows:
            try:
                os.link(source, target)
                self.linked.append(name)
                self.files[name] = os.path.getsize(target)
                return
            except OSError:
                self.link = False  # another file system, or one without links
        try:
            self.files[name] = copy(source, target)
        except FileNotFoundError:
            raise errors.CorruptFile(self.directory, 0, f"{name} is named but missing") from None

    def _verify(self, part: Part, name: str, last: bool = True) -> None:
        """Read a copied file; the unfinished end that a crash leaves on the last one is cut off the copy."""
        path = os.path.join(self.staging, name)
        report = report_of(part, path)
        if report.torn and last and part.kind != manifests.BASE:
            self.cut = report.size - report.whole
            os.truncate(path, report.whole)
            self.files[name] = report.whole
        elif report.problem:
            raise errors.CorruptFile(os.path.join(self.directory, name), report.whole, report.problem)


def _must_be_free(target: str) -> None:
    """Nothing that is there is written over; an empty directory may be taken."""
    if os.path.lexists(target) and not (os.path.isdir(target) and not os.listdir(target)):
        raise errors.UsageError(f"{target} is there already; a backup never writes over anything")
