"""The completion scripts in their shells: what is offered for a line, without starting Python but for key names."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator

import pexpect
import pytest

from redtool.commands.table import load_all
from redtool.docgen import ROOT
from redtool.docgen.automaton import Machine as Automaton
from redtool.docgen.completions import verbs
from redtool.grammar import Syntax
from redtool.options import OPTIONS
from tests.transcripts import Machine

SCRIPTS = {"bash": "redtool.bash", "zsh": "_redtool", "fish": "redtool.fish"}

# A line up to the cursor -> words offered. A trailing "…" lets there be more.
LINES: list[tuple[str, str]] = [
    ("redtool SE", "SELECT SET SETBIT SETEX SETNX SETRANGE"),
    ("redtool set", "set setbit setex setnx setrange"),
    ("redtool sc", "scan scard script"),
    ("redtool SC", "SCAN SCARD SCRIPT"),
    ("redtool -- sc", "scan scard script"),
    ("redtool ", "scan repl ZADD GET …"),
    ("redtool nosuch ", ""),
    ("redtool SET k v ", "EX EXAT GET IFDEQ IFDNE IFEQ IFNE KEEPTTL NX PX PXAT XX"),
    ("redtool set k v ", "ex exat get ifdeq ifdne ifeq ifne keepttl nx px pxat xx"),
    ("redtool set k v E", "EX EXAT"),
    ("redtool SET k v NX ", "EX EXAT GET KEEPTTL PX PXAT"),
    ("redtool SET k v NX EX 10 ", "GET"),
    ("redtool SET k v EX ", ""),
    ("redtool SET 'a key' \"a value\" p", "px pxat"),
    ("redtool ZADD k N", "NX"),
    ("redtool ZADD k GT ", "CH INCR NX XX"),
    ("redtool LMOVE a b LEFT ", "LEFT RIGHT"),
    ("redtool SORT k GET p G", "GET"),
    ("redtool ZUNION 2 a b ", "AGGREGATE WEIGHTS WITHSCORES"),
    ("redtool EXPIRE k 10 ", "GT LT NX XX"),
    ("redtool XADD s ", "ACKED DELREF KEEPREF MAXLEN MINID NOMKSTREAM"),
    ("redtool CONFIG ", "GET HELP RESETSTAT REWRITE SET"),
    ("redtool CONFIG GET maxmemory-p", "maxmemory-policy"),
    ("redtool OBJECT e", "encoding"),
    ("redtool INFO m", "memory modules"),
    ("redtool COMMAND LIST FILTERBY ACLCAT b", "bitmap blocking"),
    ("redtool SCAN 0 TYPE z", "zset"),
    ("redtool --co", "--color --connect-timeout"),
    ("redtool --color ", "always auto never"),
    ("redtool --json --color al", "always"),
    ("redtool --mem SETE", "SETEX"),
    ("redtool -t ", "prod stage"),
    ("redtool policy ", "list set"),
    ("redtool policy set allkeys-l", "allkeys-lfu allkeys-lru"),
    ("redtool config ", "get help resetstat rewrite set"),
    ("redtool config get appendo", "appendonly"),
    ("redtool aof ", "check fix log rewrite status"),
    ("redtool rdb ", "check info json keys"),
    ("redtool rdb keys --so", "--sort"),
    ("redtool rdb keys --sort ", "bytes elements key longest memory ttl"),
    ("redtool open st", "store"),
    ("redtool scan --ty", "--type"),
    ("redtool scan --type ", "hash list set stream string zset"),
    ("redtool scan 0 ", "count match type"),
    ("redtool scan --js", "--json"),
    ("redtool help poli", "policy"),
    ("redtool run comm", "commands.txt"),
    ("redtool --store st", "store"),
    # key names, by asking
    ("redtool GET us", "user:1 user:2"),
    ("redtool get user:", "user:1 user:2"),
    ("redtool --store store GET o", "other"),
    ("redtool --store=store GET o", "other"),
    ("redtool --store missing GET ", ""),
    ("redtool DEL user:1 user:", "user:1 user:2"),
    ("redtool ZUNION 2 a us", "user:1 user:2"),
    ("redtool ZUNION 2 a b us", ""),
    ("redtool memory usage us", "user:1 user:2"),
    ("redtool GET st", "st[x]r*"),
    ("redtool GET 'st[", "st[x]r*"),
    ("redtool GET 'st?", ""),
    ("redtool --askpass GET us", ""),
    ("redtool -u '$(touch hurt)' GET ", ""),
    ("redtool --store \"`touch hurt`\" GET ", ""),
]

Complete = Callable[[str], list[str]]
QUOTED = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")  # a word as readline sees it: with its quotes


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A home with some keys, another store, a script and a configuration."""
    found = Machine(tmp_path_factory.mktemp("home"))
    (found.home / "commands.txt").write_text("PING\n")
    settings = found.home / ".config" / "redtool" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[targets.prod]\nurl = "redis://h"\n\n[targets.stage]\nstore = "s"\n')
    found.console(["redtool MSET user:1 a user:2 b 'st[x]r*' c 'two words' d", "redtool --store store SET other 1"])
    return found


