#!python
"""The installed ``redtool`` command; pip puts its interpreter in the first line."""

from redtool.__main__ import run

run()
