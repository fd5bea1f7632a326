"""Generated files are fresh."""

from __future__ import annotations

import pytest

from redtool import docgen


@pytest.mark.parametrize("path", docgen.outputs(), ids=lambda p: str(p.relative_to(docgen.ROOT)))
def test_generated_file_is_fresh(path: docgen.Path) -> None:
    assert path.read_text(encoding="utf-8") == docgen.outputs()[path], "run python -m redtool.docgen"
