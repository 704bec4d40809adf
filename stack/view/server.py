"""Serves the page until it is stopped."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from otelcol_runner.ports import accepts

from stack.errors import UserError
from stack.view.app import create
from stack.view.settings import Settings


@contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """Bind the address, before anything that takes long; raises `UserError` if it is in use."""
    host, port = settings.host, settings.port
    if port and accepts(port, host):
        raise unusable(settings, "it is in use")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise unusable(settings, error.strerror or str(error)) from None
        yield listener


def unusable(settings: Settings, why: str) -> UserError:
    return UserError(
        f"cannot listen on {settings.place} ({why}): stop the program that listens there, or set "
        "VIEW_LISTEN to another host:port"
    )


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; raises `UserError` if the page is not built."""
    found = settings.files
    if not (found / "index.html").is_file() or not (found / "assets").is_dir():
        raise UserError(
            f"VIEW_FILES={settings.files} is not the folder of the built page: set it to the one "
            "that `make tools` prints"
        )
    uvicorn.Server(configuration(settings)).run(sockets=[listener])


def configuration(settings: Settings) -> uvicorn.Config:
    """Return the server's: without WebSockets, and without trust in a proxy's headers."""
    return uvicorn.Config(
        create(settings),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=2,
    )
