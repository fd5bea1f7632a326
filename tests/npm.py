"""Packages from npm for the tests, installed once a machine into a cache, and scripts run with them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path


def installed(manifest: Path) -> Path:
    """The node_modules of a package.json, installed unless they are there: versions are pinned, so they stay good."""
    text = manifest.read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "redtool-tests"
    home = cache / f"npm-{hashlib.sha256(text).hexdigest()[:16]}"
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come at once
        if not (home / "complete").exists():
            (home / "package.json").write_bytes(text)
            words = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
            done = subprocess.run(words, cwd=home, capture_output=True, text=True, timeout=300)
            if done.returncode:
                names = ", ".join(json.loads(text)["dependencies"])
                raise RuntimeError(f"npm could not install {names}: {done.stderr}")
            (home / "complete").touch()
    return home / "node_modules"


def lay(script: Path, place: Path) -> Path:
    """Copy a script, those beside it and their packages to a place: node looks for packages beside the script only."""
    for file in (*script.parent.glob("*.mjs"), script.parent / "package.json"):
        shutil.copy(file, place)
    os.symlink(installed(script.parent / "package.json"), place / "node_modules")
    return place / script.name


def run(script: Path, *words: str, timeout: float = 120) -> list[str]:
    """Run a script, with package.json and other scripts beside it, and give the lines it wrote."""
    with tempfile.TemporaryDirectory(prefix="rt-") as place:
        words = ("node", str(lay(script, Path(place))), *words)
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise AssertionError(f"{script.name} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout.splitlines()
