"""Going on in the background: a process of its own session, whose parent waits until it is ready."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

READY, FAILED = b"+", b"-"


def detach(work: Callable[[Callable[[str], None]], int], failure: Callable[[BaseException], tuple[str, int]],
           ) -> tuple[str, int]:  # fmt: skip
    """Run ``work`` in a process of its own; gives the text and exit code that the first one ends with.

    ``work`` gets a function to call with a text when it is ready; ``failure`` makes a text and a code of what it raises
    before.
    """
    inlet, outlet = os.pipe()
    if os.fork() == 0:
        os.close(inlet)
        os.setsid()
        if os.fork():
            os._exit(0)
        _work(work, failure, outlet)
    os.close(outlet)
    os.wait()
    told = b""
    while piece := os.read(inlet, 1 << 16):
        told += piece
    os.close(inlet)
    kind, text = told[:1], told[1:].decode("utf-8", "surrogateescape")
    if kind == READY:
        return text, 0
    code, _, text = text.partition(" ")
    return (text, int(code)) if kind == FAILED else ("it ended before it was ready", 1)


def _work(work: Callable[[Callable[[str], None]], int], failure: Callable[[BaseException], tuple[str, int]],
          outlet: int) -> NoReturn:  # fmt: skip
    """What the process in the background does: never returns."""
    told = False

    def tell(text: str) -> None:
        nonlocal told
        told = True
        os.write(outlet, READY + text.encode("utf-8", "surrogateescape"))
        os.close(outlet)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        os.close(nowhere)

    code = 1
    try:
        code = work(tell)
    except BaseException as error:
        text, code = failure(error)
        if not told:
            os.write(outlet, FAILED + f"{code} {text}".encode("utf-8", "surrogateescape"))
    finally:
        os._exit(code)
