"""Finds why a signal is missing and what to do, from what is visible outside the collector."""

import os
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from stack.clients import http
from stack.clients.collector import NAMES
from stack.doctor.checkup import PROMETHEUS, Checkup, Finding
from stack.doctor.signals import PATHS, PROTOBUF
from stack.secrets import address, secret

CLOCK_SKEW_SECONDS = 60.0


class Diagnosis(NamedTuple):
    cause: str
    next_step: str


def diagnose(checkup: Checkup, finding: Finding) -> Diagnosis:
    """Return the most likely cause for a signal that was not found."""
    if not finding.sent.accepted:
        return not_accepted(checkup, finding)
    return next(found for found in candidates(checkup, finding) if found is not None)


def is_lost(checkup: Checkup, finding: Finding) -> bool:
    """Return whether the collector's metrics say that it dropped the signal."""
    return dropped(checkup, finding) is not None


def candidates(checkup: Checkup, finding: Finding) -> Iterator[Diagnosis | None]:
    """Yield possible causes, the most certain first; the last one is never None."""
    yield query_failed(finding)
    yield clock_skew(checkup, finding)
    yield token_rejected(finding)
    yield other_backend(checkup, finding)
    yield dropped(checkup, finding)
    yield stuck(checkup, finding)
    yield waiting_for_sampler(checkup, finding)
    yield no_route(checkup, finding)
    yield unknown(checkup, finding)


def not_accepted(checkup: Checkup, finding: Finding) -> Diagnosis:
    """Explain why the collector did not accept it."""
    status, path = finding.sent.status, PATHS[finding.signal]
    if not finding.sent.speaks_http:
        return Diagnosis(
            f"{checkup.otlp} does not speak HTTP/1.1: it may be the port of OTLP over gRPC (4317)",
            "set OTEL_EXPORTER_OTLP_ENDPOINT to the OTLP/HTTP port (4318); a service that sends to "
            "this one needs OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
        )
    if status is None:
        return Diagnosis(
            f"nothing answers at the OTLP endpoint {checkup.otlp} ({finding.sent.message})",
            "start the collector, or set OTEL_EXPORTER_OTLP_ENDPOINT to its OTLP/HTTP port (4318)",
        )
    if status == 404:
        return Diagnosis(
            f"{checkup.otlp} has no {path}: no pipeline receives a {finding.signal}, or it is not "
            "a collector",
            "load base.yaml and a route, or correct OTEL_EXPORTER_OTLP_ENDPOINT",
        )
    if status in {429, 503}:
        return Diagnosis(
            f"the collector refuses data now ({status}: {finding.sent.message})",
            "its memory limit is reached or a queue is full: check that the backends accept data, "
            "and give it more memory or a larger QUEUE_BYTES",
        )
    return Diagnosis(
        f"{checkup.otlp}{path} answered {status}: {finding.sent.message}",
        "read the collector's log; for a 401 or 403, set OTEL_EXPORTER_OTLP_HEADERS",
    )


def query_failed(finding: Finding) -> Diagnosis | None:
    """Report why the backend could not be queried."""
    if finding.problem is None:
        return None
    cause, _, step = str(finding.problem).rpartition(": ")
    return Diagnosis(cause, step) if cause else Diagnosis(step, "read the backend's log")


