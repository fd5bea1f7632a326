"""LATENCY: events that took longer than latency-monitor-threshold, and how long each command takes.

Events noted here: ``command`` and ``fast-command``, ``expire-cycle``, ``eviction-cycle`` and ``eviction-del``,
``fork``, ``aof-write``.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.resp import Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from redtool.entries import Entry
    from redtool.resp import Reply
    from redtool.session import Session
    from redtool.store import Store

command = group("server")

ADMIN = "admin noscript loading stale"
MOST = 160  # seconds of an event that are kept, and columns of its picture at most
ROWS, MARKS, WIDTH = 4, "_o#", 80
FIRST_BUCKET = 10  # 2**10 ns, about a microsecond, is the first boundary that LATENCY HISTOGRAM shows


class Event:
    """Seconds in which an event was slow: unix time -> the worst ms in it; and the worst, sum and count of all."""

    __slots__ = ("count", "seconds", "total", "worst")

    def __init__(self) -> None:
        self.seconds: dict[int, int] = {}
        self.worst = self.total = self.count = 0

    def add(self, second: int, ms: int) -> None:
        self.worst, self.total, self.count = max(self.worst, ms), self.total + ms, self.count + 1
        self.seconds[second] = max(self.seconds.get(second, 0), ms)
        if len(self.seconds) > MOST:
            del self.seconds[next(iter(self.seconds))]


def add(store: Store, name: bytes, ms: int) -> None:
    """Note that an event took so many ms, if that is as long as latency-monitor-threshold says."""
    limit = store.config["latency-monitor-threshold"]
    if limit and ms >= limit:
        store.latency.setdefault(name, Event()).add(store.time_ns() // 1_000_000_000, ms)


@command("LATENCY LATEST", ADMIN, since="2.8.13")
def latest(c: Session) -> Reply:
    """Give each slow event with its latest time, and the latest and the worst ms.

    > LATENCY LATEST
    (empty array)
    """
    return [[name, *list(event.seconds.items())[-1], event.worst] for name, event in c.store.latency.items()]


@command("LATENCY HISTORY event", ADMIN, since="2.8.13")
def history(c: Session, name: bytes) -> Reply:
    """Give the seconds in which an event was slow, and the worst ms in each.

    > LATENCY HISTORY command
    (empty array)
    """
    event = c.store.latency.get(name)
    return [] if event is None else [[second, ms] for second, ms in event.seconds.items()]


@command("LATENCY RESET [event [event ...]]", ADMIN, since="2.8.13")
def reset(c: Session, *names: bytes) -> Reply:
    """Forget some events, or all; gives how many there were.

    > LATENCY RESET
    (integer) 0
    """
    return sum(c.store.latency.pop(name, None) is not None for name in names or list(c.store.latency))


@command("LATENCY GRAPH event", ADMIN, since="2.8.13")
def graph(c: Session, name: bytes) -> Reply:
    """Draw the seconds in which an event was slow.

    > LATENCY GRAPH command
    (error) ERR No samples available for event 'command'
    """
    event = c.store.latency.get(name)
    shown = name.decode("utf-8", "surrogateescape")
    if event is None:
        raise errors.NoLatencySamples(shown)
    now = c.clock.ns // 1_000_000_000
    low, high = min(event.seconds.values()), max(event.seconds.values())
    text = f"{shown} - high {high} ms, low {low} ms (all time high {event.worst} ms)\n{'-' * WIDTH}\n"
    samples = [(ms - low, age(now - second)) for second, ms in event.seconds.items()]
    for at in range(0, len(samples), WIDTH):
        text += picture(samples[at : at + WIDTH], high - low or 1)
    return Verbatim(text.encode("utf-8", "surrogateescape"))


def age(seconds: int) -> str:
    """How long ago, in one unit: 5s, 3m, 2h, 1d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def picture(samples: list[tuple[int, str]], most: int) -> str:
    """Bars of four rows, and under each how long ago it was, from top to bottom."""
    steps = [min(value * ROWS * len(MARKS) // most, ROWS * len(MARKS) - 1) for value, _ in samples]
    rows = []
    for row in range(ROWS):
        levels = [step - (ROWS - row - 1) * len(MARKS) for step in steps]
        rows.append("".join(" " if at < 0 else MARKS[at] if at < len(MARKS) else "|" for at in levels))
    rows.append(" " * len(samples))
    deepest = max(len(label) for _, label in samples)
    rows += ["".join(label[at : at + 1] or " " for _, label in samples) for at in range(deepest)]
    return "".join(row + "\n" for row in rows)


ADVICE = {
    b"command": "Look at SLOWLOG GET for the commands that take long; use SCAN, SSCAN, HSCAN for large ones.",
    b"fast-command": "Commands that should be fast were slow: other work on this machine, or memory swapped out.",
    b"expire-cycle": "Many keys end at the same moment: spread their deadlines.",
    b"fork": "Starting a background save takes long, which grows with the memory in use.",
    b"aof-write": "Writing the journal takes long: a slow or busy disk. See appendfsync.",
}


@command("LATENCY DOCTOR", ADMIN, since="2.8.13")
def doctor(c: Session) -> Reply:
    """Sum up the slow events, and say what may help.

    > LATENCY DOCTOR
    Nothing is watched: CONFIG SET latency-monitor-threshold 100 …
    """
    events = c.store.latency
    if not events:
        if not c.config["latency-monitor-threshold"]:
            text = ("Nothing is watched: CONFIG SET latency-monitor-threshold 100 notes what takes longer than 100 ms.")
            return Verbatim(text.encode())
        return Verbatim(b"No slow events.")
    lines = []
    for name, event in events.items():
        mean = sum(event.seconds.values()) / len(event.seconds)
        spread = sum(abs(ms - mean) for ms in event.seconds.values()) / len(event.seconds)
        first, last = min(event.seconds), max(event.seconds)
        period = (last - first) / (len(event.seconds) - 1) if len(event.seconds) > 1 else 0
        lines.append(
            f"{name.decode('utf-8', 'replace')}: slow in {len(event.seconds)} seconds, {mean:.0f} ms in the mean "
            f"(deviation {spread:.0f} ms), every {period:.1f} s, {event.worst} ms at worst."
        )
        if name in ADVICE:
            lines.append(f"  {ADVICE[name]}")
    return Verbatim("\n".join(lines).encode())


# -- how long commands take


def buckets(entry: Entry) -> dict[int, int]:
    """Upper bounds in microseconds -> calls up to there, where that number rises.

    The bounds are powers of two in ns, and shown as a server shows them: the greatest value that its histogram of two
    significant digits holds to be equal (33 and 66 for 2**15 and 2**16 ns).
    """
    found: dict[int, int] = {}
    calls = 0
    for _, high, count in entry.histogram():
        calls += count
        power = max((high - 1).bit_length(), FIRST_BUCKET)
        found[((1 << power) + (1 << power - 7) - 1) // 1000] = calls
    return found


def percentile(entry: Entry, percent: float) -> float:
    """The time in ns below which so many percent of the calls stayed, read off the line between two bounds."""
    wanted = entry.calls * percent / 100
    seen = 0
    for low, high, count in entry.histogram():
        if seen + count >= wanted:
            return low + (high - low) * (wanted - seen) / count
        seen += count
    return 0.0


@command("LATENCY HISTOGRAM [command [command ...]]", ADMIN, since="7.0.0", complexity="O(N) commands that have run")
def histogram(c: Session, *names: bytes) -> Reply:
    """Tell how long calls took: microseconds, and how many calls took no more.

    > SET greeting hello
    OK
    > LATENCY HISTOGRAM set
    1) "set"
    2) 1) "calls"
       2) (integer) 1
       3) "histogram_usec"
    …
    """
    found: dict[Reply, Reply] = {}
    for entry in chosen(c.store, names):
        if entry.calls:
            name = entry.command.name.lower().replace(" ", "|").encode()
            found[name] = {b"calls": entry.calls, b"histogram_usec": dict(buckets(entry))}
    return found


def chosen(store: Store, names: tuple[bytes, ...]) -> Iterable[Entry]:
    """The entries of these commands, a container's being all of its subcommands'; all without names."""
    entries = sorted(store.entries.counted(), key=lambda entry: entry.command.name)
    if not names:
        return entries
    wanted = [name.decode("utf-8", "replace").upper().replace("|", " ") for name in names]
    return [entry for name in wanted for entry in entries if f"{entry.command.name} ".startswith(f"{name} ")]


declare_help(command, "LATENCY", since="2.8.13")
