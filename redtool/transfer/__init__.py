"""Keys on their way from one backend to another: read, written, compared. What ``redtool copy`` and ``diff`` do."""
