"""``redtool aof``: the append only file, its state and its rewriting."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from redtool import exits, oneshot
from redtool.backends import open_backend
from redtool.cli.background import start_and_wait
from redtool.cli.facts import Facts, info, number, settings
from redtool.cli.output import Field, encoded, note, show_facts, show_rows, size_text
from redtool.errors import UsageError
from redtool.options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend

NAME = "aof"
HELP = """The append only file (AOF): the journal of every write, from which the dataset is made anew when it is opened.

It grows with each write; a rewrite replaces it by the shortest one that gives the same dataset."""
EXAMPLES = """
redtool aof status
redtool aof rewrite --wait
redtool aof fix ./mystore
"""
STATUS_EXAMPLES = """
redtool aof status
redtool aof status --store ./mystore --json
redtool -u redis://prod:6379 aof status
"""
FIX_EXAMPLES = """
redtool aof fix
redtool aof fix ./mystore
"""
REWRITE_EXAMPLES = """
redtool aof rewrite
redtool aof rewrite --wait && redtool aof status
"""
SYNC = {
    "always": "after every write: nothing acknowledged is lost",
    "everysec": "once a second: a power cut loses at most a second",
    "no": "when the system wants: a power cut may lose half a minute",
}

app = typer.Typer(rich_markup_mode=None)


@app.command("status", epilog=STATUS_EXAMPLES)
def status(ctx: typer.Context) -> int:
    """Show whether the AOF is on, how safe and how large it is, and its files."""
    options: Options = ctx.obj
    backend = open_backend(options)
    try:
        facts, config = info(backend, b"persistence"), settings(backend, b"append*", b"auto-aof-rewrite*", b"dir")
        files = [] if backend.remote else _files(config)
    finally:
        backend.close()
    shown = _status(facts, config)
    extra = {"files": [{b"name": encoded(name), b"kind": encoded(kind), b"bytes": size}
                       for kind, size, name in files]} if files else {}  # fmt: skip
    show_facts(shown, options, **extra)
    if oneshot.format_of(options) == "human":
        if files:
            oneshot.write(b"\n")
            show_rows((Field("kind"), Field("size", "number", size_text), Field("file", "key")), files, options, "file")
        _advise(facts, config)
    return exits.OK


def _status(facts: Facts, config: Facts) -> dict[str, tuple[object, object]]:
    """The lines of the table: name -> (value, what a person reads)."""
    on, sync = facts.get("aof_enabled", "0") == "1", config.get("appendfsync", "")
    shown: dict[str, tuple[object, object]] = {"enabled": (on, "yes" if on else "no")}
    if not on:
        return shown
    size, base = number(facts, "aof_current_size"), number(facts, "aof_base_size")
    at = _next_rewrite(base, config)
    rewriting = facts.get("aof_rewrite_in_progress", "0") != "0"
    shown |= {
        "appendfsync": (sync, f"{sync}, {SYNC[sync]}" if sync in SYNC else sync),
        "size": (size, size_text(size)),
        "size_after_rewrite": (base, size_text(base)),
        "next_rewrite_at": (at, size_text(at) if at else "never by itself"),
        "rewriting": (rewriting, "yes" if rewriting else "no"),
        "last_rewrite": (facts.get("aof_last_bgrewrite_status", ""), facts.get("aof_last_bgrewrite_status", "")),
        "last_write": (facts.get("aof_last_write_status", ""), facts.get("aof_last_write_status", "")),
    }
    return shown


def _next_rewrite(base: int, config: Facts) -> int:
    """The size at which a rewrite starts by itself; 0 for never."""
    percent = number(config, "auto-aof-rewrite-percentage")
    return max(number(config, "auto-aof-rewrite-min-size"), base + base * percent // 100) if percent else 0


def _files(config: Facts) -> list[tuple[str, int, str]]:
    """(kind, bytes, name) of each file of a store on this machine."""
    from redtool.persist import manifest

    folder = os.path.join(config.get("dir", ""), config.get("appenddirname", ""))
    found = manifest.read(manifest.path_of(folder, config.get("appendfilename", "")))
    if found is None:
        return []
    kinds = {"b": "base", "i": "increment", "h": "history"}
    return [(kinds.get(part.kind, part.kind), _size(os.path.join(folder, part.name)), part.name)
            for part in found.parts]  # fmt: skip


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _advise(facts: Facts, config: Facts) -> None:
    if facts.get("aof_enabled", "0") != "1":
        note("Without it a restart goes back to the last snapshot. To turn it on: redtool config set appendonly yes")
    elif facts.get("aof_last_write_status") == "err":
        note("The last write to it failed: is the disk full? Until it can be written, writes are refused.")
    elif config.get("appendfsync") == "no":
        note("For a queue or sessions everysec is the usual choice: redtool config set appendfsync everysec")


@app.command("rewrite", epilog=REWRITE_EXAMPLES)
def rewrite(
    ctx: typer.Context,
    wait: Annotated[bool, typer.Option("--wait", help="wait until it is done; exit 1 when that failed")] = False,
) -> int:
    """Rewrite the AOF in the background, as short as the dataset allows."""
    options: Options = ctx.obj
    if not wait:
        return oneshot.run(options.with_words(["BGREWRITEAOF"]))
    backend: Backend = open_backend(options)
    try:
        running = "aof_rewrite_in_progress aof_rewrite_scheduled"
        return start_and_wait(backend, (b"BGREWRITEAOF",), "rewriting", running, "aof_last_bgrewrite_status", options)
    finally:
        backend.close()


@app.command("fix", epilog=FIX_EXAMPLES)
def fix(
    ctx: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="[DIR]", help="a store's directory; else the store in use")] = "",
) -> int:
    """Cut what is damaged from the end of a store's AOF, and keep what was cut beside it.

    Only the last file is ever cut, and only from the first damaged byte on.
    """
    from redtool.backends.target import resolve
    from redtool.config import Config
    from redtool.persist.check import fix_aof
    from redtool.persistence import CONFIG_FILE, take_lock

    options: Options = ctx.obj
    target = resolve(options.flags)
    if not directory and target.kind != "embedded":
        raise UsageError("only the AOF of a store on this machine can be repaired; name its directory")
    directory = directory or target.path
    if not os.path.isdir(directory):
        raise UsageError(f"{directory} is not a store's directory")
    lock = take_lock(directory, 1)
    try:
        config, path = Config(), os.path.join(directory, CONFIG_FILE)
        if os.path.exists(path):
            config.read(path)
        found = fix_aof(directory, config)
    finally:
        os.close(lock)
    if found is None:
        oneshot.write(b"nothing to repair\n")
        return exits.OK
    report, kept = found
    oneshot.write(os.fsencode(f"{report.path}: cut at byte {report.whole}: {report.problem}\n"))
    note(f"What was cut is kept in {kept}")
    return exits.OK
