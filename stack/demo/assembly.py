"""Creates the demo's pipeline from its options and the environment."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
from otelcol_runner.ports import place
from otelcol_runner.process import Process

from stack.clients import http
from stack.demo.sampling import check_sampling
from stack.errors import UserError
from stack.pipeline.launch import Destination, Pipeline
from stack.pipeline.ports import Ports
from stack.pipeline.variables import check_variables
from stack.secrets import address, secret
from stack.services import grafana
from stack.services.alertmanager import receivers
from stack.services.retention import retention
from stack.tools import page

SERVICE = "https://logfire-us.pydantic.dev"
Extras = dict[str, Callable[[int, Path], Process]]


def pipeline_of(
    environment: str,
    route: str,
    overlays: Sequence[str],
    report: Callable[[str], None],
) -> Pipeline:
    """Return the pipeline, not started; raises `UserError` for bad options and variables."""
    check_variables(os.environ, overlays, given=Pipeline.GIVEN)
    check_sampling(os.environ, environment, report)
    ports = Ports.from_environment()
    extras = with_grafana(ports)
    grafana_url = os.environ.get("GRAFANA_URL") or f"http://{place(ports.grafana)}"
    variables = {"GRAFANA_URL": grafana_url}  # for links from a trace to its dashboard
    if second := secret(os.environ, "LOGFIRE_TOKEN_SECOND"):
        variables["LOGFIRE_TOKEN_SECOND"] = second
    if environment != "development" and "TRACE_DECISION_WAIT" not in os.environ:
        report("TRACE_DECISION_WAIT is 5s (30s in production.yaml), to show traces sooner")
        variables["TRACE_DECISION_WAIT"] = "5s"
    return Pipeline(
        ports,
        environment=environment,
        route=route,
        overlays=overlays,
        window=os.environ.get("SAMPLING_WINDOW", ""),
        variables=variables,
        logfire=service(os.environ),
        receivers=receivers(os.environ),
        retention=retention(os.environ),
        page=None if "grafana" in extras else page_in_its_place(report),
        extras=extras,
        report=report,
    )


def with_grafana(ports: Ports) -> Extras:
    """Return the factory of Grafana if it is installed."""
    binary = grafana.find()
    if binary is None:
        return {}
    sources = {
        "PROMETHEUS_URL": f"http://{place(ports.prometheus)}",
        "ALERTMANAGER_URL": f"http://{place(ports.alertmanager)}",
        "LOGFIRE_PROJECT_URL": os.environ.get("LOGFIRE_PROJECT_URL") or SERVICE,
    }
    return {"grafana": lambda port, folder: grafana.Grafana(binary, port, folder, sources)}


def page_in_its_place(report: Callable[[str], None]) -> Path | None:
    """Return the folder of the page, which takes Grafana's port; report if it is not built."""
    folder = page.built()
    if page.is_built(folder):
        return folder
    report(page.LEFT_OUT.format("`make tools` builds it, and says what is missing"))
    return None


def service(variables: Mapping[str, str]) -> Destination | None:
    """Return the Logfire service if LOGFIRE_TOKEN is set; None means the stand-in.

    Raises:
        UserError: it cannot be reached, or rejects the token.
    """
    token = secret(variables, "LOGFIRE_TOKEN")
    if not token:
        return None
    endpoint = address(variables, "LOGFIRE_ENDPOINT", SERVICE)
    query = address(variables, "LOGFIRE_QUERY_ENDPOINT", endpoint)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}
    try:
        answer = http.post(f"{endpoint}/v1/traces", headers=headers, timeout=10)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UserError(
            f"cannot reach Logfire at {endpoint} ({error}): check the connection and "
            "LOGFIRE_ENDPOINT, or unset LOGFIRE_TOKEN to use the local stand-in"
        ) from None
    if answer.status_code in {401, 403}:
        raise UserError(
            f"{endpoint} rejected LOGFIRE_TOKEN ({answer.status_code}): set it to a write token of "
            "a project in this region, or unset it to use the local stand-in"
        )
    return Destination(endpoint, token, query, secret(variables, "LOGFIRE_READ_TOKEN"))
