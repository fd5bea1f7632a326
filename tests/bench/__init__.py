"""Figures of DESIGN 12, a script each: ``python -m tests.bench.NAME`` prints both sides and the ratio."""
