"""``python -m redtool.docgen [--check]``"""

from __future__ import annotations

import sys

from redtool.docgen import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
