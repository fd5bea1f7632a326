"""The same scripts on the embedded store and on each real server, in both versions of the protocol."""

from __future__ import annotations

import pytest

from tests import embedded
from tests.lua.cases import COMMANDS, SCRIPTS, Words, told_apart
from tests.servers import RealServer


def compare(server: RealServer, proto: int, lines: list[Words]) -> None:
    """Run the commands on both sides and collect what differs."""
    server.flush()
    different = []
    ours = embedded.Client(proto=proto, frozen=False)
    with server.client(proto) as theirs:
        for client in (ours, theirs):
            client.call("SET", "a", "b")
        for words in lines:
            valkey = server.name == "valkey"
            real = told_apart(theirs.wire(*words), valkey)
            got = told_apart(ours.wire(*words), valkey)
            if real != got:
                different.append(f"{words}\n  {server.name} {real[:300]!r}\n  redtool {got[:300]!r}")
    server.flush()
    assert not different, "\n" + "\n".join(different)


@pytest.mark.parametrize("proto", [2, 3])
def test_scripts(real: RealServer, proto: int) -> None:
    compare(real, proto, [("EVAL", script.replace("\\n", "\n"), 2, "k", "k2", "v", "w") for script in SCRIPTS])


@pytest.mark.parametrize("proto", [2, 3])
def test_commands(real: RealServer, proto: int) -> None:
    skipped = DIFFERENT_ON_VALKEY if real.name == "valkey" else ()
    compare(real, proto, [words for words in COMMANDS if words not in skipped])


# Where Valkey 9.1 has another payload version, and other words for a script or an engine that it does not know.
DIFFERENT_ON_VALKEY: tuple[Words, ...] = (
    ("FUNCTION", "DUMP"), ("EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", 0), ("EVALSHA", "x", 0),
    ("EVALSHA", "x", "y"), ("EVAL", "#!foo\nreturn 1", 0), ("EVAL", "#! lua\nreturn 1", 0),
)  # fmt: skip
