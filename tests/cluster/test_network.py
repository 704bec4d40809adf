"""Network policies: who may connect to whom, every pair tried."""

from contextlib import suppress

from otelcol_runner.polling import NotSeenError, poll_until

from tests.cluster.connections import connections
from tests.cluster.overlays import Overlay, applied

ANYWHERE = {
    "API server",
    "kubelet",
    "kube-dns",
    "postgres",
    "prometheus",
    "redis",
    "stranger:443",
    "stranger:8080",
    "stranger:9090",
}
SCRAPED = {"agent:8001", "agent:8888", "cluster:8001", "cluster:8888", "gateway:8888"}
TO_AGENT = {"agent:4317", "agent:4318"}
# The policies cannot know who listens at port 443: Logfire, or an API server.
ALLOWED = {
    "agent": {"gateway:4327", "API server", "kubelet", "kube-dns", "stranger:443"},
    "api": {*TO_AGENT, "kube-dns", "postgres", "redis"},
    "cluster": {"gateway:4327", "API server", "kube-dns", "postgres", "redis", "stranger:443"},
    "gateway": {"kube-dns", "prometheus", "stranger:443"},
    "client": {"kube-dns"},
    "worker": {*TO_AGENT, "api:8000", "kube-dns", "postgres", "redis"},
    "ingress": {*ANYWHERE, "api:8000"},
    "monitoring": {*ANYWHERE, *SCRAPED},
    "stranger": ANYWHERE - {"stranger:443", "stranger:8080", "stranger:9090"},
}
STAND_IN = {"gateway": {*ALLOWED["gateway"], "logfire:4320"}, "logfire": {"kube-dns"}}
EXPECTED = {"local": ALLOWED | STAND_IN, "production": ALLOWED}


@applied("local", "production")
def test_each_pod_connects_to_what_it_needs_and_to_nothing_else(overlay: Overlay) -> None:
    def wrong() -> dict[str, tuple[set[str], set[str]]]:
        return differences(connections(overlay.kubectl), EXPECTED[overlay.name])

    with suppress(NotSeenError):  # a policy takes effect some time after its pods start
        poll_until(lambda: wrong() == {}, "the matrix", timeout=15)
    assert wrong() == {}


def differences(
    found: dict[str, set[str]], expected: dict[str, set[str]]
) -> dict[str, tuple[set[str], set[str]]]:
    """Return what each source connects to and must not, and what it should and cannot."""
    each = {
        source: (
            found.get(source, set()) - expected.get(source, set()),
            expected.get(source, set()) - found.get(source, set()),
        )
        for source in {*found, *expected}
    }
    return {source: wrong for source, wrong in each.items() if wrong != (set(), set())}