def bash(machine: Machine) -> Iterator[Complete]:
    def complete(line: str) -> list[str]:
        before, _, cur = line.rpartition(" ")
        words = [part for word in QUOTED.findall(before) for part in split_again(word)] + (split_again(cur) or [""])
        script = (
            f"source {shlex.quote(str(ROOT / 'completions' / 'redtool.bash'))}\n"
            "COMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:'\n"
            f"COMP_WORDS=({' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}\n"
            f"COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}\n"
            "_redtool\n(( ${#COMPREPLY[@]} )) && printf '%s\\n' \"${COMPREPLY[@]}\"\n"
        )
        done = subprocess.run(["bash", "--norc", "-c", script], env=machine.env, cwd=machine.home, capture_output=True,
                              text=True, check=False, timeout=60)  # fmt: skip
        assert done.stderr == ""
        kept = cur[: max(cur.rfind(":"), cur.rfind("=")) + 1]  # readline puts what is offered behind it
        return [kept + word for word in done.stdout.splitlines()]

    yield complete


def split_again(word: str) -> list[str]:
    """Readline splits at : and =, which become words; not within quotes."""
    return [word] if word[:1] in ("'", '"') else [part for part in re.split("([:=]+)", word) if part]


def fish(machine: Machine) -> Iterator[Complete]:
    def complete(line: str) -> list[str]:
        script = f"source {ROOT}/completions/redtool.fish; complete -C $argv[1]"
        done = subprocess.run(["fish", "--no-config", "-c", script, line], env=machine.env, cwd=machine.home,
                              capture_output=True, text=True, check=False, timeout=60)  # fmt: skip
        assert done.stderr == ""
        return [row.partition("\t")[0] for row in done.stdout.splitlines()]

    yield complete


ZSH = r"""
PS1=; unsetopt zle_bracketed_paste; TERM=dumb
fpath=($DIRECTORY $fpath); autoload -U compinit; compinit -u -D
compadd() {
    if [[ ${(j: :)@[1,(i)(-|--)]} == *-[OAD]\ * ]]; then builtin compadd "$@"; return; fi
    local -a hits; builtin compadd -A hits "$@"; (( $#hits )) && print -rl -- $hits >> hits
    (( $#hits ))
}
_capture() { : > hits; _main_complete; print -rn -- $'\x02' > /dev/tty }
zle -C capture complete-word _capture
bindkey '^T' capture
print -r -- READY$((1+1))
"""


def zsh(machine: Machine) -> Iterator[Complete]:
    setup = machine.home / "setup.zsh"
    setup.write_text(ZSH.replace("$DIRECTORY", shlex.quote(str(ROOT / "completions"))))
    child = pexpect.spawn("zsh", ["-f", "-i"], env=machine.env, cwd=str(machine.home), timeout=30, dimensions=(50, 200))
    child.sendline(f"source {shlex.quote(str(setup))}")
    child.expect_exact("READY2")

    def complete(line: str) -> list[str]:
        child.send(f"\x15{line}\x14")
        child.expect_exact("\x02")
        return (machine.home / "hits").read_text().splitlines()

    yield complete
    child.close(force=True)


