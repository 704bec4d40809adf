"""The guard in front of both backends: a stock HAProxy on the repository's few lines."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from pytest_otelcol.process import Process

from stack.errors import UserError
from stack.paths import COLLECTOR
from stack.services import answers
from stack.toolchain import version_of

CONFIG = COLLECTOR / "guard" / "haproxy.cfg"
AT_LEAST = (2, 6)
INSTALL = "install HAProxy 2.6 or newer (apt-get install haproxy, brew install haproxy)"


class Guard(Process):
    """HAProxy on the shipped configuration, listening on loopback.

    Args:
        port: where traces and logs come in; `url` is its address.
        metrics_port: where remote write comes in; `metrics_url` is its address.
        variables: the others of the configuration's head, `GUARD_UPSTREAM` and so on.

    Raises:
        UserError: there is no HAProxy that fits; the sentence says what to install.
    """

    def __init__(self, port: int, metrics_port: int, variables: Mapping[str, str]) -> None:
        binary = find()
        if binary is None:
            raise UserError(f"the guard is missing: {INSTALL}")
        self.url = f"http://127.0.0.1:{port}"
        self.metrics_url = f"http://127.0.0.1:{metrics_port}"
        super().__init__(
            "guard",
            [binary, "-db", "-f", CONFIG],
            env={
                "GUARD_LISTEN": f"127.0.0.1:{port}",
                "GUARD_METRICS_LISTEN": f"127.0.0.1:{metrics_port}",
                **variables,
            },
            clean_env=True,
            ready=lambda: is_guard(self.url) and is_guard(self.metrics_url),
        )


def find() -> Path | None:
    """Return the HAProxy on PATH, if its version fits."""
    path = shutil.which("haproxy")
    fits = path is not None and (version_of([path, "-v"]) or ()) >= AT_LEAST
    return Path(path) if path and fits else None


def is_guard(url: str) -> bool:
    """Tell whether a guard answers at the URL; raises `OSError` when nobody or another does."""
    return answers(f"{url}/guard/health")
