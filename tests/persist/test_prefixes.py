"""Every byte prefix of a journal of 500 mixed commands and transactions: see ``prefixes``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from tests.persist.prefixes import Journal, check_opening, check_reading, made, torn


@pytest.fixture(scope="module")
def journal() -> Journal:
    return made(500, seed=1)


@pytest.fixture
def home() -> Iterator[Path]:
    with TemporaryDirectory() as path:
        yield Path(path)


def test_what_is_handed_on_from_every_prefix(journal: Journal) -> None:
    check_reading(journal)
    assert journal.data.count(b"\r\n$5\r\nMULTI\r\n") > 50
    assert len(set(journal.digests)) > 200


def test_a_journal_torn_inside_any_command_opens(journal: Journal, home: Path) -> None:
    for size in torn(journal, Random(2)):
        check_opening(journal, home, size)


def test_every_prefix_opens(home: Path) -> None:
    """Of a shorter journal; ``python -m tests.persist.prefixes`` does it with all 500 commands."""
    journal = made(12, seed=3)
    for size in range(len(journal.data) + 1):
        check_opening(journal, home, size)
