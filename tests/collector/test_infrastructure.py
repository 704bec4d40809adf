"""Metrics of real servers from two collectors: no two sources share a series."""

import shutil
from collections.abc import Iterator

import pytest
from otelcol_runner.ports import free_port
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink

from stack.services.folders import scratch
from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.pipeline import Pipeline, run_pipeline

PASSWORD = "secret-of-the-tests"
HOSTS = ("web-1", "web-2")
CONFIGS = (
    "infrastructure/host",
    "infrastructure/postgresql",
    "infrastructure/redis",
    "environments/development",
    "routes/hybrid",
)
EXPECTED = {
    "host": {
        "system_cpu_utilization_ratio",
        "system_memory_utilization_ratio",
        "system_filesystem_utilization_ratio",
        "system_disk_io_bytes_total",
        "system_network_io_bytes_total",
        "system_cpu_load_average_1m",
        "system_paging_faults_total",
        "system_memory_usage_bytes",
    },
    "postgresql": {
        "postgresql_backends",
        "postgresql_connection_max",
        "postgresql_blks_hit_total",
        "postgresql_deadlocks_total",
        "postgresql_commits_total",
    },
    "redis": {
        "redis_keyspace_hits_total",
        "redis_memory_used_bytes",
        "redis_maxmemory_bytes",
        "redis_keys_evicted_total",
        "redis_clients_connected",
    },
}
EVERY_NAME = set().union(*EXPECTED.values())


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server with the two databases `agentical` and `orders`."""
    folder = scratch("postgres")
    try:
        with Postgres(free_port(), folder, password=PASSWORD) as server:
            server._run("psql", "--command", "CREATE DATABASE orders")
            yield server
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis(free_port(), tmp_path_factory.mktemp("redis"), password=PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def metrics(
    otelcol: Otelcol, postgres: Postgres, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RemoteWriteSink]:
    """One metrics backend for the collectors of two hosts."""
    env = {
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_PASSWORD": PASSWORD,
        "REDIS_PORT": str(redis.port),
        "REDIS_PASSWORD": PASSWORD,
    }
    folder = tmp_path_factory.mktemp("pipelines")
    first = env | {"HOST_NAME": HOSTS[0]}
    with run_pipeline(otelcol, CONFIGS, folder / "1", first) as one:
        second = env | {
            "HOST_NAME": HOSTS[1],
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": one.prometheus.url,
            "POSTGRES_HOST": "localhost",  # for the collector, another server
            "REDIS_HOST": "localhost",
        }
        with run_pipeline(otelcol, CONFIGS, folder / "2", second) as two:
            one.prometheus.wait_for(
                lambda sink: all(names(sink, host=host) >= EVERY_NAME for host in HOSTS),
                "every name from both hosts",
            )
            yield one.prometheus
            assert_clean_log(one, two)


def assert_clean_log(*pipelines: Pipeline) -> None:
    for pipeline in pipelines:
        assert "deprecat" not in pipeline.collector.output().lower()
        assert PASSWORD not in pipeline.collector.output()
        errors = [line for line in pipeline.collector.warnings() if line.startswith("error")]
        assert errors == []


def names(sink: RemoteWriteSink, **labels: str) -> set[str]:
    return {item.name for item in sink.series(labels=labels)}


@pytest.mark.parametrize("job", EXPECTED)
def test_every_source_sets_service_and_host(metrics: RemoteWriteSink, job: str) -> None:
    assert names(metrics, job=job) >= EXPECTED[job]
    for item in metrics.series(labels={"job": job}):
        assert item.labels["host"] in HOSTS, item
        assert item.labels["instance"], item


def test_two_hosts_have_the_same_metrics_and_share_no_series(metrics: RemoteWriteSink) -> None:
    for name in EVERY_NAME:
        assert {item.labels["host"] for item in metrics.series(name)} == set(HOSTS), name
    instances = {item.labels["instance"] for item in metrics.series("system_memory_usage_bytes")}
    assert instances == set(HOSTS)


def test_two_databases_of_a_server_are_two_series(
    metrics: RemoteWriteSink, postgres: Postgres
) -> None:
    labels = {"instance": f"127.0.0.1:{postgres.port}", "host": HOSTS[0]}
    found = metrics.series("postgresql_backends", labels)
    assert {item.labels["database"] for item in found} >= {"agentical", "orders"}


def test_two_servers_are_two_series(
    metrics: RemoteWriteSink, postgres: Postgres, redis: Redis
) -> None:
    for name, port in (
        ("postgresql_backends", postgres.port),
        ("redis_memory_used_bytes", redis.port),
    ):
        instances = {item.labels["instance"] for item in metrics.series(name)}
        assert instances == {f"127.0.0.1:{port}", f"localhost:{port}"}


def test_no_sample_is_written_twice_for_one_timestamp(metrics: RemoteWriteSink) -> None:
    for item in metrics.series():
        times = [sample.timestamp for sample in item.samples]
        assert len(times) == len(set(times)), item
