"""How long it takes from starting redtool to its prompt, in a pseudo-terminal. ``python -m tests.bench.prompt``"""

from __future__ import annotations

import os
import tempfile
import time

import pexpect

from tests.bench.measure import command

ROUNDS = 15
GOAL = 0.3  # seconds


def once(home: str) -> float:
    """Start redtool on the store in ``home`` and wait for the prompt, in seconds."""
    environ = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_STATE_HOME": home, "PROMPT_TOOLKIT_NO_CPR": "1",
               "TERM": "xterm-256color"}  # fmt: skip
    argv = command()
    start = time.perf_counter()
    child = pexpect.spawn(argv[0], argv[1:], env=environ, timeout=10, dimensions=(24, 100))
    try:
        child.expect("default> ?")
        return time.perf_counter() - start
    finally:
        child.send("\x04")
        child.expect(pexpect.EOF)
        child.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        times = sorted(once(home) for _ in range(ROUNDS))
    median, worst = times[len(times) // 2], times[-1]
    print(f"prompt: best {times[0]:.3f} s, median {median:.3f} s, worst {worst:.3f} s (goal {GOAL} s)")


if __name__ == "__main__":
    main()
