"""Redis commands, one module a group: syntax line + handler + doc."""