@pytest.fixture(scope="module", params=[pytest.param(shell, marks=pytest.mark.needs(shell.__name__), id=shell.__name__)
                                        for shell in (bash, zsh, fish)])  # fmt: skip
def complete(request: pytest.FixtureRequest, machine: Machine) -> Iterator[Complete]:
    yield from request.param(machine)


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[line for line, _ in LINES])
def test_line(complete: Complete, machine: Machine, line: str, expected: str) -> None:
    offered = {tidy(word) for word in complete(line)}
    wanted = set(expected.split())
    if "…" in wanted:
        assert wanted - {"…"} <= offered
    else:
        assert offered == wanted
    assert not (machine.home / "hurt").exists()
    assert not (machine.home / "missing").exists()


def tidy(word: str) -> str:
    """A word as it would be read: a shell may give it quoted, a file with what was typed before."""
    return word.replace("\\", "").strip("'\"").rstrip("/")


def test_first_lines_tell_where_they_come_from() -> None:
    for shell, name in SCRIPTS.items():
        lines = (ROOT / "completions" / name).read_text(encoding="utf-8").splitlines()
        if shell == "zsh":  # whose first line must be this
            assert lines.pop(0) == "#compdef redtool"
        assert "generated by python -m redtool.docgen" in lines[0]


@pytest.mark.parametrize("name", SCRIPTS.values())
def test_scripts_are_small(name: str) -> None:
    assert os.path.getsize(ROOT / "completions" / name) < 150_000


def test_everything_is_in_them() -> None:
    for name in SCRIPTS.values():
        text = (ROOT / "completions" / name).read_text(encoding="utf-8")
        words = [*OPTIONS, *verbs(), *(command.decode() for command in load_all())]
        assert [word for word in words if word not in text] == []


# -- the machine behind them


def walk(machine: Automaton, words: list[str]) -> bool:
    """Whether the states read a line to its end."""
    state = machine.starts[words[0]]
    for word in words[1:]:
        edges = machine.states[state]
        tokens = {token: to for (token, _), to in edges.items() if token != "?"}
        others = [to for (token, _), to in edges.items() if token == "?"]
        if word.upper() not in tokens and not others:
            return False
        state = tokens.get(word.upper(), others[0] if others else 0)
    return True


@pytest.mark.parametrize("line", [
    "SET k v NX EX 10 GET", "SET k v GET EX 10 NX", "ZADD k NX CH 1 a 2 b", "BLPOP a b c 0", "MSET a 1 b 2",
    "ZUNIONSTORE d 2 a b WEIGHTS 1 2 AGGREGATE MAX", "SORT k BY w LIMIT 0 1 GET a GET b DESC ALPHA STORE d",
    "XADD s MAXLEN ~ 10 LIMIT 5 * f v f v", "XREADGROUP GROUP g c COUNT 1 STREAMS a b 0 0", "CONFIG GET a b",
    "GEOSEARCH k FROMLONLAT 1 2 BYRADIUS 1 km ASC COUNT 3 ANY WITHCOORD",
    "BITFIELD k OVERFLOW SAT INCRBY u8 0 1 GET u8 0",
    "LPOS k e RANK 1 COUNT 2", "HELLO 3 AUTH a b SETNAME c",
])  # fmt: skip
def test_machine_reads(line: str) -> None:
    assert walk(Automaton(load_all().values()), line.split())


@pytest.mark.parametrize("line", ["SET k v NX EX", "SET k v 12", "GET a b", "CONFIG FOO", "ZADD"])
def test_machine_is_as_strict_as_the_syntax(line: str) -> None:
    """Where a shell offers nothing, the syntax is at its end or at odds with the line."""
    words = line.split()
    reads = walk(Automaton(load_all().values()), words)
    command = load_all()[words[0].encode()]
    if command.subs is None:
        known = Syntax(command.line).expect([word.encode() for word in words])
        assert reads == (known.error is None)
    else:
        assert not reads
