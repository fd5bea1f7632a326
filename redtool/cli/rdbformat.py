"""The option --rdb-format: what a dump is written as, this once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from redtool.cli.facts import settings
from redtool.errors import UsageError
from redtool.persist.save import FORMATS, check_fits
from redtool.saving import contents

if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.store import Store

PARAMETER = b"rdb-format"
RdbFormat = Annotated[
    str,
    typer.Option("--rdb-format", metavar="FORMAT", help=f"{', '.join(FORMATS)}; see rdb-format in redtool.conf(5)"),
]


def versions(form: str) -> tuple[int, int]:
    """What ``FORMATS`` has for a format. Raises UsageError when there is no such format."""
    found = FORMATS.get(form.lower())
    if found is None:
        raise UsageError(f"there is no RDB format {form}; one of {', '.join(FORMATS)}")
    return found


@contextmanager
def written_as(backend: Backend, form: str) -> Iterator[None]:
    """Have a backend write its dumps in this format meanwhile; "" changes nothing.

    Raises Unfit, before anything is written, for a store of this process that holds what has no place in the format;
    UsageError for a server that is none of redtool's.
    """
    if not form:
        yield
        return
    wanted, before = versions(form), settings(backend, PARAMETER).get("rdb-format", "")
    if not before:
        raise UsageError(f"--rdb-format is for stores of redtool; {backend.name} writes its own format")
    store: Store | None = getattr(backend, "store", None)
    if store is not None:
        check_fits(contents(store), store.functions, *wanted)
        store.config["rdb-format"] = form.lower()  # without CONFIG SET, which would write it into redtool.conf
        try:
            yield
        finally:
            store.config["rdb-format"] = before
        return
    backend.execute(b"CONFIG", b"SET", PARAMETER, form.encode())
    try:
        yield
    finally:
        backend.execute(b"CONFIG", b"SET", PARAMETER, before.encode())
