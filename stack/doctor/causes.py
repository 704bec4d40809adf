"""Why a signal is missing and what to do next, from what can be known from outside."""

import os
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from stack.clients.collector import WORDS
from stack.doctor.checkup import PROMETHEUS, Checkup, Finding
from stack.doctor.signals import PATHS, PROTOBUF

OFF_SECONDS = 60.0


class Diagnosis(NamedTuple):
    """A likely cause, and the next step."""

    cause: str
    next_step: str


def diagnose(checkup: Checkup, finding: Finding) -> Diagnosis:
    """Return the likeliest cause for a signal that was not found."""
    if not finding.sent.accepted:
        return not_sent(checkup, finding)
    return next(found for found in candidates(checkup, finding) if found is not None)


def is_lost(checkup: Checkup, finding: Finding) -> bool:
    """Tell whether the collector itself says that it dropped the signal."""
    return gave_up(checkup, finding) is not None


def candidates(checkup: Checkup, finding: Finding) -> Iterator[Diagnosis | None]:
    """Yield what it could be, the surest first; the last one is never None."""
    yield backend_silent(finding)
    yield clock_off(checkup, finding)
    yield token_refused(finding)
    yield other_backend(checkup, finding)
    yield gave_up(checkup, finding)
    yield stuck(checkup, finding)
    yield waiting_for_sampler(checkup, finding)
    yield no_route(checkup, finding)
    yield elsewhere(checkup, finding)


def not_sent(checkup: Checkup, finding: Finding) -> Diagnosis:
    """Explain why the collector did not take it."""
    status, path = finding.sent.status, PATHS[finding.signal]
    if status is None:
        return Diagnosis(
            f"nothing answers at the OTLP endpoint {checkup.otlp} ({finding.sent.said})",
            "start the collector, or set OTEL_EXPORTER_OTLP_ENDPOINT to its OTLP/HTTP port (4318)",
        )
    if status == 404:
        return Diagnosis(
            f"{checkup.otlp} has no {path}: no pipeline takes a {finding.signal}, or it is no "
            "collector",
            "load base.yaml and a route, or correct OTEL_EXPORTER_OTLP_ENDPOINT",
        )
    if status in {429, 503}:
        return Diagnosis(
            f"the collector takes nothing now ({status}: {finding.sent.said})",
            "its memory limit is reached or a queue is full: see whether the backends take data, "
            "and give it more memory or a larger QUEUE_BYTES",
        )
    return Diagnosis(
        f"{checkup.otlp}{path} answered {status}: {finding.sent.said}",
        "read the collector's log; a 401 or 403 asks for OTEL_EXPORTER_OTLP_HEADERS",
    )


def backend_silent(finding: Finding) -> Diagnosis | None:
    """Say why the backend could not be asked."""
    if finding.problem is None:
        return None
    cause, _, step = str(finding.problem).rpartition(": ")
    return Diagnosis(cause, step) if cause else Diagnosis(step, "read the backend's log")


