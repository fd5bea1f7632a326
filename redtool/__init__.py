"""redtool: a terminal for Redis that brings its own Redis.

``redtool.open(path)`` opens a store directory (``":memory:"`` keeps nothing) and ``redtool.connect(url)`` a server;
both give an object with ``execute(*argv)`` and ``close()`` that is a context manager. ``redtool.redis(path)`` gives
redis-py's client on a store, without a server. ``redtool.aio`` has the same three for asyncio.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool import aio
    from redtool.backends.embedded import open_store as open
    from redtool.backends.remote import connect
    from redtool.redispy import redis

_HOMES = {
    "open": ("redtool.backends.embedded", "open_store"),
    "connect": ("redtool.backends.remote", "connect"),
    "redis": ("redtool.redispy", "redis"),
}

__all__ = ["__version__", "aio", "connect", "open", "redis"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562)."""
    if name == "aio":
        import redtool.aio

        return redtool.aio
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'redtool' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home[0]), home[1])
