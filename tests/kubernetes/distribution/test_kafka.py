"""Agent, Kafka, gateway: broker and gateway are restarted and killed, and refuses a login."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.sinks import OtlpSink

from tests.kubernetes.distribution.kafka import (
    GATEWAY,
    ITSELF,
    LOGINS,
    MAY,
    Kafka,
    kafka,
    login,
)

ROUNDS = 20
FULL = 1_000_000  # bytes of a queue, the least it may have
TOPICS = tuple(f"agentical.{signal}" for signal in ("traces", "logs", "metrics"))
REFUSED = {
    "password": ({LOGINS: login("another password")}, "SASL_AUTHENTICATION_FAILED"),
    "permission": ({MAY: ITSELF}, "AUTHORIZATION_FAILED"),
}
PARTITIONS = str(Path(__file__).with_name("partitions.yaml"))


@pytest.fixture(scope="module")
def running(whole: Otelcol, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with kafka(whole, tmp_path_factory.mktemp("kafka")) as parts:
        yield parts


def test_a_traces_spans_share_a_partition_whichever_agent_received_them(
    running: Kafka,
) -> None:
    running.send(ROUNDS)
    with (
        OtlpSink("observer") as sink,
        running.collector("observer", (PARTITIONS,), {"LOGFIRE_ENDPOINT": sink.url}),
    ):
        sink.wait_for(lambda _: len(sink.spans) == 2 * ROUNDS, "each span", timeout=40)
        found = {(span.trace_id, span.attributes["partition"]) for span in sink.spans}
    assert {trace for trace, _ in found} == set(running.sent)
    assert len(found) == ROUNDS
    assert len({partition for _, partition in found}) == 3


def test_restarts_of_broker_and_gateway_lose_nothing(running: Kafka) -> None:
    with running.collector("gateway", GATEWAY) as gateway:
        running.send(ROUNDS)
        running.wait_for_all()
        gateway.stop()
        running.send(ROUNDS)
        for topic in TOPICS:
            running.wait_for_lag(topic, lambda lag: lag > 0)
        running.broker.restart()
        running.send(ROUNDS)
        running.broker.kill()
        running.send(ROUNDS)
        running.broker.start()
        gateway.start()
        running.send(ROUNDS)
        gateway.kill()
        gateway.start()
        running.send(ROUNDS)
        running.wait_for_all()
        for topic in TOPICS:
            running.wait_for_lag(topic, lambda lag: lag == 0)


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_broker_refuses_waits_in_the_agents_queues(running: Kafka, what: str) -> None:
    settings, reason = REFUSED[what]
    with running.collector(f"refused {what}", GATEWAY):
        running.send(ROUNDS)
        running.wait_for_all()
        with running.refused(settings):
            for _ in range(3):
                running.send(ROUNDS)
                running.wait_for_refusals(reason)
            queued = running.queued()
        assert set(queued) == {"traces", "logs", "metrics"}
        assert min(queued.values()) > 0, queued
        running.wait_for_all()


def test_a_full_gateway_leaves_the_backlog_in_kafka(running: Kafka) -> None:
    running.logfire.stop()
    with running.collector("full", GATEWAY, {"QUEUE_BYTES": str(FULL)}) as gateway:
        running.send(3 * ROUNDS, size=20_000)
        running.wait_for_queue(FULL / 2)
        running.wait_for_lag(TOPICS[0], lambda lag: lag > ROUNDS)
        gateway.kill()
        running.logfire.start()
        gateway.start()
        running.wait_for_all()
