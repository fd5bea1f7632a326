"""``redtool rdb check``: every value of an RDB file and its checksum."""

from __future__ import annotations

from array import array
from collections import defaultdict
from contextlib import suppress
from time import time

from redtool.cli.dump import Problem, Reading
from redtool.cli.output import note, show_facts, size_text
from redtool.errors import CorruptFile
from redtool.options import Options
from redtool.persist.walk import OFF, Walk, opened
from redtool.words import quote

PARTS = 256
CHECKSUMS = {"none": "none, the format is too old", "off": "none, it was switched off", "ok": "ok", "wrong": "wrong"}


class Seen:
    """Which keys were there, eight bytes each, to find those that are there twice."""

    def __init__(self) -> None:
        self.parts = [array("q") for _ in range(PARTS)]

    def add(self, key: bytes) -> None:
        number = hash(key)
        self.parts[number % PARTS].append(number)

    def twice(self) -> set[int]:
        """The hashes that came more than once."""
        found: set[int] = set()
        for part in self.parts:
            once: set[int] = set()
            if len(set(part)) < len(part):
                found.update(number for number in part if number in once or once.add(number))  # type: ignore[func-returns-value]
        return found


def run(file: str, options: Options) -> int:
    """Check a file and print what was found; gives the exit code."""
    reading = Reading(file)
    now = time() * 1000
    seen: defaultdict[int, Seen] = defaultdict(Seen)
    expires = expired = 0
    for entry in reading:
        seen[entry.db].add(entry.key)
        if entry.deadline is not None:
            expires += 1
            expired += entry.deadline <= now
    doubtful = {db: hashes for db, keys in seen.items() if (hashes := keys.twice())}
    if doubtful:
        reading.problems += _doubles(file, doubtful)
    _show(reading, expires, expired, options)
    code = reading.finish()
    _remark(reading)
    return code


def _doubles(file: str, doubtful: dict[int, set[int]]) -> list[Problem]:
    """The keys that are there twice, by reading the file again."""
    first: dict[tuple[int, bytes], int] = {}
    found: list[Problem] = []
    with opened(file) as data:

        def wanted(db: int, type: str, key: bytes) -> bool:
            if hash(key) in doubtful.get(db, ()):
                place = walk.pos
                if (db, key) in first:
                    text = f"the key {quote(key).decode()} of database {db} is there already at byte {first[db, key]}"
                    found.append(Problem(place, text))
                first.setdefault((db, key), place)
            return False

        walk = Walk(data, file, wanted)
        with suppress(CorruptFile):  # which was found the first time
            for _ in walk:
                continue
    return found


def _show(reading: Reading, expires: int, expired: int, options: Options) -> None:
    walk = reading.walk
    whole = not reading.problems
    shown: dict[str, tuple[object, object]] = {"file": (reading.path, reading.path)}
    if walk is not None:
        checksum = walk.checksum if reading.whole else "not reached"
        functions = len(walk.found.functions)
        shown |= {
            "format": (walk.format, walk.format),
            "size": (reading.size, size_text(reading.size)),
            "keys": (walk.keys_seen, f"{walk.keys_seen:,}"),
            "expires": (expires, f"{expires:,}, {expired:,} of them over" if expired else f"{expires:,}"),
            "functions": (functions, str(functions)),
            "checksum": (checksum, CHECKSUMS.get(checksum, checksum)),
        }
    count = len(reading.problems)
    shown["whole"] = (whole, "yes" if whole else f"no, {count:,} problem{'s' if count > 1 else ''}")
    problems = [{b"offset": each.offset, b"problem": each.text.encode("utf-8", "surrogateescape")}
                for each in reading.problems]  # fmt: skip
    show_facts(shown, options, problems=problems)


def _remark(reading: Reading) -> None:
    """What is no damage but should be known."""
    for text in reading.warnings:
        note(text)
    walk = reading.walk
    if walk is None:
        return
    if walk.checksum == OFF:
        note("Without a checksum only the form could be checked.")
    if walk.trailing:
        note(f"{walk.trailing} bytes lie behind the end of the file's data, at byte {walk.pos}; servers ignore them.")


