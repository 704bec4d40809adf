"""A Kafka broker as a process, from its published jars: one node, KRaft, on loopback."""

import os
from collections.abc import Mapping
from pathlib import Path

from otelcol_runner.lifetime import run
from otelcol_runner.process import Process, ProcessFailedError

from tests.support.kafka.jars import jars, java

CLUSTER = "YWdlbnRpY2FsLWthZmthMA"  # 16 bytes as base64
STARTED = "Kafka Server started"
SMALL = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
QUIET = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",  # it logs when it is ready
)


class Broker(Process):
    """A broker that is its own controller; clients may create topics, of three partitions.

    Args:
        port: where clients connect.
        controller_port: where it speaks to itself.
        data: a folder for its state, formatted at the first start.
        settings: properties besides, or in place of, those below.
    """

    def __init__(
        self,
        port: int,
        controller_port: int,
        data: Path,
        *,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.address, self.data = f"127.0.0.1:{port}", data
        self.settings = properties(port, controller_port, data) | dict(settings or {})
        self.file = data / "server.properties"
        self._java = [java(), *SMALL, *QUIET, "-cp", f"{jars()}/*"]
        self._starts = 0
        super().__init__(
            "kafka",
            [*self._java, "kafka.Kafka", os.fspath(self.file)],
            ready=lambda: self.output().count(STARTED) > self._starts,
            ready_timeout=60.0,
        )

    def start(self) -> None:
        """Format the storage where there is none, then start. Raises `ProcessFailedError`."""
        self._starts = self.output().count(STARTED)  # of earlier starts
        self.file.touch(mode=0o600)
        self.file.write_text("".join(f"{key}={value}\n" for key, value in self.settings.items()))
        if not (self.data / "log" / "meta.properties").exists():
            self._format()
        super().start()

    def _format(self) -> None:
        arguments = ["format", "--cluster-id", CLUSTER, "--config", os.fspath(self.file)]
        command = [*self._java, "kafka.tools.StorageTool", *arguments]
        done = run(command)
        if done.returncode:
            raise ProcessFailedError(f"kafka's storage was not formatted: {done.stderr.strip()}")


def properties(port: int, controller_port: int, data: Path) -> dict[str, str]:
    """Return the properties of a node alone: https://kafka.apache.org/41/configuration."""
    clients, controller = f"CLIENTS://127.0.0.1:{port}", f"CONTROLLER://127.0.0.1:{controller_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{clients},{controller}",
        "advertised.listeners": clients,
        "inter.broker.listener.name": "CLIENTS",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": os.fspath(data / "log"),
        "num.partitions": "3",
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
