"""Tests of the larger collector, which `make test-kubernetes` builds once, in some minutes."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from otelcol_runner.telemetry import trace_id
from pytest_otelcol.collector import Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from tests.kubernetes.rendering import COLLECTORS, OVERLAYS, Pod, with_kafka
from tests.kubernetes.running import collector, files
from tests.support.shapes import RESOURCE, request

TRACES = 40


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", COLLECTORS)
def test_the_collector_accepts_every_rendered_configuration(
    whole: Otelcol, overlay: str, name: str, tmp_path: Path
) -> None:
    pod = Pod(overlay, name)
    given = pod.environment("collector", optional=False)
    paths = files(pod, left_out=())
    if name == "agent":  # only a pod has the node's files and a token for its kubelet
        given |= {"HOST_ROOT_PATH": str(tmp_path)}
        (tmp_path / "no-token.yaml").write_text("receivers: {kubelet_stats: {auth_type: none}}\n")
        paths.append(tmp_path / "no-token.yaml")
    assert whole.validate(paths, given) == ""


@pytest.mark.parametrize("name", COLLECTORS)
def test_the_collector_accepts_the_configurations_with_kafka(
    whole: Otelcol, name: str, tmp_path: Path
) -> None:
    overlay = with_kafka("production", tmp_path.resolve())
    pod = Pod(overlay, name)
    given = pod.environment("collector", optional=False)
    paths = files(pod, left_out=("kubelet.yaml",))
    assert whole.validate(paths, given | {"HOST_ROOT_PATH": str(tmp_path)}) == ""


def test_each_trace_is_complete_at_one_gateway(whole: Otelcol, tmp_path: Path) -> None:
    with ExitStack() as stack:
        metrics = stack.enter_context(RemoteWriteSink("prometheus"))
        sinks = [stack.enter_context(OtlpSink(f"logfire {number}")) for number in range(2)]
        gateways = [
            stack.enter_context(
                collector(
                    whole,
                    Pod("local", "gateway"),
                    tmp_path / sink.name,
                    {
                        "LOGFIRE_ENDPOINT": sink.url,
                        "PROMETHEUS_REMOTE_WRITE_ENDPOINT": metrics.url,
                        "INSTANCE_NAME": sink.name,
                    },
                )
            )
            for sink in sinks
        ]
        addresses = [gateway.env["AGENTS_LISTEN"] for gateway in gateways]
        before = {
            "GATEWAYS": f"{{static: {{hostnames: {addresses}}}}}",
            "GATEWAY_ENDPOINT": addresses[0],
        }
        agents = [
            stack.enter_context(
                collector(whole, Pod("production", "agent"), tmp_path / f"agent-{number}", before)
            )
            for number in range(2)
        ]
        traces = [trace_id() for _ in range(TRACES)]
        for number, agent in enumerate(agents):
            resource = {**RESOURCE, "service.instance.id": f"api-{number}"}
            agent.send(*(request(trace=trace) for trace in traces), resource=resource)
        sinks[0].wait_for(
            lambda _: sum(len(sink.spans) for sink in sinks) == 2 * TRACES, "every span"
        )
        came = [[span.trace_id for span in sink.spans] for sink in sinks]
        assert all(seen.count(trace) == 2 for seen in came for trace in set(seen))
        assert sorted(set(came[0]) | set(came[1])) == sorted(traces)
        assert min(map(len, came)) > 0
        for number in range(2):
            where = {"instance": f"api-{number}"}
            metrics.wait_for_series("agentical_requests_total", where, value=TRACES)
