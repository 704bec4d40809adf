"""The pipeline itself: throughput, queues, losses and cost of the collector."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.limits import window
from grafana.panels import Panel, graph
from grafana.queries import Query, compared, of, per, query, rate, share
from grafana.rows.ledger import backends, ledger

ITEMS = {"spans": "spans", "log records": "log_records", "points": "metric_points"}
SERIES = ("otelcol_process_uptime_seconds_total",)
QUEUE, INSTANCE = "{{data_type}} to {{exporter}}", "{{instance}}"
A_WEEK = 604800


def collector() -> Dashboard:
    """Return the dashboard of the collector."""
    rows = {
        "Flow": flow(),
        "Queues": queues(),
        "Loss ledger (last day)": ledger(),
        "Backends": backends(),
        "Sampling and cost": cost(),
    }
    return board(links.COLLECTOR, rows, SERIES)


def flow() -> list[Panel]:
    """Return throughput by signal."""
    return [
        graph(
            "Received (items/s)",
            "items/s",
            "Items accepted by receivers. Points include infrastructure and the collector's own.",
            *each("receiver", "otelcol_receiver_accepted_{}_total", "by"),
            to=links.APPLICATION,
        ),
        graph(
            "Exported (items/s)",
            "items/s",
            "Items that a backend accepted from an exporter.",
            *each("exporter", "otelcol_exporter_sent_{}_total", "to"),
            to=links.OVERVIEW,
        ),
        graph(
            "Refused (%)",
            "percentunit",
            "The share refused with an error to the sender: a queue or the memory limit is full.",
            compared("CollectorRefusingTelemetry", "{{signal}}"),
            to=links.APPLICATION,
            alert="CollectorRefusingTelemetry",
        ),
    ]


def each(label: str, counter: str, word: str) -> list[Query]:
    """Return the rate of a counter that exists for spans, log records and points."""
    return [
        query(per(label, rate(counter.format(item))), f"{name} {word} {{{{{label}}}}}")
        for name, item in ITEMS.items()
    ]


def queues() -> list[Panel]:
    """Return the export queues."""
    size, room = of("otelcol_exporter_queue_size"), of("otelcol_exporter_queue_capacity")
    growth = f"clamp_min(deriv({size}[{window('CollectorQueueFilling')}]), 1)"
    return [
        graph(
            "Queue utilization (%)",
            "percentunit",
            "The used share of each queue's capacity. It fills while a backend is unavailable.",
            query(share(size, room), QUEUE),
            to=links.TRENDS,
        ),
        graph(
            "Queue size (bytes)",
            "bytes",
            "Data queued on disk; it is sent once the backend is available.",
            query(size, QUEUE),
            to=links.TRENDS,
        ),
        graph(
            "Time until queue full (s)",
            "s",
            "Extrapolated from the last minutes; capped at one week.",
            query(f"clamp_max(({room} - {size}) / {growth}, {A_WEEK})", QUEUE),
            to=links.TRENDS,
            alert="CollectorQueueFilling",
        ),
    ]


def cost() -> list[Panel]:
    """Return sampling decisions, and the collector's CPU and memory."""
    cpu = per("instance", rate("otelcol_process_cpu_seconds_total"))
    spans = per("instance", rate("otelcol_receiver_accepted_spans_total"))
    sampled = "otelcol_processor_tail_sampling_count_spans_sampled_total"
    return [
        graph(
            "Sampling decisions (spans/s)",
            "spans/s",
            "Spans by sampling policy and decision.",
            query(per("policy, decision", rate(sampled)), "{{policy}} {{decision}}"),
            to=links.APPLICATION,
        ),
        graph(
            "Pending traces in the tail sampler",
            "traces",
            "Traces held in memory until their sampling decision.",
            query(of("otelcol_processor_tail_sampling_sampling_traces_on_memory"), INSTANCE),
            to=links.APPLICATION,
        ),
        graph(
            "Traces evicted undecided (%)",
            "percentunit",
            "The share of traces evicted before their decision because the sampler was full.",
            compared("CollectorSamplerEvicting", "{{job}}"),
            to=links.APPLICATION,
            alert="CollectorSamplerEvicting",
        ),
        graph(
            "CPU usage (cores)",
            "cores",
            "CPU usage of each collector process.",
            query(cpu, INSTANCE),
            to=links.TRENDS,
        ),
        graph(
            "CPU time per span (s)",
            "s",
            "Total CPU time divided by accepted spans; includes the cost of logs and metrics.",
            query(share(cpu, spans), INSTANCE),
            to=links.TRENDS,
        ),
        graph(
            "Memory usage (bytes)",
            "bytes",
            "Resident memory of each collector process.",
            query(of("otelcol_process_memory_rss_bytes"), INSTANCE),
            to=links.TRENDS,
        ),
    ]
