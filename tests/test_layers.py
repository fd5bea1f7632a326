"""Arrows point only downward (DESIGN 3): every import is read with ast, type-only ones aside."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import redtool

PACKAGE = Path(redtool.__file__).parent

# The first entry that matches a module's path gives its layer; faces of one layer must not import each other.
LAYERS: list[tuple[str, int]] = [
    ("errors", 0), ("refusals", 0), ("denials", 0), ("numeric", 0), ("fpconv", 0), ("globs", 0),
    ("notation", 0), ("placeholders", 0), ("matching", 0), ("grammar", 0),
    ("resp", 0), ("requests", 0), ("words", 0), ("exits", 0),
    ("options", 0),
    ("engine", 1),
    ("acl", 2), ("aclfile", 2),
    ("config", 2), ("conffile", 2), ("kinds", 2), ("parameters", 2), ("rewriting", 2), ("session", 2), ("entries", 2),
    ("commands", 2), ("persist", 2), ("lua", 2),
    ("store", 3), ("waiting", 3), ("configured", 3), ("eviction", 3), ("loading", 3), ("saving", 3),
    ("child", 3), ("slices", 3), ("persistence", 3),
    ("reloading", 3), ("compaction", 3), ("dumps", 3),
    ("guarded", 3), ("housekeeping", 3), ("metering", 3),
    ("server", 4), ("backends", 4), ("redispy", 5), ("aio", 5),
    ("render", 5), ("patterns", 5), ("transfer", 5),
    ("repl", 6), ("cli", 6), ("oneshot", 6), ("script", 6), ("docgen", 6),
    ("__init__", 7), ("__main__", 7), ("launcher", 7),
]  # fmt: skip
FACES = {("engine", "commands"), ("server", "backends"), ("render", "patterns"), ("commands", "persist"),
         ("persist", "commands"), ("repl", "cli"), ("cli", "repl")}  # fmt: skip
# Third-party imports have one home each (DESIGN 8).
HOMES = {
    "typer": {"cli"},
    "click": {"cli"},
    "prompt_toolkit": {"repl"},
    "rich": {"render", "cli"},
    "hiredis": {"requests"},
    "lupa": {"lua"},
    "anycrc": {"persist"},
    "lzf": {"persist"},
}
# `from redtool import errors` names a module; the package's own face is not meant.
LATE_BOUND = {"docgen": {"cli"}}


def part(module: str) -> str:
    """redtool.engine.sets -> engine; redtool -> __init__"""
    return module.split(".")[1] if "." in module else "__init__"


def layer(name: str) -> int:
    return dict(LAYERS)[name]


def imports(tree: ast.AST) -> set[str]:
    """Modules imported anywhere but under ``if TYPE_CHECKING``."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "redtool":
                found.update(f"redtool.{a.name}" for a in node.names if (PACKAGE / f"{a.name}.py").exists()
                             or (PACKAGE / a.name).is_dir())  # fmt: skip
            else:
                found.add(node.module)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


MODULES = sorted(p for p in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    mine = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for module in imports(ast.parse(path.read_text(encoding="utf-8"))):
        if module.split(".")[0] != "redtool":
            home = HOMES.get(module.split(".")[0])
            assert home is None or mine in home, f"{module} belongs in {home}"
            continue
        if module == "redtool":
            continue
        other = part(module)
        if other == mine:
            continue
        assert layer(other) <= layer(mine), f"{mine} (L{layer(mine)}) imports {module} (L{layer(other)})"
        assert (mine, other) not in FACES, f"{mine} and {other} are faces of one layer"


def test_every_module_has_a_layer() -> None:
    names = {p.relative_to(PACKAGE).with_suffix("").parts[0] for p in MODULES}
    assert names == names & {name for name, _ in LAYERS}
