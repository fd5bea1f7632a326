"""Which files a word names: a store's or server's directory, its manifest, one file; else those of the store in use."""

from __future__ import annotations

import os

from redtool.backends.target import resolve
from redtool.config import Config
from redtool.errors import StoreError, UsageError
from redtool.options import Options
from redtool.persist import manifest as manifests
from redtool.persist.manifest import BASE, INCREMENT, Part

MANIFEST = ".manifest"
KINDS = {BASE: "base", INCREMENT: "increment"}


def directory_of(word: str, options: Options) -> str:
    """The directory that is named, else that of the store in use. UsageError when there is none."""
    target = resolve(options.flags)
    if not word and target.kind != "embedded":
        raise UsageError("only files on this machine can be looked at; name a store's directory")
    directory = word or target.path
    if not os.path.isdir(directory):
        raise UsageError(f"{directory} is not a store's directory")
    return directory


def configuration(directory: str) -> Config:
    """The configuration of a store, which names its files."""
    from redtool.persistence import CONFIG_FILE

    config, path = Config(), os.path.join(directory, CONFIG_FILE)
    if os.path.exists(path):
        config.read(path)
    return config


class AofFiles:
    """The files of an AOF in load order. ``manifest`` is the path of what names them, "" for a file on its own."""

    def __init__(self, parts: list[Part], folder: str, manifest: str = "") -> None:
        self.parts, self.folder, self.manifest = parts, folder, manifest

    def path(self, part: Part) -> str:
        return os.path.join(self.folder, part.name)


def aof_files(word: str, options: Options) -> AofFiles:
    """The AOF that a word names. Raises UsageError, StoreError, and CorruptFile for the manifest."""
    if word and not os.path.isdir(word):
        if word.endswith(MANIFEST):
            return of_manifest(word)
        if not os.path.exists(word):
            raise StoreError(f"cannot read {word}: no such file or directory")
        folder, name = os.path.split(word)
        return AofFiles([Part(name, 1, BASE if name.endswith(".rdb") else INCREMENT)], folder)
    directory = directory_of(word, options)
    config = configuration(directory)
    usual = manifests.path_of(os.path.join(directory, config["appenddirname"]), config["appendfilename"])
    found = [usual] if os.path.exists(usual) else _manifests(directory, config["appenddirname"])
    if len(found) > 1:
        raise UsageError(f"{directory} has several manifests; name one: {', '.join(sorted(found))}")
    if found:
        return of_manifest(found[0])
    if os.path.isfile(os.path.join(directory, config["appendfilename"])):  # of Redis 6 and older
        return AofFiles([Part(config["appendfilename"], 1, INCREMENT)], directory)
    raise StoreError(f"no journal in {directory}")


def of_manifest(path: str) -> AofFiles:
    """The files that a manifest names."""
    found = manifests.read(path)
    if found is None:
        raise StoreError(f"cannot read {path}: no such file or directory")
    return AofFiles(found.parts, os.path.dirname(path), path)


def _manifests(directory: str, name: str) -> list[str]:
    """Manifests by other names than the configuration's: a server's directory may be named itself."""
    found: list[str] = []
    for folder in (directory, os.path.join(directory, name)):
        if os.path.isdir(folder):
            found += [os.path.join(folder, each) for each in os.listdir(folder)
                      if each.endswith(MANIFEST) and not each.startswith("temp-")]  # fmt: skip
    return found
