"""The time a keystroke takes in the REPL with 1,000,000 keys: completion, colours, hint and check together.

Every line below is typed letter by letter; what the editor computes for each letter is timed, with the index of keys
not begun, half built, and ready. ``python -m tests.bench.keystroke``
"""

from __future__ import annotations

import time

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from redtool.__main__ import collect_garbage
from redtool.backends.embedded import Embedded, open_store
from redtool.engine.hashes import Hash
from redtool.engine.zsets import ZSet
from redtool.options import Options
from redtool.repl.editor import Judge, RoleLexer, WordCompleter
from redtool.repl.shell import Shell

KEYS = 1_000_000
FRAME = 16.0  # ms, to be met at the 99th percentile
LINES = (
    "GET user:123456:name", "HGET profile:77 name", "SET user:99 value EX 60 NX", "ZADD board 10 member 20 other",
    "ZREM board m5000", "HSET profile:1 field42 x", "DEL user:1 user:2 user:3", "EXISTS session:none", "TYPE zzz",
    "ZRANGE board 0 -1 REV WITHSCORES", "CONFIG SET maxmemory-policy allkeys-lru", "LRANGE list:5 0 -1", "ZADDD x 1 y",
)  # fmt: skip


def filled() -> Embedded:
    """A store in memory with a million keys of several types, and a hash and a sorted set of 100,000 elements."""
    backend = open_store(":memory:")
    data = backend.session.db.data
    for i in range(KEYS - 200_000):
        data[b"user:%d:name" % (i * 7919 % 1_000_003)] = b"x"
    for i in range(100_000):
        data[b"session:%d" % i] = b"x"
        data[b"profile:%d" % i] = Hash({b"name": b"x"})
    data[b"profile:1"] = Hash({b"field%d" % i: b"x" for i in range(100_000)})
    data[b"board"] = ZSet.of([(b"m%d" % i, float(i)) for i in range(100_000)])
    backend.session.db.loaded()
    return backend


def type_lines(shell: Shell) -> list[float]:
    """Type all lines; give the ms that each letter took."""
    judged = Judge(shell)
    lexer, completer = RoleLexer(judged), WordCompleter(shell, None)  # type: ignore[arg-type]
    times = []
    for line in LINES:
        for end in range(1, len(line) + 1):
            document = Document(line[:end])
            start = time.perf_counter()
            list(completer.get_completions(document, CompleteEvent(text_inserted=True)))
            lexer.lex_document(document)(0)
            judged.at_cursor(document)
            times.append((time.perf_counter() - start) * 1e3)
    return times


def report(name: str, times: list[float]) -> None:
    times = sorted(times)
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"{name:<34} median {p50:6.2f} ms   p99 {p99:6.2f} ms   worst {times[-1]:6.2f} ms   (frame {FRAME:.0f} ms)")


def main() -> None:
    shell = Shell(filled(), Options())
    shell.prepare()
    assert shell.source is not None
    collect_garbage()  # as the program does
    report("keystroke, no index yet", type_lines(shell))
    steps = []
    for number in range(10_000):
        if number == 20:
            report("keystroke, index half built", type_lines(shell))
        start = time.perf_counter()
        more = shell.source.step()
        steps.append((time.perf_counter() - start) * 1e3)
        if not more:
            break
    report("keystroke, index ready", type_lines(shell))
    report("a step of building the index", steps)


if __name__ == "__main__":
    main()
