"""Collectors as the manifests configure them, as processes on this machine."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_otelcol.collector import Collector, Otelcol
from pytest_otelcol.remote_write import RemoteWriteSink
from pytest_otelcol.sinks import OtlpSink

from stack.pipeline.ports import LISTEN
from tests.kubernetes.rendering import Pod, repository_path
from tests.support.memory import memory_folder

# These need a cluster, and a collector with Kubernetes' client libraries.
OF_A_CLUSTER = ("kubelet.yaml", "cluster.yaml", "with-pods.yaml")
QUICK = {
    "HOST_ROOT_PATH": "",
    "INFRASTRUCTURE_INTERVAL": "500ms",
    "SPAN_METRICS_INTERVAL": "200ms",
    "TRACE_DECISION_WAIT": "300ms",
}


def files(pod: Pod, left_out: Collection[str] = OF_A_CLUSTER) -> list[Path]:
    """Return the repository's files that a collector's pod loads, in their order."""
    paths = [repository_path(path) for path in pod.configs()]
    return [path for path in paths if path.name not in left_out]


@contextmanager
def collector(
    otelcol: Otelcol,
    pod: Pod,
    queue: Path,
    variables: Mapping[str, str],
    *,
    left_out: Collection[str] = OF_A_CLUSTER,
    more: Sequence[Path] = (),
) -> Iterator[Collector]:
    """Run a pod's collector without its cluster, on free ports, with these additional variables.

    `more` are files that are loaded last.
    """
    given = pod.environment("collector", optional=False)
    listen = {name for name in given if name.endswith("_LISTEN")} | {*LISTEN}
    bound = {name: value for name, value in given.items() if name not in listen}
    bound |= {
        "SELF_METRICS_HOST": "127.0.0.1",
        "COLLECTOR_QUEUE_DIR": str(queue),
        **QUICK,
        **variables,
    }
    del bound["SELF_METRICS_PORT"]
    listens = sorted(listen - {"OTLP_HTTP_LISTEN"})
    paths = [*files(pod, left_out), *more]
    with (
        memory_folder() as window,
        otelcol.run(
            paths,
            bound | {"SAMPLING_WINDOW_DIR": str(window)},
            listen=listens,
            ports=["SELF_METRICS_PORT"],
        ) as running,
    ):
        yield running


@dataclass
class Cluster:
    """Agents, their gateway, and what it sent to both backends."""

    agents: list[Collector]
    gateway: Collector
    logfire: OtlpSink
    prometheus: RemoteWriteSink


@contextmanager
def cluster(otelcol: Otelcol, overlay: str, folder: Path, agents: int = 2) -> Iterator[Cluster]:
    """Run an overlay's agents and one gateway."""
    with ExitStack() as stack:
        logfire = stack.enter_context(OtlpSink("logfire"))
        prometheus = stack.enter_context(RemoteWriteSink("prometheus"))
        backends = {
            "LOGFIRE_ENDPOINT": logfire.url,
            "PROMETHEUS_REMOTE_WRITE_ENDPOINT": prometheus.url,
        }
        gateway = stack.enter_context(
            collector(otelcol, Pod(overlay, "gateway"), folder / "gateway", backends)
        )
        before = {"GATEWAY_ENDPOINT": gateway.env["AGENTS_LISTEN"]}
        running = [
            stack.enter_context(
                collector(
                    otelcol,
                    Pod(overlay, "agent"),
                    folder / f"agent-{number}",
                    {**before, "HOST_NAME": f"node-{number}"},
                )
            )
            for number in range(agents)
        ]
        yield Cluster(running, gateway, logfire, prometheus)
