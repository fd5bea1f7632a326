"""``redtool backup``: a copy of a store's directory, or one dump of a store or server."""

from __future__ import annotations

import os
from time import monotonic
from typing import Annotated, Any

import typer

from redtool import exits, oneshot
from redtool.backends import lock_wait, open_backend
from redtool.backends.attached import Attached
from redtool.backends.target import resolve
from redtool.cli.output import note, progress, show_facts, size_text
from redtool.cli.place import configuration
from redtool.cli.rdbformat import RdbFormat, versions
from redtool.errors import CorruptFile, StoreError, StoreLocked, UsageError
from redtool.options import Options
from redtool.persist.walk import WRONG, Walk, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends.target import Target
    from redtool.persist.backup import Backup

NAME = "backup"
ATTEMPTS = 5  # when the journal is rewritten while it is copied
PLAIN = "0010"  # which most servers load
VALKEY = "9.0.0"  # from which version on it knows the format valkey080
EXAMPLES = """
redtool backup backups/monday
redtool backup backups/monday --store ./mystore --link
redtool backup --rdb monday.rdb
redtool -u redis://prod:6379 backup --rdb prod.rdb && redtool open prod.rdb
redtool -u rediss://hosted:6380 backup --rdb hosted.rdb --scan
redtool --store prod.rdb backup --rdb for-valkey.rdb --rdb-format valkey080
"""

Facts = dict[str, tuple[object, object]]


def verb(
    ctx: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="[DIR]", help="where the copy goes; must not be there yet")] = "",
    rdb: Annotated[str, typer.Option("--rdb", metavar="FILE", help="save one dump there instead")] = "",
    link: Annotated[
        bool, typer.Option("--link", help="hard links to files that no longer change: at once, and without space")
    ] = False,
    scan: Annotated[
        bool, typer.Option("--scan", help="with --rdb: fetch key by key, where a server does not send its dump")
    ] = False,
    rdb_format: RdbFormat = "",
) -> int:
    """Copy a store's directory, or with --rdb save a dump of a store or of a server.

    The copy is read through, and gets its name when all of it is there. Others may use the store meanwhile: it holds
    what was written before it began, and perhaps a little more.
    It is a store: redtool open DIR, and a redis-server started on it has the same data. Nothing is ever written over.

    A server's directory cannot be copied from here. Its dump comes over the connection, as to a replica: all of the
    data at one moment, in the server's own format. It needs the right to run SYNC, which hosted servers rarely give:
    with --scan keys are fetched one by one (SCAN, DUMP), which is not the state of one moment.
    For other servers write it anew: redtool --store prod.rdb backup --rdb other.rdb --rdb-format 0010.
    """
    options: Options = ctx.obj
    target = resolve(options.flags)
    _refuse(directory, rdb, link, scan, rdb_format, target)
    began = monotonic()
    try:
        if directory:
            facts = _copy(directory, target, link, options)
        elif scan:
            facts = _gather(rdb, rdb_format or PLAIN, options)
        else:
            facts = _fetch(rdb, options) if target.remote else _dump(rdb, rdb_format, options)
    except OSError as error:
        oneshot.complain(f"redtool: no backup was made: {directory or rdb}: {(error.strerror or '').lower()}")
        return exits.ERROR_REPLY
    show_facts(facts, options)
    if oneshot.format_of(options) == "human":
        note(f"read through and whole; done in {monotonic() - began:.2f} s")
    return exits.OK


def _refuse(directory: str, rdb: str, link: bool, scan: bool, rdb_format: str, target: Target) -> None:
    """Options that do not go together."""
    if bool(directory) == bool(rdb):
        raise UsageError("where to? redtool backup DIR, or redtool backup --rdb FILE")
    if rdb == "-":
        raise UsageError("--rdb takes the name of a file; a dump is not written to a pipe")
    if rdb and os.path.lexists(rdb):
        raise UsageError(f"{rdb} is there already; a backup never writes over anything")
    if link and rdb:
        raise UsageError("--link is for a directory; a dump is written anew")
    if scan and not (rdb and target.remote):
        raise UsageError("--scan is for the dump of a server: redtool -u URL backup --rdb FILE --scan")
    if rdb_format:
        versions(rdb_format)
        if not rdb or (target.remote and not scan):
            raise UsageError("--rdb-format is for a dump of a store or of another dump: --rdb FILE, and no server")


