"""Run the stand-in: `python -m stack.standins.logfire`, configured by variables.

STAND_IN_LISTEN (127.0.0.1:4320), LOGFIRE_TOKEN and LOGFIRE_READ_TOKEN (local defaults),
STAND_IN_ROWS (100000 rows per table).
"""

import os
import sys

import uvicorn

from stack.errors import UserError
from stack.standins.listening import listen_address
from stack.standins.logfire import READ_TOKEN, WRITE_TOKEN
from stack.standins.logfire.app import create
from stack.standins.logfire.faults import CuttingProtocol


def main() -> None:
    """Serve until stopped; raises `UserError` for a bad variable."""
    host, port = listen_address("STAND_IN_LISTEN", "127.0.0.1:4320")
    application = create(
        write_token=os.environ.get("LOGFIRE_TOKEN") or WRITE_TOKEN,
        read_token=os.environ.get("LOGFIRE_READ_TOKEN") or READ_TOKEN,
        max_rows=row_limit(os.environ.get("STAND_IN_ROWS") or "100000"),
    )
    where = f"{host}:{port}"
    print(f"Logfire stand-in on {where}, press Ctrl-C to stop", file=sys.stderr)  # noqa: T201 - for people
    uvicorn.run(
        application,
        host=host,
        port=port,
        http=CuttingProtocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )


def row_limit(text: str) -> int:
    """Return the maximum number of rows per table; raises `UserError`."""
    if not text.isdigit() or int(text) < 1:
        raise UserError(f"STAND_IN_ROWS={text} is not valid: set it to a whole number, 1 or more")
    return int(text)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"stand-in: {error}")
