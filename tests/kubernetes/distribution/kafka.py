"""Agents with guards, a broker with TLS and a password, a gateway, and a collector of the lag."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from otelcol_runner.polling import poll_until
from otelcol_runner.ports import free_port
from otelcol_runner.telemetry import gauge, log, trace_id
from prometheus_client.parser import text_string_to_metric_families
from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from stack.pipeline.configs import Config, started_on
from stack.pipeline.ports import LISTEN
from stack.services.collector import config_file
from stack.services.guard import Guard
from tests.kubernetes.running import QUICK
from tests.support.kafka import Broker
from tests.support.shapes import RESOURCE, request

LOGIN = "overlays/kafka-login"
IDLE = str(Path(__file__).with_name("idle.yaml"))
AGENT = (*started_on("environments/agent", "agents/to-kafka", LOGIN), IDLE)
GATEWAY = started_on(
    "gateways/from-agents",
    "gateways/from-kafka",
    "environments/development",
    "routes/hybrid",
    LOGIN,
)
WATCHER = started_on("infrastructure/kafka", "environments/agent", "routes/hybrid", LOGIN)
MAY = "super.users"
ITSELF = "User:ANONYMOUS;User:broker"
LOGINS = "listener.name.clients.plain.sasl.jaas.config"
USER = {
    "KAFKA_SASL_MECHANISM": "PLAIN",
    "KAFKA_USERNAME": "pipeline",
    "KAFKA_PASSWORD": "pass word #1",
}


def locked(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return a broker's properties for TLS and a password, and the variables of its clients."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(pkcs8 + issued.cert_chain_pems[0].bytes())
    authority.cert_pem.write_to_path(folder / "authority.pem")
    properties = {
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "server.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(folder / "authority.pem"),
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        LOGINS: login(USER["KAFKA_PASSWORD"]),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        MAY: f"{ITSELF};User:{USER['KAFKA_USERNAME']}",
    }
    return properties, USER | {"KAFKA_CA_FILE": str(folder / "authority.pem")}


def login(password: str) -> str:
    """Return the broker's setting for the user's password, which is not its own."""
    name, own = USER["KAFKA_USERNAME"], "between brokers"
    return (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="broker" password="{own}" user_broker="{own}" user_{name}="{password}";'
    )


@dataclass
class Kafka:
    """All parts, and what was sent."""

    otelcol: Otelcol
    folder: Path
    broker: Broker
    variables: dict[str, str]
    logfire: OtlpSink
    prometheus: RemoteWriteSink
    agents: list[Collector] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    @contextmanager
    def collector(
        self, name: str, configs: Sequence[Config], more: Mapping[str, str] | None = None
    ) -> Iterator[Collector]:
        """Run a collector on files of the repository."""
        env = {
            **QUICK,
            **self.variables,
            "SELF_METRICS_INTERVAL_MS": "500",
            "INSTANCE_NAME": name,
            "COLLECTOR_QUEUE_DIR": str(self.folder / name),
            "LOGFIRE_ENDPOINT": self.logfire.url,
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": self.prometheus.url,
            **(more or {}),
        }
        listen = sorted({*LISTEN, "AGENTS_LISTEN"} - {"OTLP_HTTP_LISTEN"})
        files = [config_file(config) for config in configs]
        with self.otelcol.run(files, env, listen=listen, ports=["SELF_METRICS_PORT"]) as running:
            yield running

    @contextmanager
    def agent(self, name: str) -> Iterator[Collector]:
        """Run an agent and its guard."""
        behind, guard = free_port(), free_port()
        towards = {"GUARD_UPSTREAM": f"127.0.0.1:{behind}", "GUARD_TIMEOUT": "0s"}
        with Guard(guard, free_port(), towards) as running:
            loop = {"KAFKA_GUARD_URL": running.url, "KAFKA_LISTEN": f"127.0.0.1:{behind}"}
            with self.collector(name, AGENT, loop) as agent:
                yield agent

    @contextmanager
    def refused(self, settings: Mapping[str, str]) -> Iterator[None]:
        """Run the broker with other settings while the context is open."""
        before = dict(self.broker.settings)
        self.restart_broker(before | dict(settings))
        try:
            yield
        finally:
            self.restart_broker(before)

    def restart_broker(self, settings: dict[str, str]) -> None:
        """Start the broker again, with these settings."""
        self.broker.stop()
        self.broker.settings = settings
        self.broker.start()

    def send(self, rounds: int, size: int = 0) -> None:
        """Send in each round one trace whose spans come to different agents, logs and a gauge.

        Spans are larger by `size` bytes.
        """
        for _ in range(rounds):
            trace, number = trace_id(), len(self.sent)
            for agent, resource in self.producers():
                agent.send(
                    request(trace=trace, attributes={"bulk": "x" * size}),
                    log(f"{trace} {resource['service.instance.id']}", trace=trace),
                    gauge("probe", number, unit=""),
                    resource=resource,
                )
            self.sent.append(trace)

    def producers(self) -> list[tuple[Collector, dict[str, str]]]:
        """Return each agent, with the resource of the service that sends to it."""
        numbered = enumerate(self.agents)
        return [(agent, RESOURCE | {"service.instance.id": f"api-{n}"}) for n, agent in numbered]

    def missing(self) -> list[str]:
        """Say what has not arrived; duplicates do not matter."""
        spans = {
            (span.trace_id, span.resource["service.instance.id"]) for span in self.logfire.spans
        }
        logs = {entry.body for entry in self.logfire.logs}
        found: list[str] = []
        for _, resource in self.producers():
            instance = resource["service.instance.id"]
            found += [f"span {t} {instance}" for t in self.sent if (t, instance) not in spans]
            found += [f"log {t} {instance}" for t in self.sent if f"{t} {instance}" not in logs]
            points = {int(sample) for sample in self.samples(instance)}
            found += [f"point {n} {instance}" for n in range(len(self.sent)) if n not in points]
        return found

    def samples(self, instance: str) -> list[float]:
        """Return the gauge's values of one service, in the order in which they came."""
        series = self.prometheus.series("probe", {"instance": instance})
        return [sample.value for one in series for sample in one.samples]

    def wait_for_all(self, timeout: float = 60.0) -> None:
        """Wait until nothing is missing; the error says what is."""
        self.logfire.wait_for(
            lambda _: not self.missing(), f"all of {len(self.sent)} rounds", timeout=timeout
        )

    def wait_for_lag(self, topic: str, check: Callable[[float], bool]) -> None:
        """Wait until the latest lag of the gateways' group satisfies the check."""
        where = {"group": "agentical", "topic": topic, "job": "kafka", "instance": "kafka"}

        def seen(sink: RemoteWriteSink) -> bool:
            found = sink.series("kafka_consumer_group_lag_sum", where)
            return bool(found) and check(found[0].value)

        self.prometheus.wait_for(seen, f"lag of {topic}", timeout=40)

    def wait_for_queue(self, size: float) -> None:
        """Wait until a gateway's queue of traces for Logfire holds at least `size` bytes."""
        where = {"exporter": "otlp_http/logfire", "data_type": "traces"}
        self.prometheus.wait_for(
            lambda sink: any(
                found.value >= size for found in sink.series("otelcol_exporter_queue_size", where)
            ),
            f"a queue of {size} bytes",
            timeout=40,
        )

    def wait_for_refusals(self, reason: str) -> None:
        """Wait until the broker has refused the spans and logs of each agent once more."""
        before = self.refusals(reason)
        poll_until(
            lambda: all(n > b for n, b in zip(self.refusals(reason), before, strict=True)),
            f"{reason} for each agent's spans and logs",
            timeout=40,
            seen=lambda: self.refusals(reason),
        )

    def refusals(self, reason: str) -> list[int]:
        """Return how often each agent's spans, then its logs, were refused."""
        said = re.compile(rf'exporting to topic \\"agentical\.(\w+)\\": [^"]*{reason}')
        return [
            said.findall(agent.output()).count(signal)
            for agent in self.agents
            for signal in ("traces", "logs")
        ]

    def queued(self) -> dict[str, float]:
        """Return the bytes in the agents' queues to Kafka, by signal, of the emptiest agent."""
        found: dict[str, float] = {}
        for agent in self.agents:
            text = httpx.get(f"http://127.0.0.1:{agent.env['SELF_METRICS_PORT']}/metrics").text
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.name == "otelcol_exporter_queue_size":
                        signal = sample.labels["data_type"]
                        found[signal] = min(sample.value, found.get(signal, sample.value))
        return found


@contextmanager
def kafka(otelcol: Otelcol, folder: Path, agents: int = 2) -> Iterator[Kafka]:
    """Run a broker, agents and the collector that watches its lag; tests start the gateways."""
    with ExitStack() as stack:
        properties, variables = locked(folder)
        (folder / "broker").mkdir()
        broker = Broker(free_port(), free_port(), folder / "broker", settings=properties)
        stack.enter_context(broker)
        running = Kafka(
            otelcol,
            folder,
            broker,
            variables | {"KAFKA_BROKERS": broker.address},
            stack.enter_context(OtlpSink("logfire")),
            stack.enter_context(RemoteWriteSink("prometheus")),
        )
        for name in (f"agent-{number}" for number in range(agents)):
            running.agents.append(stack.enter_context(running.agent(name)))
        stack.enter_context(running.collector("watcher", WATCHER))
        yield running
