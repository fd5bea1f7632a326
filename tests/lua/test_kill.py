"""Scripts that do not end: other clients are told BUSY, SCRIPT KILL and Ctrl-C stop them whatever they do."""
# ruff: noqa: E501 - a script is one line

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from redtool import errors
from redtool.backends.embedded import Embedded, open_store
from tests.served import Served

LOOPS = [
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    "while true do local c = coroutine.create(function() while true do end end) coroutine.resume(c) end",
    "while true do redis.pcall('GET', 'x') end",
    "while true do redis.pcall('NOSUCH') end",
    "local t = setmetatable({}, { __index = function() while true do end end }) while true do pcall(function() return t.x end) end",
    "while true do pcall(string.gsub, 'x', 'x', function() while true do end end) end",
    "while true do pcall(table.sort, { 1, 2, 3 }, function() while true do end end) end",
    "while true do loadstring('while true do end')() end",
    "while true do pcall(load, function() while true do end end) end",
    "local function f() return f() end return f()",
    "local t = {} t[1] = t t[2] = t while true do pcall(cmsgpack.pack, t) end",
]


class Runaway:
    """A script in a thread; ``reply`` is what came of it."""

    def __init__(self, store: Embedded, *argv: str | int) -> None:
        self.store, self.argv = store, argv
        self.reply: Any = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        while not store.store.busy and self.thread.is_alive():
            threading.Event().wait(0.001)

    def _run(self) -> None:
        try:
            self.reply = self.store.execute(*self.argv)
        except BaseException as error:
            self.reply = error

    def end(self) -> Any:
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.reply


@pytest.fixture
def store() -> Iterator[Embedded]:
    with open_store(":memory:") as store:
        store.execute("CONFIG", "SET", "busy-reply-threshold", "20")
        yield store


def refusal(store: Embedded, *argv: str) -> str:
    with pytest.raises(errors.ReplyError) as found:
        store.execute(*argv)
    return found.value.message


@pytest.mark.parametrize("loop", LOOPS)
def test_kill(store: Embedded, loop: str) -> None:
    script = Runaway(store, "EVAL", loop, 0)
    assert refusal(store, "GET", "x").startswith("BUSY Redis is busy running a script. You can only call SCRIPT KILL")
    assert refusal(store, "FUNCTION", "KILL").startswith("BUSY ")
    assert refusal(store, "FUNCTION", "STATS").startswith("BUSY ")
    assert store.execute("SCRIPT", "KILL") == b"OK"
    assert "Script killed by user with SCRIPT KILL..." in script.end().message
    assert store.execute("EVAL", "return ARGV[1]", 0, "fine") == b"fine"
    assert refusal(store, "SCRIPT", "KILL") == "NOTBUSY No scripts in execution right now."


def test_one_that_has_written_is_not_killed(store: Embedded) -> None:
    script = Runaway(
        store, "EVAL", "redis.call('SET','x','1') while redis.call('INCR','n') < 20000 do end return 'done'", 0
    )
    assert refusal(store, "SCRIPT", "KILL").startswith("UNKILLABLE ")
    assert script.end() == b"done"
    assert store.execute("GET", "n") == b"20000"


def test_functions_are_killed_by_their_own_command(store: Embedded) -> None:
    store.execute(
        "FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('loop', function() while true do end end)"
    )
    script = Runaway(store, "FCALL", "loop", 1, "k", "a")
    assert refusal(store, "SCRIPT", "KILL").startswith(
        "BUSY Redis is busy running a script. You can only call FUNCTION KILL"
    )
    stats = store.execute("FUNCTION", "STATS")
    assert isinstance(stats, dict)
    assert stats[b"running_script"][b"name"] == b"loop"
    assert stats[b"running_script"][b"command"] == [b"FCALL", b"loop", b"1", b"k", b"a"]
    assert store.execute("FUNCTION", "KILL") == b"OK"
    assert "Script killed by user with FUNCTION KILL..." in script.end().message


@pytest.mark.parametrize("before", ["", "redis.call('SET','y','1')"])
def test_interrupt(store: Embedded, before: str) -> None:
    """Ctrl-C ends a script, one that has written too: its effects so far stay, and are one unit in the journal."""
    store.stop_asked = lambda: True
    with pytest.raises(KeyboardInterrupt):
        store.execute("EVAL", before + " while true do pcall(function() while true do end end) end", 0)
    store.stop_asked = lambda: False
    assert store.execute("GET", "y") == (b"1" if before else None)
    assert store.execute("EVAL", "return 1", 0) == 1
    assert not store.store.busy
    assert not store.store.collects


def test_a_library_that_does_not_end(store: Embedded) -> None:
    assert refusal(store, "FUNCTION", "LOAD", "#!lua name=l\nwhile true do end").endswith("FUNCTION LOAD timeout")


def test_two_stores_share_the_interpreter() -> None:
    """A script of one store waits for that of another; each sees its own data."""
    results: list[Any] = []
    with open_store(":memory:") as one, open_store(":memory:") as two:

        def count(store: Embedded) -> None:
            for _ in range(50):
                results.append(
                    store.execute("EVAL", "for i=1,50 do redis.call('INCR','n') end return redis.call('GET','n')", 0)
                )

        threads = [threading.Thread(target=count, args=(store,)) for store in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(int, results)) == sorted([*range(50, 2501, 50)] * 2)


def test_through_a_socket(served: Served) -> None:
    """The listener goes on serving others while a script runs."""
    with served.client() as slow, served.client() as other:
        other.call("CONFIG", "SET", "busy-reply-threshold", 20)
        slow.send("EVAL", "while true do pcall(function() while true do end end) end", 0)
        while not isinstance(reply := other.call("GET", "x"), errors.ReplyError):
            pass
        assert reply.message.startswith("BUSY ")
        assert other.call("SCRIPT", "KILL") == b"OK"
        assert b"Script killed by user" in slow.receive_wire()
        assert other.call("EVAL", "return 1", 0) == 1
