"""What an agent makes of a kubelet's answers. The kubelet is a server with the format of one."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from otelcol_runner.polling import poll_until
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from pytest_otelcol.collector import Collector, Otelcol

from tests.kubernetes.rendering import Pod
from tests.kubernetes.running import collector

ADDRESS, PORT = "127.0.0.9", 10250  # of a loopback that no kubelet listens on
STARTED = datetime(2026, 11, 1, tzinfo=UTC)


class Kubelet:
    """Serves `/stats/summary` of one node with a certificate that its own authority has signed."""

    def __init__(self, folder: Path) -> None:
        self.started = STARTED
        authority = trustme.CA()
        served = authority.issue_cert(ADDRESS)
        issued = authority.issue_cert("agent")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.configure_cert(self.context)
        issued.private_key_pem.write_to_path(folder / "agent.key")
        issued.cert_chain_pems[0].write_to_path(folder / "agent.pem")
        self.clusters = folder / "cluster.pem"  # an authority that has signed nothing here
        trustme.CA().cert_pem.write_to_path(self.clusters)
        # In place of the token of a service account, which only a pod has.
        self.config = folder / "certificate.yaml"
        login = {
            "auth_type": "tls",
            "cert_file": str(folder / "agent.pem"),
            "key_file": str(folder / "agent.key"),
        }
        self.config.write_text(json.dumps({"receivers": {"kubelet_stats": login}}))

    def summary(self) -> Mapping[str, Any]:
        """Return the statistics of a node with one container."""
        now = datetime.now(UTC)
        traffic = {"rxBytes": 5000, "rxErrors": 3, "txBytes": 7000, "txErrors": 0}
        pod = {"name": "gateway-0", "namespace": "agentical", "uid": "5e1c"}
        return {
            "node": {
                "nodeName": "node-1",
                "startTime": stamp(STARTED),
                "memory": {"time": stamp(now), "usageBytes": 1000},
                "network": {"time": stamp(now), "name": "eth0", **traffic},
            },
            "pods": [
                {
                    "podRef": pod,
                    "startTime": stamp(STARTED),
                    "containers": [{"name": "guard", "startTime": stamp(self.started)}],
                }
            ],
        }

    @contextmanager
    def running(self) -> Iterator["Kubelet"]:
        """Serve in this context."""
        kubelet = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/stats/summary"
                body = json.dumps(kubelet.summary()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer((ADDRESS, PORT), Handler)
        server.socket = self.context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture
def kubelet(tmp_path: Path) -> Iterator[Kubelet]:
    with Kubelet(tmp_path).running() as running:
        yield running


@contextmanager
def agent(
    whole: Otelcol, kubelet: Kubelet, folder: Path, variables: Mapping[str, str]
) -> Iterator[Collector]:
    """Run an agent of the manifests with its kubelet."""
    nowhere = "{static: {hostnames: ['127.0.0.1:1']}}"
    given = {
        "K8S_NODE_IP": ADDRESS,
        "KUBELET_CA_FILE": str(kubelet.clusters),
        "GATEWAYS": nowhere,
        **variables,
    }
    left_out = ("cluster.yaml", "with-pods.yaml")
    with collector(
        whole,
        Pod("production", "agent"),
        folder / "queue",
        given,
        left_out=left_out,
        more=[kubelet.config],
    ) as running:
        yield running


def served(running: Collector) -> str:
    """Return what the agent serves to a Prometheus that scrapes it."""
    return httpx.get(f"http://{running.env['SCRAPE_LISTEN']}/metrics", timeout=5).text


def samples(running: Collector, name: str, **labels: str) -> list[Sample]:
    """Return the samples of a name with at least these labels."""
    return [
        sample
        for family in text_string_to_metric_families(served(running))
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def test_each_start_of_a_container_is_a_value_of_one_series(
    whole: Otelcol, kubelet: Kubelet, tmp_path: Path
) -> None:
    def wait_for(started: datetime) -> list[Sample]:
        kubelet.started = started
        name, guard = "container_start_time_seconds", {"pod": "gateway-0", "container": "guard"}

        def seen() -> list[Sample] | None:
            found = samples(running, name, **guard)
            return found if [each.value for each in found] == [started.timestamp()] else None

        return poll_until(seen, f"the start at {started}")

    with agent(whole, kubelet, tmp_path, {"KUBELET_INSECURE": "true"}) as running:
        wait_for(STARTED)
        wait_for(STARTED + timedelta(days=1))
        (found,) = wait_for(STARTED + timedelta(days=2, hours=5))
        assert set(found.labels) == {"job", "instance", "namespace", "pod", "container"}


def test_the_network_is_the_nodes_and_not_that_of_the_agents_pod(
    whole: Otelcol, kubelet: Kubelet, tmp_path: Path
) -> None:
    with agent(whole, kubelet, tmp_path, {"KUBELET_INSECURE": "true"}) as running:
        node = {"node": "node-1", "interface": "eth0"}
        name = "k8s_node_network_io_bytes_total"
        found = poll_until(lambda: samples(running, name, **node), "the node's network")
        assert {s.labels["direction"]: s.value for s in found} == {
            "receive": 5000,
            "transmit": 7000,
        }
        assert samples(running, "k8s_node_network_errors_total", **node)
        assert samples(running, "k8s_node_memory_usage_bytes", node="node-1")
        poll_until(lambda: samples(running, "system_cpu_load_average_1m"), "the host's metrics")
        assert "system_network_" not in served(running)


def test_a_kubelet_whose_certificate_is_not_trusted_is_a_scrape_target_that_is_down(
    whole: Otelcol, kubelet: Kubelet, tmp_path: Path
) -> None:
    """ScrapeTargetDown compares the increase of this series; without it, it would be blind."""
    with agent(whole, kubelet, tmp_path, {}) as running:
        name = "otelcol_scraper_scraped_metric_points_total"
        found = poll_until(
            lambda: samples(running, name, receiver="kubelet_stats"), "the count of its points"
        )
        assert [sample.value for sample in found] == [0.0]
        assert "x509" in running.output()
