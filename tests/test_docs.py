"""The documents say what is: transcripts run, commands that are named exist, nothing is left out."""

from __future__ import annotations

import doctest
import subprocess
from pathlib import Path

import pytest

from redtool import exits
from redtool.commands.table import load_all
from redtool.docgen import ROOT
from redtool.docgen.facts import MEANINGS
from redtool.docgen.man import escape, flat, pages
from redtool.options import OPTIONS, VERBS
from redtool.parameters import PARAMETERS
from tests.transcripts import Machine, blocks, same, steps

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = pages("note")


def test_readme_transcripts(tmp_path: Path) -> None:
    """In the order of the page, in one store."""
    machine = Machine(tmp_path)
    wrong = []
    marked = [("$", block) for block in blocks(README, "console")] + [(">", block) for block in blocks(README, "repl")]
    assert len(marked) > 6
    for sign, block in sorted(marked, key=lambda pair: README.index(pair[1])):
        told = steps(block, sign)
        run = machine.console if sign == "$" else machine.repl
        for (line, expected), shown in zip(told, run([line for line, _ in told]), strict=True):
            if not same(shown, [line.rstrip() for line in expected]):
                wrong.append(f"{sign} {line}\n" + "\n".join(shown))
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize(
    ("shown", "expected", "alike"),
    [
        (["a"], ["a"], True), (["a"], ["b"], False), (["a"], [], False), ([], [], True),
        (["took 12 ms"], ["took … ms"], True), (["took  ms"], ["took … ms"], False),
        (["a", "b", "c"], ["a", "…", "c"], True), (["a", "c"], ["a", "…", "d"], False), (["a", "b"], ["…"], True),
        (["1) a"], ["1] a"], False),
    ],
)  # fmt: skip
def test_transcripts_are_compared(shown: list[str], expected: list[str], alike: bool) -> None:
    assert same(shown, expected) == alike


def test_readme_python() -> None:
    block = "".join(blocks(README, "pycon"))
    example = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    assert not report, "".join(report)


def test_readme_shows_a_command_as_it_is_declared() -> None:
    [block] = blocks(README, "python")
    source = (ROOT / "redtool" / "commands" / "strings.py").read_text(encoding="utf-8")
    assert block.strip() in source


@pytest.mark.parametrize("name", ["first", "second"])
def test_gate_runs_the_commands_of_the_readme(name: str) -> None:
    command = README.partition(f"<!-- {name} -->\n```sh\n")[2].partition("\n```")[0]
    assert command.startswith("python3 -m venv ")
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    [taken] = [line for line in gate if line.startswith(f"{name}=")]
    script = f'{taken}; echo "${name}"'
    shown = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == f"{command}\n"
    assert any(line.startswith(f'sh -c "${name}"') for line in gate)


# -- man pages


@pytest.mark.parametrize("command", flat(load_all()), ids=lambda c: c.name)
def test_page_of_commands_has_it_all(command: object) -> None:
    page = PAGES["man7/redtool-commands.7"]
    line, doc = command.line, command.doc.partition("\n")[0]  # type: ignore[attr-defined]
    assert f'.B "{escape(line)}"'.replace('""', "\\(dq\\(dq") in page
    assert escape(doc) in page


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_in_the_man_page(option: str) -> None:
    assert escape(option) in PAGES["man1/redtool.1"]


def test_every_exit_code_is_in_the_man_page() -> None:
    section = PAGES["man1/redtool.1"].partition(".SH EXIT STATUS")[2].partition(".SH ")[0]
    for name, code in vars(exits).items():
        if name.isupper():
            assert f'.B "{code}"' in section, name


def test_every_verb_has_a_page_with_an_example() -> None:
    for verb in VERBS.keys() - {"help"}:
        page = PAGES[f"man1/redtool-{verb}.1"]
        assert f"redtool {verb}" in page.partition(".SH EXAMPLES")[2], verb


def test_every_parameter_is_in_the_page_of_the_configuration() -> None:
    page = PAGES["man5/redtool.conf.5"]
    assert [name for name in PARAMETERS if escape(name) not in page] == []


@pytest.mark.parametrize("name", MEANINGS)
def test_parameters_told_to_be_honoured_are_read(name: str) -> None:
    """Somewhere in the source, the places that know every parameter aside."""
    aside = {"parameters.py", "config.py", "info.py", "facts.py"}
    family = name.rpartition("-")[0] + "-{"  # limits.get(f"zset-max-listpack-{what}")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "redtool").rglob("*.py") if path.name not in aside]
    assert any(f'"{name}"' in text or f'"{family}' in text for text in sources)


@pytest.mark.needs("groff")
@pytest.mark.parametrize("name", PAGES)
def test_roff_is_clean(tmp_path: Path, name: str) -> None:
    page = tmp_path / "page"
    page.write_text(PAGES[name], encoding="utf-8")
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-rLL=80n", str(page)], capture_output=True, check=True)
    assert done.stderr == b""
    assert len(done.stdout) > 300


def test_roff_escapes() -> None:
    assert escape(".a 'b' -c \\") == "\\&.a \\(aqb\\(aq \\-c \\e"


@pytest.mark.parametrize(("word", "parameter"), [("eviction", "maxmemory-policy"), ("clusters", "cluster-enabled")])
def test_readme_tells_what_is_not_there_yet(word: str, parameter: str) -> None:
    """What the man page says is kept without effect stands here too."""
    told = README.partition("Not there yet:")[2].partition(".")[0]
    assert (word in told) == (parameter not in MEANINGS)
