"""Many scripts leave nothing behind. ``python -m tests.lua.test_memory`` runs 100,000."""

from __future__ import annotations

import resource

from redtool.backends.embedded import open_store
from redtool.lua.machine import machine
from redtool.lua.scripts import KEPT

SCRIPT = """
local t = redis.call('LRANGE', KEYS[1], 0, -1)
local ok, e = pcall(redis.call, 'INCR', KEYS[1])
local co = coroutine.wrap(function() return pcall(redis.call, 'NOSUCH') end)
return { t, e, co(), cjson.decode('[1,{"a":null}]'), cmsgpack.unpack(cmsgpack.pack(t)), %s }
"""


def run(count: int) -> tuple[int, int]:
    """Run that many scripts, each tenth a new one; bytes that Lua holds after, and scripts that are kept."""
    with open_store(":memory:") as store:
        store.execute("RPUSH", "list", *range(20))
        for number in range(count):
            store.execute("EVAL", SCRIPT % (number if number % 10 == 0 else 0), 1, "list", number)
        lua = machine().lua
        lua.gccollect()
        assert store.store.scripts is not None
        return lua.get_memory_used(), len(store.store.scripts.recent)


def test_no_leak() -> None:
    first, _ = run(1500)
    second, _ = run(1500)
    third, kept = run(5500)
    assert kept == KEPT
    assert third < max(first, second) + 3_000_000  # the scripts that are kept


COROUTINES = """
local odd = { {}, { {} }, { function() end }, { 'x', 'y', 'z' }, { -1, 1e300 }, { redis } }
for _, group in pairs({ math, cjson, cmsgpack, struct, bit }) do
  for name, fn in pairs(group) do
    for _, args in ipairs(type(fn) == 'function' and odd or {}) do
      coroutine.resume(coroutine.create(function(...) return fn(...) end), unpack(args))
    end
  end
end
return 1
"""


def test_what_coroutines_passed_to_python_is_let_go_in_time() -> None:
    """What they passed must not outlive them: it would be given back to a state that is gone, and crash."""
    with open_store(":memory:") as store:
        for _ in range(120):
            assert store.execute("EVAL", COROUTINES, 0) == 1


if __name__ == "__main__":
    for _ in range(5):
        used, _ = run(20_000)
        print(
            f"Lua holds {used:,} bytes, the process at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:,} KiB"
        )
