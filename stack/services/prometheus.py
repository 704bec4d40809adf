"""Prometheus with the shipped configuration."""

import json
from pathlib import Path

from otelcol_runner.ports import place
from otelcol_runner.process import Process

from stack.paths import PROMETHEUS
from stack.services.folders import link_into
from stack.services.health import answers
from stack.services.retention import DEFAULT as DEFAULT_RETENTION
from stack.tools import toolchain


class Prometheus(Process):
    """A Prometheus that accepts remote write, with the repository's configuration.

    Args:
        port: the port to listen on.
        data: a folder for its state.
        config: a configuration file to use unchanged, in place of the repository's.
        home: the folder of `prometheus.yml` and `rules/`.
        alertmanager: host and port of the Alertmanager to notify; none by default.
        retention: how long it keeps its data, as a Prometheus duration.
        external_url: where the links in notifications lead, if not to itself.
    """

    def __init__(
        self,
        port: int,
        data: Path,
        *,
        config: Path | None = None,
        home: Path = PROMETHEUS,
        alertmanager: str = "",
        retention: str = DEFAULT_RETENTION,
        external_url: str = "",
    ) -> None:
        self.port, self.home, self.alertmanager = port, home, alertmanager
        self._folder = None if config else data / "config"
        self.url = f"http://{place(port)}"
        self.remote_write_endpoint = f"{self.url}/api/v1/write"
        self.last_report_endpoint = f"{self.url}/api/v1/otlp/v1/metrics"
        super().__init__(
            "prometheus",
            [
                toolchain.prometheus(),
                f"--config.file={config or data / 'config' / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}",
                f"--storage.tsdb.retention.time={retention}",
                f"--web.listen-address={place(port)}",
                f"--web.external-url={external_url or self.url}",
                "--web.route-prefix=/",  # its own paths do not follow that URL's
                "--web.enable-remote-write-receiver",
                "--web.enable-otlp-receiver",
                "--enable-feature=exemplar-storage,native-histograms",
            ],
            ready=lambda: answers(f"{self.url}/-/ready"),
        )

    def start(self) -> None:
        """Write the Alertmanager's address next to the configuration, then start."""
        if self._folder:
            link_into(self._folder, self.home / "prometheus.yml", self.home / "rules")
            addresses = self._folder / "alertmanagers"
            addresses.mkdir(exist_ok=True)
            targets = [{"targets": [self.alertmanager]}] if self.alertmanager else []
            (addresses / "local.yml").write_text(json.dumps(targets))
        super().start()