def clock_off(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """Compare clocks: when they differ, records land where nobody looks, or are dropped."""
    offset = checkup.offsets.get(finding.backend, finding.sent.clock_offset)
    if offset is None or abs(offset) <= OFF_SECONDS:
        offset = finding.sent.clock_offset
    if offset is None or abs(offset) <= OFF_SECONDS:
        return None
    return Diagnosis(
        f"this machine's clock is {abs(offset):.0f} s {'behind' if offset > 0 else 'ahead'}",
        "set the clocks (NTP): Logfire drops what is older than 24 h or more than 1 h ahead, and "
        "Prometheus shows the last 5 minutes",
    )


def token_refused(finding: Finding) -> Diagnosis | None:
    """Ask with an empty export, which stores and costs nothing, if the token is known here."""
    endpoint, token = os.environ.get("LOGFIRE_ENDPOINT"), os.environ.get("LOGFIRE_TOKEN")
    if finding.backend == PROMETHEUS or not endpoint or not token:
        return None
    headers = {"authorization": f"Bearer {token}", **PROTOBUF}
    try:
        answer = httpx.post(endpoint.rstrip("/") + PATHS[finding.signal], headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Diagnosis(
            f"{endpoint} was not reached ({error})", "start it, or correct LOGFIRE_ENDPOINT"
        )
    if answer.status_code not in {401, 403}:
        return None
    return Diagnosis(
        f"{endpoint} refuses the write token ({answer.status_code})",
        "set LOGFIRE_TOKEN to a write token of this project and region, for the collector too, "
        "and restart it",
    )


def other_backend(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """See whether the loaded route carries metrics, only not to Prometheus."""
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
    """See whether the loaded files have no exporter for the signal."""
    if not checkup.after or checkup.after.exporters(finding.signal):
        return None
    return Diagnosis(
        f"the collector has no exporter for a {finding.signal}: no route carries it",
        "load a route that does, such as routes/hybrid.yaml",
    )


def gave_up(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """See whether an exporter dropped items because the backend refused them for good."""
    items = WORDS[finding.signal][1]
    for exporter in checkup.after.exporters(finding.signal):
        if grown(checkup, f"exporter_send_failed_{items}", exporter=exporter):
            return Diagnosis(
                f"exporter {exporter} was refused for good and dropped it, as for a wrong token "
                "(401)",
                "check LOGFIRE_TOKEN and LOGFIRE_ENDPOINT of the collector, and its log"
                if finding.backend != PROMETHEUS
                else "check PROMETHEUS_REMOTE_WRITE_ENDPOINT, and the collector's log",
            )
    return None


def stuck(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """See whether items wait in a queue, and none leaves."""
    data_type, items = WORDS[finding.signal]
    for exporter in checkup.after.exporters(finding.signal):
        of = {"exporter": exporter}
        waiting = checkup.after.total("exporter_queue_size", data_type=data_type, **of)
        if waiting and not grown(checkup, f"exporter_sent_{items}", **of):
            return Diagnosis(
                f"the queue of exporter {exporter} holds {waiting:.0f} bytes and nothing leaves it",
                "nothing is lost yet: start the backend or correct its address or token; the "
                "guard's log and the collector's name the error it tries again after",
            )
    return None


def waiting_for_sampler(checkup: Checkup, finding: Finding) -> Diagnosis | None:
    """See whether the trace still waits for the sampler's decision."""
    held = checkup.after.total("processor_tail_sampling_sampling_traces_on_memory")
    if finding.signal != "trace" or not held:
        return None
    return Diagnosis(
        f"the sampler still holds {held:.0f} undecided (TRACE_DECISION_WAIT)",
        "run it again with a --timeout above TRACE_DECISION_WAIT",
    )


def elsewhere(checkup: Checkup, finding: Finding) -> Diagnosis:
    """Say how far it came, when no cause is known."""
    if not checkup.after:
        return Diagnosis(
            f"the collector took it, and {checkup.self_metrics_url} does not answer to say more",
            "set SELF_METRICS_HOST and SELF_METRICS_PORT, or read the collector's log",
        )
    if grown(checkup, f"exporter_sent_{WORDS[finding.signal][1]}"):
        where = ", ".join(checkup.after.destinations(finding.signal)) or "its backend"
        return Diagnosis(
            f"it was sent to {where}, and is not where it was looked for",
            "write token, read token and the address asked must belong to one project; or wait "
            "longer with --timeout",
        )
    return Diagnosis(
        "the collector took it and no exporter sent it",
        "a processor of the loaded files drops it, or it needs longer: try a larger --timeout",
    )


def grown(checkup: Checkup, name: str, **labels: str) -> bool:
    """Tell whether a count went up during the checkup."""
    return checkup.after.total(name, **labels) > checkup.before.total(name, **labels)
