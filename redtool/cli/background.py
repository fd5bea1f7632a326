"""Start a background save or rewrite and wait for its end: what bgsave and aof rewrite share."""

from __future__ import annotations

from time import monotonic, sleep

from redtool import exits
from redtool.cli.facts import Facts, info
from redtool.cli.output import progress
from redtool.errors import ReplyError
from redtool.oneshot import complain, show
from redtool.options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend

PAUSE = 0.05  # seconds between looks


def start_and_wait(backend: Backend, command: tuple[bytes, ...], what: str, running: str, status: str,
                   options: Options) -> int:  # fmt: skip
    """Run ``command``, print its reply, wait until INFO's ``running`` fields are 0; 1 when ``status`` is not ok.

    Without ``running`` there is no waiting.
    """
    began = monotonic()
    try:
        reply = backend.execute(*command)
    except ReplyError as error:
        show(command, error, options)
        return exits.ERROR_REPLY
    show(command, reply, options)
    if not running:
        return exits.OK
    found: Facts = {}
    with progress(what) as advance:
        pause = PAUSE / 10
        while True:
            found = info(backend, b"persistence")
            if not any(found.get(name, "0") != "0" for name in running.split()):
                break
            advance(0)
            sleep(pause)
            pause = min(pause * 2, PAUSE * 4)
    if found.get(status, "ok") != "ok":
        complain(f"redtool: {what} failed; the files are as they were before")
        return exits.ERROR_REPLY
    if _for_people(options):
        complain(f"done in {monotonic() - began:.2f} s")
    return exits.OK


def _for_people(options: Options) -> bool:
    from redtool.oneshot import format_of

    return format_of(options) == "human"