def _copy(directory: str, target: Target, link: bool, options: Options) -> Facts:
    """Copy the store's files."""
    if target.kind != "embedded":
        what = {"remote": "a server's files are on its machine", "memory": "a store in memory has no files"}
        raise UsageError(f"{what.get(target.kind, 'a dump is one file')}; redtool backup --rdb FILE saves a dump")
    if not os.path.isdir(target.path):
        raise UsageError(f"there is no store {target.path}")
    backup, shared = copied(target.path, directory, link, options)
    if backup.cut and not shared:
        note(f"The last {backup.cut:,} bytes of the journal are an unfinished command, which the copy leaves out.")
    size = sum(backup.files.values())
    return {"backup": (directory, directory), "files": (len(backup.files), str(len(backup.files))),
            "linked": (len(backup.linked), str(len(backup.linked))), "size": (size, size_text(size))}  # fmt: skip


def copied(path: str, directory: str, link: bool, options: Options) -> tuple[Backup, bool]:
    """Copy a store's files, and tell whether somebody had it open meanwhile.

    What others write is in the journal before it is acknowledged, and is only ever added to it, so that its beginning
    is a state of the store, too; when it is rewritten meanwhile, the copy begins anew.
    """
    from redtool.persist.backup import Backup
    from redtool.persistence import CONFIG_FILE, take_lock
    from redtool.server.place import has_socket

    config = configuration(path)
    try:
        lock = take_lock(path, 0 if has_socket(path) else lock_wait(options.flags))
    except StoreLocked as error:
        if not (has_socket(path) and config["appendonly"]):
            raise
        lock, locked = -1, error
    try:
        for attempt in range(ATTEMPTS):
            backup = Backup(path, directory, config, CONFIG_FILE, link)
            try:
                with progress("copying files") as advance:
                    backup.run(advance)
                return backup, lock < 0
            except (StoreError, CorruptFile) as error:
                if lock >= 0 or attempt == ATTEMPTS - 1:
                    raise StoreError(f"no backup was made: {error}") from None
        raise locked
    finally:
        if lock >= 0:
            os.close(lock)


def _dump(path: str, rdb_format: str, options: Options) -> Facts:
    """Write a dump of a store, or of a dump: in the store's ``rdb-format`` unless told."""
    from redtool.persist.snapshot import dump
    from redtool.saving import contents

    backend: Any = open_backend(options)
    if isinstance(backend, Attached):
        directory = backend.directory
        backend.close()
        return _dump_copy(path, directory, rdb_format, options)
    try:
        store = backend.store
        version, fields_version = versions(rdb_format or store.config["rdb-format"])
        with progress("writing the dump") as advance:
            dump(path, contents(store), store.functions, version=version, fields_version=fields_version).write(advance)
    finally:
        backend.close()
    return _verified(path, path)


def _dump_copy(path: str, directory: str, rdb_format: str, options: Options) -> Facts:
    """The same of a store that somebody else has open: of a copy of it."""
    from shutil import rmtree

    temporary = f"{path}.store-{os.getpid()}"
    try:
        copied(directory, temporary, True, options)
        options.flags["store"] = temporary
        return _dump(path, rdb_format, options)
    finally:
        rmtree(temporary, ignore_errors=True)


def _gather(path: str, rdb_format: str, options: Options) -> Facts:
    """Fetch a server's keys one by one and write a dump of them."""
    from redtool.cli.gather import databases, functions
    from redtool.persist.snapshot import write_dump

    backend = open_backend(options)
    try:
        with progress("fetching keys") as advance:
            version, fields_version = versions(rdb_format)
            write_dump(path, databases(backend, advance), functions(backend), version=version,
                       fields_version=fields_version)  # fmt: skip
    finally:
        backend.close()
    return _verified(path, path)


def _fetch(path: str, options: Options) -> Facts:
    """Have a server send its dump."""
    from redtool.backends.fetch import BrokeOff, fetch_dump
    from redtool.persist.files import create, remove, sync_directory

    temporary = f"{path}.part-{os.getpid()}"
    fd = create(temporary)
    try:
        with progress("fetching the dump") as advance:
            try:
                fetch_dump(open_backend(options), fd, advance)
            except BrokeOff:
                os.ftruncate(fd, os.lseek(fd, 0, os.SEEK_SET))
                fetch_dump(open_backend(options), fd, advance, VALKEY)
        os.fsync(fd)
        facts = _verified(temporary, path)
        os.link(temporary, path)  # unlike renaming, it fails where something has come meanwhile
    finally:
        os.close(fd)
        remove(temporary)
    sync_directory(os.path.dirname(path) or ".")
    return facts


def _verified(path: str, name: str) -> Facts:
    """Read a dump through; what was written must be whole."""
    with opened(path) as data:
        walk = Walk(data, path)
        problems = [entry.problem for entry in walk if entry.problem]
        size = len(data)
    if problems or walk.checksum == WRONG:
        raise StoreError(f"the dump did not arrive whole: {problems[0] if problems else 'wrong checksum'}")
    return {"backup": (name, name), "format": (walk.format, walk.format),
            "keys": (walk.keys_seen, f"{walk.keys_seen:,}"), "size": (size, size_text(size))}  # fmt: skip
