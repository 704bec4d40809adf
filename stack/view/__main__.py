"""Serve the page: `python -m stack.view`, configured by variables (docs/view.md).

VIEW_FILES is the folder of the built page; `make view` builds it and serves it.
"""

import os
import sys
from contextlib import suppress

from stack.errors import UserError
from stack.view.server import bound, serve
from stack.view.settings import Settings


def main() -> None:
    """Serve until stopped; raises `UserError` for a bad variable."""
    settings = Settings.from_environment(os.environ)
    with suppress(KeyboardInterrupt), bound(settings) as listener:
        serve(settings, listener)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"view: {error}")
