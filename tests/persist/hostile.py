"""Damaged inputs: each gives an error line or a store that works; ``python -m tests.persist.hostile --count 100000``.

Inputs are snapshots, payloads of RESTORE and FUNCTION RESTORE, and directories with a journal, made from every type
and encoding (``payloads``, ``inputs``): flipped, cut, spliced, given giant lengths, and mostly a right checksum, so
that the damage reaches the decoders. What opens is used (``traffic``). A finding is an exception that is no error
line, a second of work, 64 MB of memory above the input's size, or an allocation that failed. Figures a kind of input
are printed, and each sort of finding once; its input lies in the directory that --keep names.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import gc
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from redtool import errors, loading
from redtool.config import Config
from redtool.engine.keyspace import Keyspace
from redtool.loading import Sink
from redtool.persist.rdb import load
from redtool.persist.walk import Walk
from redtool.persistence import Persistence
from redtool.session import Session
from redtool.store import Store
from tests.persist import inputs
from tests.persist.traffic import Traffic

MEMORY = 64 << 20  # bytes above the input's size that no input may take
SECONDS = 1.0  # of processor time that no input may take
HANG = 60  # seconds after which one is interrupted, whatever else the machine does
M_ARENA_MAX = -8  # of <malloc.h>
WATCH = 300  # seconds for two hundred, whatever else the machine does
CEILING = 2 << 30  # bytes of address space above what the process begins with
Input = Any  # bytes, or the files of a directory by name


class Hang(BaseException):
    """An input takes too long."""


class Over(Exception):
    """An input is over a bound."""


class Refused(Exception):
    """An error line: what should come of a damaged input that does not load."""


# -- what is done with an input: gives a store that opened, or raises Refused


def as_rdb(data: bytes, home: Path) -> Store:
    store = Store(Config())
    loading.begin(store)
    try:
        load(data, Sink(store), now=int(time.time() * 1000))
    except (errors.CorruptFile, errors.StoreError) as error:
        raise Refused(error) from error
    loading.end(store)
    return store


def as_walk(data: bytes, home: Path) -> Store:
    """What ``rdb check`` reads of it; stepping over values ends where reading them does."""
    try:
        walk = Walk(data, "dump.rdb")
        problems = [entry.problem for entry in walk if entry.problem]
        steps = Walk(data, "dump.rdb", lambda db, kind, key: False)
        assert not list(steps)
    except errors.CorruptFile as error:
        raise Refused(error) from error
    if problems:
        raise Refused(problems[0])
    if (walk.pos, walk.keys_seen, walk.checksum) != (steps.pos, steps.keys_seen, steps.checksum):
        raise Over("stepping over values gives another end than reading them")
    return Store(Config())


def as_command(*before: bytes) -> Callable[[bytes, Path], Store]:
    def attempt(data: bytes, home: Path) -> Store:
        store = Store(Config())
        try:
            store.execute(Session(store), (*before, data))
        except errors.ReplyError as error:
            if len(store.databases[0]) or store.functions:
                raise Over("a refused payload left something behind") from error
            raise Refused(error) from error
        return store

    return attempt


def as_directory(files: dict[str, bytes], home: Path) -> Store:
    (home / inputs.FOLDER).mkdir()
    for name, data in files.items():
        if "/" in name or name == inputs.NAME:
            (home / name).write_bytes(data)
    try:
        owner = Persistence.open(str(home), wait=0)
    except (errors.CorruptFile, errors.StoreError) as error:
        raise Refused(error) from error
    return owner.store


def as_indexed(files: dict[str, bytes], home: Path) -> Store:
    store = as_directory(files, home)
    if "whole" in files:
        try:
            whole = as_rdb(files["whole"], home)
        except Refused:
            return store
        for known, db in zip(whole.databases, store.databases, strict=True):
            for key, value in known.data.items():
                found = _dump(store, db, key)
                if found is not None and found != whole.pack(value):
                    raise Over(f"key {key!r} is another with a damaged index or snapshot")
    return store


def _dump(store: Store, db: Keyspace, key: bytes) -> bytes | None:
    """DUMP of a key; None where it cannot be read."""
    session = Session(store)
    session.db = db
    try:
        found: bytes | None = store.execute(session, (b"DUMP", key))
    except errors.Unreadable:
        return None
    return found or b"missing"


KINDS: dict[str, tuple[Callable[[Random], Input], Callable[[Any, Path], Store]]] = {
    "rdb": (inputs.rdb, as_rdb),
    "rdb walk": (inputs.rdb, as_walk),
    "restore": (inputs.dump, as_command(b"RESTORE", b"k", b"0")),
    "functions": (inputs.functions, as_command(b"FUNCTION", b"RESTORE")),
    "journal": (inputs.journal, as_directory),
    "index": (inputs.indexed, as_indexed),
}
SHARES = {"rdb": 8, "rdb walk": 2, "restore": 8, "functions": 1, "journal": 5, "index": 5}


# -- the measure of one input


class Meter:
    """Memory and time that something takes: the peak of what is resident, and address space."""

    def __init__(self) -> None:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)  # a thread's own arena would reserve 128 MB of addresses
        self.status = os.open("/proc/self/status", os.O_RDONLY)
        self.reset = os.open("/proc/self/clear_refs", os.O_WRONLY)

    def sizes(self) -> tuple[int, int, int, int]:
        """Peak and present address space, peak and present resident memory, in bytes."""
        rows = dict(line.split(b":", 1) for line in os.pread(self.status, 4096, 0).splitlines() if b":" in line)
        peak, now, resident_peak, resident = (
            int(rows[name].split()[0]) << 10 for name in (b"VmPeak", b"VmSize", b"VmHWM", b"VmRSS")
        )
        return peak, now, resident_peak, resident

    def begin(self) -> None:
        os.write(self.reset, b"5")
        self.before = self.sizes()
        self.clock, self.wall = time.process_time(), time.perf_counter()

    def end(self) -> tuple[float, float, int]:
        """Seconds of processor time, seconds, and bytes."""
        took, wall = time.process_time() - self.clock, time.perf_counter() - self.wall
        peak, _, resident_peak, _ = self.sizes()
        grown = peak - self.before[1] if peak > self.before[0] else 0  # the peak is never set back
        return took, wall, max(grown, resident_peak - self.before[3])


class Figures:
    """What came of the inputs of one kind."""

    def __init__(self) -> None:
        self.tried = self.loaded = 0
        self.refused: Counter[str] = Counter()
        self.seconds = self.wall = self.used_seconds = 0.0
        self.bytes = 0

    def __str__(self) -> str:
        return (
            f"{self.tried} inputs, {self.loaded} load, {self.refused.total()} refused; opening takes at most "
            f"{self.seconds * 1000:.0f} ms of processor ({self.wall * 1000:.0f} ms), using "
            f"{self.used_seconds * 1000:.0f} ms; memory at most {self.bytes >> 10} kB"
        )


class Attack:
    """Tries inputs and keeps the findings."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.traffic = Traffic(self.rng)
        self.meter = Meter()
        self.figures = {kind: Figures() for kind in KINDS}
        self.findings: dict[str, tuple[str, Input, str]] = {}  # signature -> kind, input, traceback
        self.count: Counter[str] = Counter()
        self.home = Path(tempfile.mkdtemp(prefix="rt-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))

    def run(self, count: int, kinds: list[str]) -> None:
        """Try so many inputs of these kinds."""
        before = signal.signal(signal.SIGALRM, _hang)
        order = [kind for kind in kinds for _ in range(SHARES[kind])]
        try:
            for at in range(count):
                kind = order[at % len(order)]
                self.one(kind, KINDS[kind][0](self.rng))
                if at % 200 == 0:
                    gc.collect()
                    faulthandler.dump_traceback_later(WATCH, exit=True)  # for where no signal is answered
        finally:
            faulthandler.cancel_dump_traceback_later()
            signal.signal(signal.SIGALRM, before)
            shutil.rmtree(self.home, ignore_errors=True)

    def one(self, kind: str, data: Input) -> None:
        """Try one input and use what opens."""
        figures = self.figures[kind]
        figures.tried += 1
        self.traffic.last = ()
        home = self.home / f"{figures.tried}"
        home.mkdir()
        try:
            self._attempt(kind, data, figures, home)
        except (Exception, Hang) as error:
            found = self._signature(kind, error)
            self.count[found] += 1
            if found not in self.findings:
                text = "".join(traceback.format_exception(error)[-12:])
                self.findings[found] = kind, data, f"{text}\n{self.traffic.last!r}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            shutil.rmtree(home, ignore_errors=True)

    def _attempt(self, kind: str, data: Input, figures: Figures, home: Path) -> None:
        signal.setitimer(signal.ITIMER_REAL, HANG)
        store, refusal = None, None
        self.meter.begin()
        try:
            store = KINDS[kind][1](data, home)
        except Refused as error:
            refusal = error
        took, wall, grown = self.meter.end()
        figures.seconds, figures.wall = max(figures.seconds, took), max(figures.wall, wall)
        self._within(figures, took, grown, data)
        if refusal is not None:
            figures.refused[sort(refusal)] += 1
            _no_memory_error(refusal)
        else:
            assert store is not None
            figures.loaded += 1
            self.use(store, figures, data)

    def use(self, store: Store, figures: Figures, data: Input) -> None:
        try:
            self.meter.begin()
            self.traffic.exercise(store, same=isinstance(data, bytes) or "forged" not in data)
            took, _, grown = self.meter.end()
            figures.used_seconds = max(figures.used_seconds, took)
            self._within(figures, took, grown, data)
        finally:
            if store.persistence is not None:
                store.persistence.close()

    def _within(self, figures: Figures, took: float, grown: int, data: Input) -> None:
        figures.bytes = max(figures.bytes, grown)
        if grown > MEMORY + size_of(data):
            raise Over(f"{grown >> 20} MB of memory")
        if took > SECONDS:
            raise Over(f"{took:.1f} s of work")

    def _signature(self, kind: str, error: BaseException) -> str:
        """Findings of the same sort have the same: exception and place in redtool."""
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "/redtool/" in frame.filename] or list(frames)
        command = self.traffic.last[0].decode("latin-1").upper() if self.traffic.last else ""
        place = f"{ours[-1].filename.rpartition('/redtool/')[2]}:{ours[-1].lineno} {ours[-1].name}" if ours else ""
        text = "" if isinstance(error, Hang) else bare(str(error))
        return f"{kind}: {type(error).__name__}: {text} at {place} {command}"


def size_of(data: Input) -> int:
    return len(data) if isinstance(data, bytes) else sum(map(len, data.values()))


def sort(error: Exception) -> str:
    """The reason in an error line, without places and names."""
    cause = error.__cause__ or error
    reason = cause.reason if isinstance(cause, errors.CorruptFile) else str(cause)
    return bare(reason)


def bare(text: str) -> str:
    """A message without places and names."""
    words = [word for word in text.split() if not any(letter in "0123456789'\"/\\" for letter in word)]
    return " ".join(words)[:60]


def _no_memory_error(error: BaseException | None) -> None:
    """A failed allocation is a finding even where it became an error line: where there is memory, it succeeds."""
    while error is not None:
        if isinstance(error, MemoryError):
            raise Over("an allocation failed") from error
        error = error.__context__ or error.__cause__


def _hang(number: int, frame: FrameType | None) -> None:
    raise Hang("".join(traceback.format_stack(frame)[-3:]))


def bounded() -> None:
    """Let this process not take the whole machine."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + CEILING, resource.RLIM_INFINITY))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", choices=KINDS, action="append")
    options.add_argument("--keep", type=Path, help="a directory for the inputs of findings")
    given = options.parse_args()
    inputs.effects()
    attack = Attack(given.seed)
    bounded()
    with suppress(KeyboardInterrupt):  # what was found so far
        attack.run(given.count, given.only or list(KINDS))
    for kind, figures in attack.figures.items():
        print(f"{kind:10} {figures}")
        for reason, count in figures.refused.most_common():
            print(f"{count:12} {reason}")
    for at, (found, (kind, data, text)) in enumerate(attack.findings.items()):
        print(f"FINDING {at}, {attack.count[found]} times: {found}\n{text}")
        if given.keep:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / f"{at}.pickle").write_bytes(pickle.dumps((kind, data)))
    return bool(attack.findings)


if __name__ == "__main__":
    sys.exit(main())
