"""Alertmanager with the shipped configuration."""

import os
from collections.abc import Mapping
from pathlib import Path

from otelcol_runner.ports import place
from otelcol_runner.process import Process

from stack.paths import PROMETHEUS
from stack.services.folders import link_into
from stack.services.health import answers
from stack.tools import toolchain

# The receivers of the shipped configuration, and the variable with the URL of each.
RECEIVERS = {"pager": "PAGER_WEBHOOK_URL", "tickets": "TICKETS_WEBHOOK_URL"}


class Alertmanager(Process):
    """A single Alertmanager on loopback, without clustering.

    Args:
        port: the port to listen on; `address` is host and port, `url` the whole URL.
        data: a folder for its state.
        addresses: the URL of each receiver; URLs may be secret, so they are passed in files.
        config: the configuration file.
    """

    def __init__(
        self,
        port: int,
        data: Path,
        addresses: Mapping[str, str],
        *,
        config: Path = PROMETHEUS / "alertmanager.yml",
    ) -> None:
        self.address = place(port)
        self.url = f"http://{self.address}"
        self.data, self.addresses, self.config = data, dict(addresses), config
        super().__init__(
            "alertmanager",
            [
                toolchain.alertmanager(),
                f"--config.file={data / config.name}",
                f"--storage.path={data / 'storage'}",
                f"--web.listen-address={self.address}",
                f"--web.external-url={self.url}",
                "--cluster.listen-address=",
            ],
            cwd=data,
            ready=lambda: answers(f"{self.url}/-/ready"),
        )

    def start(self) -> None:
        """Write the receivers' URLs to files next to the configuration, then start."""
        link_into(self.data, self.config)
        folder = self.data / "receivers"
        folder.mkdir(mode=0o700, exist_ok=True)
        for receiver, address in self.addresses.items():
            path = folder / receiver
            path.touch(mode=0o600)
            path.write_text(address)
        super().start()


def receivers(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the URLs of the receivers that the environment sets."""
    return {name: url for name, variable in RECEIVERS.items() if (url := variables.get(variable))}
