"""``redtool policy``: what is dropped when memory is full. Show it, list the choices, set one, with advice."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

import typer

from redtool import errors, exits, oneshot
from redtool.backends import open_backend
from redtool.cli.facts import info, keyspace, number, settings
from redtool.cli.output import Field, note, show_facts, show_rows, size_text
from redtool.cli.policies import POLICIES, Memory, advice
from redtool.options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend

NAME = "policy"
HELP = """What is dropped when memory is full: the eviction policy.

Alone it shows the policy, the memory limit, and what to think about with these data."""
EXAMPLES = """
redtool policy
redtool policy list
redtool policy set allkeys-lru --maxmemory 2gb
redtool -u redis://prod:6379 policy --json
"""
LIST_EXAMPLES = """
redtool policy list
redtool policy list --json
"""
SET_EXAMPLES = """
redtool policy set allkeys-lru --maxmemory 2gb
redtool policy set volatile-ttl
redtool policy set noeviction --maxmemory 0
"""
EMBEDDED = ("The limit is on used_memory of INFO: what keys and values take here, which is more than in a server, so "
            "fewer fit.")  # fmt: skip

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def show(ctx: typer.Context) -> int:
    """Show the policy, unless a subverb follows."""
    if ctx.invoked_subcommand is not None:
        return exits.OK
    options: Options = ctx.obj
    backend = open_backend(options)
    try:
        memory = _memory(backend)
    finally:
        backend.close()
    told = advice(memory)
    facts: dict[str, tuple[object, object]] = {
        "policy": (memory.policy, memory.policy),
        "maxmemory": (memory.limit, size_text(memory.limit) if memory.limit else "0, no limit"),
        "used_memory": (memory.used, size_text(memory.used)),
        "keys": (memory.keys, f"{memory.keys:,}"),
        "keys_with_ttl": (memory.expires, f"{memory.expires:,}"),
        "evicted_keys": (memory.evicted, f"{memory.evicted:,}"),
    }
    show_facts(facts, options, advice=[text.encode() for text in told])
    _tell(told, options)
    return exits.OK


@app.command("list", epilog=LIST_EXAMPLES)
def choices(ctx: typer.Context) -> int:
    """List the policies: what each drops and when to use it."""
    rows = [(name, drops, use) for name, (drops, use) in POLICIES.items()]
    show_rows((Field("policy", "key"), Field("drops"), Field("use it for")), rows, ctx.obj, "")
    return exits.OK


@app.command("set", epilog=SET_EXAMPLES)
def choose(
    ctx: typer.Context,
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="one of redtool policy list")],
    limit: Annotated[
        str, typer.Option("--maxmemory", metavar="SIZE", help="memory limit: 2gb, 500mb, 0 for none")
    ] = "",
) -> int:
    """Set the policy, and the memory limit with it, both or neither."""
    options: Options = ctx.obj
    policy = policy.lower()
    backend = open_backend(options)
    try:
        if policy not in POLICIES and not backend.remote:
            raise errors.UsageError(_no_such(policy))
        words = [b"maxmemory-policy", policy.encode("utf-8", "surrogateescape")]
        words += [b"maxmemory", limit.encode("utf-8", "surrogateescape")] if limit else []
        command = (b"CONFIG", b"SET", *words)
        try:
            reply = backend.execute(*command)
        except errors.ReplyError as error:
            oneshot.show(command, error, options)
            return exits.ERROR_REPLY
        oneshot.show(command, reply, options)
        if oneshot.format_of(options) == "human":
            told = advice(_memory(backend))
            if backend.remote:
                told.append("The server forgets this when it restarts, unless: redtool config rewrite")
            elif limit not in ("", "0"):
                told.append(EMBEDDED)
            _tell(told, options)
    finally:
        backend.close()
    return exits.OK


def _no_such(policy: str) -> str:
    """A word in the wrong place or cut short is easily meant for a policy."""
    near = [name for name in POLICIES if policy and policy in name]
    near = near[:1] or get_close_matches(policy, POLICIES, 1, 0.5)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"there is no policy '{policy}'; {meant}See redtool policy list"


def _memory(backend: Backend) -> Memory:
    config = settings(backend, b"maxmemory", b"maxmemory-policy")
    keys, expires = keyspace(backend)
    return Memory(
        policy=config.get("maxmemory-policy", "noeviction"),
        limit=number(config, "maxmemory"),
        used=number(info(backend, b"memory"), "used_memory"),
        keys=keys,
        expires=expires,
        evicted=number(info(backend, b"stats"), "evicted_keys"),
    )


def _tell(told: list[str], options: Options) -> None:
    if oneshot.format_of(options) == "human":
        for text in told:
            note(f"- {text}")
