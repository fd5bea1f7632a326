"""``redtool rdb``: look into an RDB file, whoever wrote it, without loading it."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from redtool import errors
from redtool.cli import rdb_check, rdb_info, rdb_keys
from redtool.cli.dump import TYPES, Reading, chosen, of_type
from redtool.cli.output import note, write_lines
from redtool.cli.values import as_object
from redtool.options import Options

NAME = "rdb"
HELP = """Look into an RDB file (dump.rdb) of Redis or Valkey, of any size, without loading it.

A file is read a key at a time. Where a value is damaged, that is said on stderr, the rest is shown, and the exit code
is 1. To run commands on a file: redtool open FILE."""
EXAMPLES = """
redtool rdb info dump.rdb
redtool rdb check dump.rdb && echo whole
redtool rdb keys dump.rdb --sort memory --limit 20
redtool rdb json dump.rdb --key 'user:*' --type hash | jq .value.name
"""
CHECK_EXAMPLES = """
redtool rdb check dump.rdb
redtool rdb check /var/lib/redis/dump.rdb --json
"""
INFO_EXAMPLES = """
redtool rdb info dump.rdb
redtool rdb info dump.rdb --top 50
redtool rdb info dump.rdb --key 'session:*' --json
"""
JSON_EXAMPLES = """
redtool rdb json dump.rdb > keys.jsonl
redtool rdb json dump.rdb --db 0 --type zset --key 'board:*' | jq -c '.value[0]'
"""
KEYS_EXAMPLES = """
redtool rdb keys dump.rdb
redtool rdb keys dump.rdb --csv > keys.csv
redtool rdb keys dump.rdb --type list --sort elements --limit 10
redtool rdb keys dump.rdb --key 'session:*' --sort ttl
"""

app = typer.Typer(rich_markup_mode=None)

File = Annotated[str, typer.Argument(metavar="FILE", help="an RDB file")]
Db = Annotated[int | None, typer.Option("--db", "-n", metavar="N", min=0, help="only keys of this database")]
Key = Annotated[str, typer.Option("--key", metavar="PATTERN", help="only keys that match: user:*, h?llo, [ab]*")]
Type = Annotated[str, typer.Option("--type", metavar="TYPE", help=f"only keys of this type: {', '.join(TYPES)}")]


@app.command("check", epilog=CHECK_EXAMPLES)
def check(ctx: typer.Context, file: File) -> int:
    """Read a whole file, every value and the checksum, and tell at which byte something is wrong.

    Exit code 0 when the file is whole, 1 when it is not. A value that is damaged does not hide what follows it.
    """
    return rdb_check.run(file, ctx.obj)


@app.command("info", epilog=INFO_EXAMPLES)
def info(
    ctx: typer.Context,
    file: File,
    db: Db = None,
    key: Key = "",
    kind: Type = "",
    top: Annotated[int, typer.Option("--top", metavar="N", min=0, help="how many of the largest keys (10)")] = 10,
) -> int:
    """Show what a file holds: who wrote it and when, keys by database, type and encoding, expiry, the largest keys.

    Memory is an estimate of what the key takes in a 64-bit redis-server with the usual configuration.
    """
    reading = Reading(file, chosen(db, key, kind))
    return rdb_info.run(reading, kind, top, ctx.obj)


@app.command("json", epilog=JSON_EXAMPLES)
def json(
    ctx: typer.Context,
    file: File,
    db: Db = None,
    key: Key = "",
    kind: Type = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="stop after N keys")] = 0,
) -> int:
    """Print keys with their values, a line of JSON each.

    {"db": 0, "key": "user:1", "type": "hash", "encoding": "listpack", "value": {"name": "Ada"}}, and expires_at in
    unix ms where there is one. Values have the shapes of redtool --json; bytes that are not UTF-8 are
    {"base64": "..."}.
    """
    from redtool.render import choose

    line = choose("json")
    reading = Reading(file, chosen(db, key, kind), shown=True)
    entries = of_type(iter(reading), kind)
    written = write_lines(line((), as_object(entry)) for entry in (islice(entries, limit) if limit else entries))
    everything = db is None and not key and not kind
    if everything and reading.whole and reading.walk is not None and (functions := len(reading.walk.found.functions)):
        libraries = "library" if functions == 1 else "libraries"
        note(f"{written:,} keys. Not shown: {functions} function {libraries}; see redtool open {file} FUNCTION LIST")
    return reading.finish()


@app.command("keys", epilog=KEYS_EXAMPLES)
def keys(
    ctx: typer.Context,
    file: File,
    db: Db = None,
    key: Key = "",
    kind: Type = "",
    sort: Annotated[
        str, typer.Option("--sort", metavar="BY", help=f"in this order, not the file's: {', '.join(rdb_keys.ORDERS)}")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="the first N only")] = 0,
) -> int:
    """List keys: database, type, encoding, elements, bytes in the file, memory in a server, TTL.

    The encoding is how the file holds the value, which is not always how a server will. memory, bytes, elements and
    longest are sorted from the top, ttl and key from the bottom; without --sort keys come as they are read.
    """
    if sort and sort not in rdb_keys.ORDERS:
        raise errors.UsageError(f"keys cannot be sorted by '{sort}', only by {', '.join(rdb_keys.ORDERS)}")
    options: Options = ctx.obj
    streamed = not sort
    reading = Reading(file, chosen(db, key, kind), shown=streamed)
    rdb_keys.show(of_type(iter(reading), kind), sort, limit, options)
    return reading.finish()
