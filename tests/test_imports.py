"""A one-shot imports nothing that it does not need: the allow-list is the start-up budget (DESIGN 8)."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = {"typer", "click", "rich", "prompt_toolkit", "asyncio", "redis", "typing", "re", "enum", "dataclasses", "json",
         "logging", "subprocess", "socket", "ssl", "pathlib", "inspect", "tempfile", "argparse", "functools",
         "threading", "urllib", "random", "decimal", "datetime"}  # fmt: skip

PROBE = """
import sys
before = set(sys.modules)
import os
from redtool.__main__ import guarded
code = guarded(sys.argv[1:])
new = sorted(set(sys.modules) - before)
import json
os.write(2, json.dumps([code, new]).encode())
"""


def loaded(tmp_path: os.PathLike[str], *words: str) -> tuple[int, set[str]]:
    """Exit code and modules that a one-shot loads on a store in tmp_path."""
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n" + PROBE, "--store",
                           str(tmp_path), *words], capture_output=True, check=True)  # fmt: skip
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize("words", [("GET", "k"), ("SET", "k", "v"), ("SET", "k", "v", "EX", "60"),
                                   ("HSET", "h", "f", "v"), ("ZADD", "z", "1", "m"),
                                   ("LPUSH", "l", "x"), ("SADD", "s", "x"), ("INCR", "n"),
                                   ("EXPIRE", "k", "10"), ("DEL", "k")], ids=" ".join)  # fmt: skip
def test_one_shot_loads_nothing_heavy(tmp_path: os.PathLike[str], words: tuple[str, ...]) -> None:
    loaded(tmp_path, "PING")  # the store exists
    code, modules = loaded(tmp_path, *words)
    assert code == 0
    assert not {m.partition(".")[0] for m in modules} & HEAVY
    assert "redtool.refusals" not in modules
    assert "redtool.denials" not in modules


def test_one_shot_loads_one_command_group(tmp_path: os.PathLike[str]) -> None:
    loaded(tmp_path, "PING")
    _, modules = loaded(tmp_path, "GET", "k")
    groups = {m for m in modules if m.startswith("redtool.commands.")}
    assert groups == {"redtool.commands.table", "redtool.commands.index", "redtool.commands.strings"}
