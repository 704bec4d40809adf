"""The pipeline with its servers in containers on one network, and the app as processes here."""

from contextlib import ExitStack
from typing import Self

from otelcol_runner.ports import free_port
from testcontainers.community.postgres import PostgresContainer
from testcontainers.community.redis import RedisContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import HttpWaitStrategy

from stack.paths import COLLECTOR, PROMETHEUS
from stack.pipeline.configs import standalone
from stack.services.collector import FEATURE_GATES
from stack.services.producers import Api, Worker, telemetry
from stack.standins.logfire import READ_TOKEN, WRITE_TOKEN
from tests.containers.docker import has_image, pull
from tests.containers.images import needed

CONFIGS = standalone("development", "hybrid")
PASSWORD = "integration-password"


class Containers:
    """A running pipeline with the addresses that `stack.pipeline.launch.Pipeline` has."""

    read_token = READ_TOKEN

    def __enter__(self) -> Self:
        # The reaper removes what a killed run leaves; it is optional where it cannot be pulled.
        reaper = testcontainers_config.ryuk_image
        testcontainers_config.ryuk_disabled = not (has_image(reaper) or pull(reaper))
        with ExitStack() as stack:
            self._start(stack)
            self._running = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()

    def _start(self, stack: ExitStack) -> None:
        network = stack.enter_context(Network())

        def run(name: str, container: DockerContainer) -> DockerContainer:
            return stack.enter_context(container.with_network(network).with_network_aliases(name))

        postgres = run("postgres", postgres_container())
        redis = run("redis", RedisContainer(needed("REDIS_IMAGE"), password=PASSWORD))
        self.logfire_url = address(run("logfire", stand_in_container()), 4320)
        self.prometheus_url = address(run("prometheus", prometheus_container()), 9090)
        self.otlp_url = address(run("collector", collector_container()), 4318)
        here = {
            "POSTGRES_HOST": postgres.get_container_host_ip(),
            "POSTGRES_PORT": str(postgres.get_exposed_port(5432)),
            "POSTGRES_PASSWORD": PASSWORD,
            "REDIS_HOST": redis.get_container_host_ip(),
            "REDIS_PORT": str(redis.get_exposed_port(6379)),
            "REDIS_PASSWORD": PASSWORD,
        }
        api = stack.enter_context(Api(free_port(), here | self._telemetry("agentical-api")))
        self.api_url = api.url
        stack.enter_context(Worker(api.url, here | self._telemetry("agentical-worker")))

    def _telemetry(self, name: str) -> dict[str, str]:
        return telemetry(name, self.otlp_url, "0.1.0", "integration")


def address(container: DockerContainer, port: int) -> str:
    """Return the URL of a container's port as this machine sees it."""
    return f"http://{container.get_container_host_ip()}:{container.get_exposed_port(port)}"


def postgres_container() -> PostgresContainer:
    """Return a Postgres with the service's user and database."""
    return PostgresContainer(
        needed("POSTGRES_IMAGE"), username="agentical", password=PASSWORD, dbname="agentical"
    )


def stand_in_container() -> DockerContainer:
    """Return the Logfire stand-in."""
    container = DockerContainer(needed("STAND_IN_IMAGE")).with_exposed_ports(4320)
    container.with_env("STAND_IN_LISTEN", "0.0.0.0:4320")
    return container.waiting_for(HttpWaitStrategy(4320, "/health"))


def prometheus_container() -> DockerContainer:
    """Return a Prometheus with the shipped configuration, ready for remote write."""
    container = DockerContainer(needed("PROMETHEUS_IMAGE")).with_exposed_ports(9090)
    container.with_volume_mapping(PROMETHEUS, "/etc/prometheus", "ro")
    container.with_command(
        [
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--web.enable-remote-write-receiver",
            "--web.enable-otlp-receiver",
            "--enable-feature=exemplar-storage,native-histograms",
        ]
    )
    return container.waiting_for(HttpWaitStrategy(9090, "/-/ready"))


def collector_container() -> DockerContainer:
    """Return the collector on the shipped files, connected to the other containers by name."""
    container = DockerContainer(needed("COLLECTOR_IMAGE")).with_exposed_ports(4318, 13133)
    container.with_volume_mapping(COLLECTOR, "/etc/otelcol", "ro")
    container.with_tmpfs_mount("/var/lib/otelcol/queue")
    container.with_command(
        [FEATURE_GATES, *(f"--config=file:/etc/otelcol/{name}.yaml" for name in CONFIGS)]
    )
    container.with_envs(
        OTLP_HTTP_LISTEN="0.0.0.0:4318",
        HEALTH_LISTEN="0.0.0.0:13133",
        LOGFIRE_ENDPOINT="http://logfire:4320",
        LOGFIRE_TOKEN=WRITE_TOKEN,
        PROMETHEUS_REMOTE_WRITE_ENDPOINT="http://prometheus:9090/api/v1/write",
        POSTGRES_HOST="postgres",
        POSTGRES_PASSWORD=PASSWORD,
        REDIS_HOST="redis",
        REDIS_PASSWORD=PASSWORD,
        SPAN_METRICS_INTERVAL="1s",
        INFRASTRUCTURE_INTERVAL="1s",
    )
    return container.waiting_for(HttpWaitStrategy(13133, "/"))
