"""The journal: the multi-part AOF of a store directory, opened for appending.

Redis's layout and order of steps, so that a crash between any two leaves a directory that opens with the same data:
a file is written and synced before the manifest names it, and deleted after the manifest stopped naming it.
"""

from __future__ import annotations

import os
from time import monotonic

from redtool import errors
from redtool.persist import manifest as manifests
from redtool.persist.files import INDEX, PRIVATE_DIRECTORY, copy, create, remove, sync_directory, write_all
from redtool.persist.manifest import Manifest, Part
from redtool.persist.replay import HEADERS, repair_hint, replay_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from threading import Event, Thread
    from typing import Any, Protocol

    from redtool.persist.replay import Sink as ReplaySink
    from redtool.persist.save import Databases
    from redtool.persist.snapshot import Snapshot

    class Sink(ReplaySink, Protocol):
        def indexed(self, path: str, /) -> bool: ...

    Argv = Sequence[bytes]
    Warn = Callable[[str], None]

SYNC_SECONDS = 1.0  # appendfsync everysec
SLICE = 1024  # commands encoded at a time: what stays in the processor's cache
KEEP_TORN = 1 << 20  # a torn tail from this size on is kept beside the file


class Journal:
    """The open AOF of one directory. One process at a time: the caller holds the directory's lock.

    ``pending`` is the list of commands not yet written; ``append`` may be inlined as
    ``if db != journal.db: journal.select(db)`` and ``journal.pending.append(argv)``.
    ``length`` is the size of the current increment, ``size`` of all files, ``base_size`` what ``size`` was at the
    last rewrite or opening. ``replayed`` counts the commands that opening replayed, ``commands`` all there are to
    replay.
    """

    def __init__(self, directory: str, config: Mapping[str, Any], warn: Warn | None = None) -> None:
        self.directory, self.config = directory, config
        self.filename: str = config["appendfilename"]
        self.folder = os.path.join(directory, config["appenddirname"])
        self.manifest_path = manifests.path_of(self.folder, self.filename)
        self.manifest = Manifest()
        self.warn: Warn = warn or _quiet
        self.pending: list[Argv] = []
        self.db = -1  # selected by the last command in the increment; -1 none
        self.fd = -1
        self.length = self.others = self.base_size = self.replayed = self.commands = 0
        self._commands_before = 0  # of the increments that a running rewrite replaces
        self.rewriting = False
        self._ragged = False  # bytes beyond ``length`` may lie in the increment
        self._dirty = False  # written, not synced
        self._synced_at = monotonic()
        self._sync_error = ""
        self.trouble = ""  # why the latest write or sync failed, as the system puts it
        self.doubtful = False  # a sync failed: the system may have forgotten what it took before
        self._stop: Event | None = None
        self._thread: Thread | None = None

    # -- opening

    @classmethod
    def open(cls, directory: str, config: Mapping[str, Any], sink: Sink, warn: Warn | None = None) -> Journal:
        """Load the dataset through ``sink`` and open its last increment; a new directory gets an empty set of files.

        Raises CorruptFile for damage (a torn tail is cut, with a warning) and StoreError for what the system refuses.
        """
        self = cls(directory, config, warn)
        try:
            self.manifest = self._find()
            if self.manifest.parts:
                self._load(sink)
                self._open_last()
            else:
                self._create(sink)
        except OSError as error:
            self._close_fd()
            raise errors.StoreError(f"cannot open the journal in {self.folder}: {error.strerror}") from None
        except BaseException:
            self._close_fd()
            raise
        self.base_size = self.size
        return self

    @classmethod
    def start(cls, directory: str, config: Mapping[str, Any], databases: Databases, functions: Iterable[bytes] = (),
              warn: Warn | None = None) -> Journal:  # fmt: skip
        """Begin a journal from data in memory (CONFIG SET appendonly yes); files of an older one are superseded."""
        self = cls(directory, config, warn)
        self._make_folder()
        self.manifest = manifests.read(self.manifest_path) or Manifest()
        base, increment = self.manifest.next_base(self.filename), self.manifest.next_increment(self.filename)
        try:
            temporary = os.path.join(self.folder, f"temp-rewriteaof-{os.getpid()}.aof")
            base_size = self._base(temporary, databases, functions).write()
            os.rename(temporary, self._path(base))
            self._switch(increment)
            self._adopt(self.manifest.superseded(base, [increment]))
        except OSError as error:
            self._close_fd()
            raise errors.StoreError(f"cannot start the journal in {self.folder}: {error.strerror}") from None
        self.others = self.base_size = base_size
        return self

    def _find(self) -> Manifest:
        """The manifest, after taking over a single-file AOF of Redis 6 or older as Redis 7 does."""
        found = manifests.read(self.manifest_path) or Manifest()
        old = os.path.join(self.directory, self.filename)
        moved = os.path.join(self.folder, self.filename)
        base = found.base
        interrupted = base is not None and base.name == self.filename and not os.path.exists(moved)
        if (found.parts and (not interrupted or found.increments)) or not os.path.exists(old):
            return found
        found = Manifest(Part(self.filename, 1, manifests.BASE))
        self._make_folder()
        manifests.write(self.manifest_path, found)
        os.rename(old, moved)
        sync_directory(self.folder)
        sync_directory(self.directory)
        return found

    def _load(self, sink: Sink) -> None:
        self._delete_history()
        parts = self.manifest.parts
        for number, part in enumerate(parts):
            path = self._path(part)
            if number:
                sink.use(0)  # each file starts in database 0
            try:
                if not number and sink.indexed(path):
                    self.others += os.path.getsize(path)
                    continue
                size, replay = replay_file(path, sink, self.warn)
            except FileNotFoundError:
                raise errors.CorruptFile(self.manifest_path, 0, f"{part.name} is named but missing") from None
            self.replayed += replay.commands
            self.commands += replay.commands
            if replay.whole < size:
                self._torn(path, replay.whole, size, last=number == len(parts) - 1)
            self.others += replay.whole

    def _torn(self, path: str, whole: int, size: int, last: bool) -> None:
        """Cut what a crash left of the last command or transaction."""
        if not last or not self.config["aof-load-truncated"]:
            raise errors.CorruptFile(path, whole, "the file ends inside a command or transaction", repair_hint(path))
        kept = ""
        if size - whole >= KEEP_TORN:
            kept = f", kept in {os.path.basename(path)}.torn"
            copy(path, path + ".torn", whole)
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(fd, whole)
            os.fsync(fd)
        finally:
            os.close(fd)
        self.warn(f"{path}: cut {size - whole} bytes of an unfinished command at byte {whole}{kept}")

    def _open_last(self) -> None:
        """Go on in the last increment, or in a new one where there is none."""
        if self.manifest.increments:
            path = self._path(self.manifest.increments[-1])
            self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            self.length = os.lseek(self.fd, 0, os.SEEK_END)
            self.others -= self.length
        else:
            self._add_increment()

    def _create(self, sink: Sink) -> None:
        """Make the files of a new journal. A dump.rdb without a journal becomes its base, so that nothing is lost."""
        self._make_folder()
        self._refuse_strays()
        base = self.manifest.next_base(self.filename)
        temporary = os.path.join(self.folder, f"temp-base-{os.getpid()}.rdb")
        dump = os.path.join(self.directory, self.config["dbfilename"])
        if os.path.exists(dump):
            from redtool.persist.rdb import load_file

            load_file(dump, sink, warn=self.warn)
            self.others = copy(dump, temporary)
        else:
            self.others = self._base(temporary, (), ()).write()
        os.rename(temporary, self._path(base))
        increment = self.manifest.next_increment(self.filename)
        self._switch(increment)
        self._adopt(Manifest(base, [increment]))
        sync_directory(self.directory)

    def _refuse_strays(self) -> None:
        """Stop when commands lie there that no manifest names: going on would overwrite them."""
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if name.startswith(self.filename + ".") and name.endswith(".aof") and os.path.getsize(path):
                raise errors.CorruptFile(self.manifest_path, 0, f"missing, though {name} holds data", repair_hint(path))

    # -- appending

    def append(self, argv: Argv, db: int) -> None:
        """Note a command for the next flush. ``argv`` must not be altered afterwards."""
        if db != self.db:
            self.select(db)
        self.pending.append(argv)

    def select(self, db: int) -> None:
        """Note that what follows belongs to database ``db``."""
        self.pending.append((b"SELECT", b"%d" % db))
        self.db = db

    def flush(self) -> None:
        """Hand all noted commands to the kernel, and to the disk where appendfsync asks for it.

        On StoreError nothing of them is left in the file; they stay noted and the next flush tries again.
        """
        pending = self.pending
        if pending:
            policy = self.config["appendfsync"]
            try:
                self._write(_encode_slice(pending) if len(pending) <= SLICE else encode(pending), policy == "always")
            except OSError as error:
                self._trim()
                raise errors.StoreError(self._refused("write to", error)) from None
            if policy == "everysec" and self._thread is None and monotonic() - self._synced_at >= SYNC_SECONDS:
                self.sync()
        if self._sync_error:
            if self._thread is None:
                self.sync()
            else:
                raise errors.StoreError(self._sync_error)

    def _write(self, data: bytes, sync: bool) -> None:
        # An interrupt may strike between any two calls: until the last three assignments, between which none can,
        # the bytes do not count and the next write removes them.
        if self._ragged:
            os.ftruncate(self.fd, self.length)
        self._ragged = True
        write_all(self.fd, data)
        if sync:
            os.fdatasync(self.fd)
        length = self.length + len(data)
        self.commands += len(self.pending)
        self._dirty = not sync
        self.length = length
        self._ragged = False
        del self.pending[:]

    def _trim(self) -> None:
        """Take back a write that failed. If that fails too, the next write does it first."""
        try:
            os.ftruncate(self.fd, self.length)
        except OSError:
            return
        self._ragged = False

    def sync(self) -> None:
        """Bring everything written to the disk. Raises StoreError."""
        try:
            self._fdatasync()
        except OSError as error:
            self._sync_error = self._refused("sync", error)  # the next flush tries again
            self.doubtful = True
            raise errors.StoreError(self._sync_error) from None
        self._sync_error = ""

    def _fdatasync(self) -> None:
        if self._dirty:
            self._dirty = False
            try:
                os.fdatasync(self.fd)
            except OSError:
                self._dirty = True
                raise
        self._synced_at = monotonic()

    def _refused(self, what: str, error: OSError) -> str:
        from errno import EDQUOT, ENOSPC

        path = self._path(self.manifest.increments[-1])
        self.trouble = error.strerror or "error"
        reason = "disk full" if error.errno in (ENOSPC, EDQUOT) else (error.strerror or "error").lower()
        return f"cannot {what} {path}: {reason}"

    def start_syncing(self) -> None:
        """Sync once a second in the background, for owners that live long (appendfsync everysec)."""
        from threading import Event, Thread

        if self._thread is None:
            self._stop = Event()
            thread = Thread(target=self._keep_synced, args=(self._stop,), name="redtool-fsync", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads, or the interpreter ends: each flush sees to it as before
                return
            self._thread = thread

    def _keep_synced(self, stop: Event) -> None:
        while not stop.wait(SYNC_SECONDS):
            if self.config["appendfsync"] != "everysec" or not self._dirty:
                continue
            try:
                fd = os.dup(self.fd)  # a rewrite may switch files meanwhile, and syncs the old one itself
            except OSError:
                continue
            self._dirty = False
            try:
                os.fdatasync(fd)
                self._sync_error = ""
            except OSError as error:
                self._dirty = True
                self._sync_error = self._refused("sync", error)
                self.doubtful = True
            finally:
                os.close(fd)

    def close(self) -> None:
        """Write and sync what is left, and close."""
        if self._thread is not None and self._stop is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None
        try:
            if self.fd >= 0:
                self.flush()
                self.sync()
        finally:
            self._close_fd()

    # -- rewriting

    @property
    def base_path(self) -> str:
        """The file that opening begins with; empty where there is none."""
        return "" if self.manifest.base is None else self._path(self.manifest.base)

    @property
    def increment_size(self) -> int:
        """Bytes that opening has to replay."""
        try:
            return self.size - os.path.getsize(self.base_path)
        except OSError:
            return self.size

    @property
    def size(self) -> int:
        """Bytes of all files that make up the dataset."""
        return self.others + self.length

    @property
    def rewrite_due(self) -> bool:
        """Whether auto-aof-rewrite-percentage and -min-size ask for a rewrite."""
        percentage: int = self.config["auto-aof-rewrite-percentage"]
        if not percentage or self.rewriting or self.size < self.config["auto-aof-rewrite-min-size"]:
            return False
        growth: int = (self.size - self.base_size) * 100
        return growth >= percentage * max(self.base_size, 1)

    def begin_rewrite(self) -> None:
        """First step: from now on append to a new increment. What ``base`` writes must be the data as of now."""
        self.flush()
        try:
            self._add_increment()
        except OSError as error:
            raise errors.StoreError(self._refused("add an increment after", error)) from None
        self.rewriting = True
        self._commands_before, self.commands = self.commands, 0
        self.take_over()

    def take_over(self) -> None:
        """This process writes the new base: the file has its number, which tells others whether it is at work."""
        self._temporary = os.path.join(self.folder, f"temp-rewriteaof-bg-{os.getpid()}.aof")

    def base(self, databases: Databases, functions: Iterable[bytes] = ()) -> Snapshot:
        """Second step: the new base, to be written beside the others; may be called in a forked child."""
        return self._base(self._temporary, databases, functions)

    def finish_rewrite(self) -> None:
        """Last step: put the base in its place, name it in the manifest, delete what it replaces. Raises StoreError."""
        try:
            base = self._place_base()
            self._adopt(self.manifest.superseded(base, self.manifest.increments[-1:]))
            self.others = os.path.getsize(self._path(base))
        except OSError as error:
            self.abort_rewrite()
            raise errors.StoreError(f"cannot finish the rewrite of {self.folder}: {error.strerror}") from None
        self.base_size = self.size
        self.rewriting = self.doubtful = False

    def _place_base(self) -> Part:
        """Give the new base its name, and its index the name beside it, which is no use to anything else."""
        base = self.manifest.next_base(self.filename)
        if os.path.exists(self._temporary + INDEX):
            os.rename(self._temporary + INDEX, self._path(base) + INDEX)
        elif os.path.exists(self._path(base) + INDEX):
            remove(self._path(base) + INDEX)
        os.rename(self._temporary, self._path(base))
        return base

    def finish_elsewhere(self) -> None:
        """The last step in a process that has not had the lock since ``begin_rewrite``, and has it again.

        Others may have gone on in the last increment, and in more. Nothing is done where the base is another by now.
        Raises OSError, StoreError.
        """
        replaced = [self.manifest.base, *self.manifest.increments[:-1]]
        now = manifests.read(self.manifest_path) or Manifest()
        if [now.base, *now.increments[: len(replaced) - 1]] != replaced or not now.increments[len(replaced) - 1 :]:
            return
        self.manifest = now
        self._adopt(now.superseded(self._place_base(), now.increments[len(replaced) - 1 :]))

    def abort_rewrite(self) -> None:
        """Give up a rewrite: the old base and all increments stay."""
        if self.rewriting:
            self.commands += self._commands_before
        self.rewriting = False
        remove(self._temporary)
        remove(self._temporary + INDEX)

    def rewrite(self, databases: Databases, functions: Iterable[bytes] = ()) -> None:
        """All three steps at once. Raises StoreError and leaves a journal that goes on."""
        self.begin_rewrite()
        try:
            self.base(databases, functions).write()
        except OSError as error:
            self.abort_rewrite()
            raise errors.StoreError(f"cannot rewrite {self.folder}: {error.strerror}") from None
        except BaseException:
            self.abort_rewrite()
            raise
        self.finish_rewrite()

    def _add_increment(self) -> None:
        """Create the next increment, name it in the manifest, switch to it."""
        part = self.manifest.next_increment(self.filename)
        after = Manifest(self.manifest.base, [*self.manifest.increments, part])
        fd = create(self._path(part), os.O_APPEND)
        try:
            manifests.write(self.manifest_path, after)
        except BaseException:
            os.close(fd)
            raise
        self._switch(part, fd)
        self.manifest = after

    def _switch(self, part: Part, fd: int = -1) -> None:
        """Append to this file from now on; the one before is synced and closed."""
        if fd < 0:
            fd = create(self._path(part), os.O_APPEND)
        if self.fd >= 0:
            try:
                if self._dirty:
                    os.fdatasync(self.fd)
            finally:
                os.close(self.fd)
        self.fd, self.others, self.length, self.db = fd, self.others + self.length, 0, -1
        self._dirty = self._ragged = False

    def _base(self, path: str, databases: Databases, functions: Iterable[bytes]) -> Snapshot:
        from redtool.persist.save import BASES, Body
        from redtool.persist.snapshot import Snapshot

        versions = BASES[self.config["rdb-format"]]
        return Snapshot(Body(databases, functions, (("aof-base", 1),), *versions, lenient=True), path)

    def _adopt(self, after: Manifest) -> None:
        """Make ``after`` the manifest, then delete the files it has left behind."""
        sync_directory(self.folder)
        manifests.write(self.manifest_path, after)
        self.manifest = after
        try:
            self._delete_history()
        except OSError as error:  # the next opening deletes what is left
            self.warn(f"{self.folder}: old files stay for now: {error.strerror}")

    def _delete_history(self) -> None:
        if self.manifest.history:
            for part in self.manifest.history:
                remove(self._path(part))
                remove(self._path(part) + INDEX)
            self.manifest.history = []
            manifests.write(self.manifest_path, self.manifest)

    # -- paths

    def _path(self, part: Part) -> str:
        return os.path.join(self.folder, part.name)

    def _make_folder(self) -> None:
        try:
            os.makedirs(self.folder, PRIVATE_DIRECTORY)
        except FileExistsError:
            return
        sync_directory(self.directory)

    def _close_fd(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def encode(commands: Sequence[Argv]) -> bytes:
    """The commands as the AOF holds them."""
    pieces = [_encode_slice(commands[at : at + SLICE]) for at in range(0, len(commands), SLICE)]
    return b"".join(pieces)


def _encode_slice(commands: Sequence[Argv]) -> bytes:
    out: list[bytes] = []
    headers = HEADERS
    for argv in commands:
        if len(argv) == 3:
            name, key, value = argv
            out += (b"*3", headers[len(name)], name, headers[len(key)], key, headers[len(value)], value)
        else:
            out.append(b"*%d" % len(argv))
            for word in argv:
                out += (headers[len(word)], word)
    out.append(b"")
    return b"\r\n".join(out)


def _quiet(text: str) -> None:
    """Where warnings go when nobody listens."""
