"""Fixtures of the command tables, for scripts."""

from __future__ import annotations

from tests.commands.conftest import clocked, r

__all__ = ["clocked", "r"]
