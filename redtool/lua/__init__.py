"""Lua scripts: the interpreter, its sandbox, and what ties it to a store. Imported when a script is first run."""