def clock_skew(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """Compare clocks: if they differ, records fall outside the queried time, or are dropped."""
    offset = checkup.offsets.get(finding.backend, finding.sent.clock_offset)
    if offset is None or abs(offset) <= CLOCK_SKEW_SECONDS:
        offset = finding.sent.clock_offset
    if offset is None or abs(offset) <= CLOCK_SKEW_SECONDS:
        return None
    return Diagnosis(
        f"this machine's clock is {abs(offset):.0f} s {'behind' if offset > 0 else 'ahead'}",
        "synchronise the clocks (NTP): Logfire drops data older than 24 h or more than 1 h ahead, "
        "and Prometheus looks back 5 minutes",
    )


def token_rejected(finding: Finding) -> Diagnosis | None:
    """Try the token, if it is known here, with an empty export: it stores and costs nothing."""
    token = secret(os.environ, "LOGFIRE_TOKEN")
    if finding.backend == PROMETHEUS or not os.environ.get("LOGFIRE_ENDPOINT") or not token:
        return None
    endpoint = address(os.environ, "LOGFIRE_ENDPOINT", "")
    headers = {"authorization": f"Bearer {token}", **PROTOBUF}
    try:
        answer = http.post(endpoint + PATHS[finding.signal], headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Diagnosis(
            f"cannot reach {endpoint} ({error})", "start it, or correct LOGFIRE_ENDPOINT"
        )
    if answer.status_code not in {401, 403}:
        return None
    return Diagnosis(
        f"{endpoint} rejects the write token ({answer.status_code})",
        "set LOGFIRE_TOKEN to a write token of this project and region, for the collector as well, "
        "and restart it",
    )


def other_backend(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """Check whether the loaded route sends metrics somewhere other than Prometheus."""
    exporters = checkup.after.exporters(finding.signal)
    if finding.backend != PROMETHEUS or not exporters:
        return None
    if any("prometheus" in name for name in exporters):
        return None
    return Diagnosis(
        f"the collector's metrics go to {', '.join(exporters)}, not to Prometheus",
        "load routes/hybrid.yaml, or run `agentical doctor --no-prometheus`",
    )


def no_route(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    if not checkup.after or checkup.after.exporters(finding.signal):
        return None
    return Diagnosis(
        f"the collector has no exporter for a {finding.signal}: no route is loaded for it",
        "load a route with one, such as routes/hybrid.yaml",
    )


def dropped(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """Check whether an exporter dropped items because the backend rejected them permanently."""
    items = NAMES[finding.signal][1]
    for exporter in checkup.after.exporters(finding.signal):
        if increased(checkup, f"exporter_send_failed_{items}", exporter=exporter):
            return Diagnosis(
                f"exporter {exporter} dropped it after a permanent error, like 401 (wrong token)",
                "check the collector's LOGFIRE_TOKEN and LOGFIRE_ENDPOINT, and its log"
                if finding.backend != PROMETHEUS
                else "check PROMETHEUS_REMOTE_WRITE_ENDPOINT, and the collector's log",
            )
    return None


def stuck(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """Check whether items wait in a queue and none is sent."""
    data_type, items = NAMES[finding.signal]
    for exporter in checkup.after.exporters(finding.signal):
        of = {"exporter": exporter}
        waiting = checkup.after.total("exporter_queue_size", data_type=data_type, **of)
        if waiting and not increased(checkup, f"exporter_sent_{items}", **of):
            return Diagnosis(
                f"the queue of exporter {exporter} holds {waiting:.0f} bytes and nothing is sent",
                "nothing is lost yet: start the backend, or correct its address or token; the logs "
                "of the collector and the guard show the error that it retries after",
            )
    return None


def waiting_for_sampler(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """Check whether the trace still waits for the sampler's decision."""
    held = checkup.after.total("processor_tail_sampling_sampling_traces_on_memory")
    if finding.signal != "trace" or not held:
        return None
    return Diagnosis(
        f"the sampler still holds {held:.0f} undecided traces (TRACE_DECISION_WAIT)",
        "run it again with a --timeout above TRACE_DECISION_WAIT",
    )


def unknown(checkup: Checkup, finding: Finding) -> Diagnosis:
    """Report how far it came, if no cause is known."""
    if not checkup.after:
        return Diagnosis(
            f"the collector accepted it, but {checkup.self_metrics_url} does not answer",
            "set SELF_METRICS_HOST and SELF_METRICS_PORT, or read the collector's log",
        )
    if increased(checkup, f"exporter_sent_{NAMES[finding.signal][1]}"):
        where = ", ".join(checkup.after.destinations(finding.signal)) or "its backend"
        return Diagnosis(
            f"it was sent to {where}, but the query does not find it",
            "check that write token, read token and query address belong to one project, or wait "
            "longer with --timeout",
        )
    return Diagnosis(
        "the collector accepted it, but no exporter sent it",
        "check the processors of the loaded files, or wait longer with --timeout",
    )


def increased(checkup: Checkup, name: str, **labels: str) -> bool:
    return checkup.after.total(name, **labels) > checkup.before.total(name, **labels)
