"""``redtool aof``: the append only file, its state, its rewriting, its files and what is in them."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from redtool import exits, oneshot
from redtool.backends import open_backend
from redtool.cli import aof_check, aof_log
from redtool.cli.background import start_and_wait
from redtool.cli.facts import Facts, info, number, settings
from redtool.cli.output import Field, encoded, note, show_facts, show_rows, size_text
from redtool.cli.place import configuration, directory_of
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
redtool aof check ./mystore || redtool aof fix ./mystore
redtool aof log --last 20 --follow
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
CHECK_EXAMPLES = """
redtool aof check
redtool aof check /var/lib/redis && echo whole
redtool aof check ./mystore/appendonlydir/appendonly.aof.1.incr.aof --json
"""
LOG_EXAMPLES = """
redtool aof log
redtool aof log --follow --last 10
redtool aof log --grep '^(del|unlink) user:' --db 0
redtool aof log /var/lib/redis --since '2026-01-31 12:00'
redtool aof log --script > commands.txt
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


@app.command("check", epilog=CHECK_EXAMPLES)
def check(
    ctx: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="a directory, a manifest, or one file; else the store in use")
    ] = "",
) -> int:
    """Read every file of an AOF and tell up to which byte it is whole.

    Exit code 0 when all are whole, 1 when one is not. Nothing is changed.
    """
    return aof_check.run(path, ctx.obj)


@app.command("log", epilog=LOG_EXAMPLES)
def log(
    ctx: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="a directory, a manifest, or one file; else the store in use")
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="from then on: a date, unix seconds, or an age as 10m, 2h")
    ] = "",
    grep: Annotated[
        str, typer.Option("--grep", metavar="REGEX", help="lines in which the expression is found, in any case")
    ] = "",
    db: Annotated[int | None, typer.Option("--db", "-n", metavar="N", min=0, help="commands of this database")] = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=0, help="the last N only")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with what is written, until Ctrl-C")] = False,
    script: Annotated[bool, typer.Option("--script", help="commands alone, as redtool run takes them")] = False,
) -> int:
    """Print the commands of a journal, oldest first, each with its place and database.

    Raw lines are file, byte, unix time, database and command between tabs. A time is known where the server noted it
    (aof-timestamp-enabled). The base is in RDB form, which holds keys, not commands: redtool rdb keys shows them.
    """
    form = "script" if script else oneshot.format_of(ctx.obj)
    return aof_log.run(path, aof_log.Wanted(form, since, grep, db), last, follow, ctx.obj)


@app.command("fix", epilog=FIX_EXAMPLES)
def fix(
    ctx: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="[DIR]", help="a store's directory; else the store in use")] = "",
) -> int:
    """Cut what is damaged from the end of a store's AOF, and keep what was cut beside it.

    Only the last file is ever cut, and only from the first damaged byte on.
    """
    from redtool.persist.check import fix_aof
    from redtool.persistence import refuse_beside_server, take_lock

    directory = directory_of(directory, ctx.obj)
    refuse_beside_server(directory)
    lock = take_lock(directory, 1)
    try:
        found = fix_aof(directory, configuration(directory))
    finally:
        os.close(lock)
    if found is None:
        oneshot.write(b"nothing to repair\n")
        return exits.OK
    report, kept = found
    oneshot.write(os.fsencode(f"{report.path}: cut at byte {report.whole}: {report.problem}\n"))
    note(f"What was cut is kept in {kept}")
    return exits.OK
