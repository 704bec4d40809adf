"""The pipeline itself: throughput, queues, losses and cost of the collector."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana import links
from grafana.board import board
from grafana.limits import expression, window
from grafana.panels import Panel, graph
from grafana.queries import Query, compared, of, per, process, query, rate, share
from grafana.rows.ledger import backends, ledger
from grafana.rows.sampling_window import sampling_window

ITEMS = {"spans": "spans", "log records": "log_records", "points": "metric_points"}
SERIES = ("otelcol_process_uptime_seconds_total", "sampling_window_size_bytes")
QUEUE, PROCESS = "{{data_type}} to {{exporter}}", "{{job}} {{process}}"
EMPTY = "None of the selected collectors reports this."
NOT_SAMPLED = "Nothing is sampled: it needs ENVIRONMENT=production."
A_WEEK, FILLING = 604800, "CollectorQueueFilling"


def collector() -> Dashboard:
    """Return the dashboard of the collector."""
    rows = {
        "Flow": flow(),
        "Queues": queues(),
        "Loss ledger (last day)": ledger(),
        "Backends": backends(),
        "Sampling and cost": cost(),
        "Sampling window": sampling_window(),
    }
    return board(links.COLLECTOR, rows, SERIES, EMPTY)


def flow() -> list[Panel]:
    """Return throughput by signal."""
    return [
        graph(
            "Received (items/s)",
            "items/s",
            "Items accepted by receivers. Points include infrastructure and the collector's own.",
            *each("receiver", "otelcol_receiver_accepted_{}_total", "by", but="otlp/window"),
            to=links.APPLICATION,
        ),
        graph(
            "Exported (items/s)",
            "items/s",
            "Items that a backend accepted from an exporter.",
            *each("exporter", "otelcol_exporter_sent_{}_total", "to", but="file/window"),
            to=links.OVERVIEW,
        ),
        graph(
            "Refused (%)",
            "percentunit",
            "The share refused with an error to the sender: a queue or the memory limit is full.",
            compared("CollectorRefusingTelemetry", "{{signal}}"),
            to=links.APPLICATION,
            empty="Nothing was received in the last minutes.",
            alert="CollectorRefusingTelemetry",
        ),
    ]


def each(label: str, counter: str, word: str, but: str) -> list[Query]:
    """Return the rates of a counter that spans, log records and points have, but of one label."""
    others = f'{label}!="{but}"'
    return [
        query(per(label, rate(counter.format(item), others)), f"{name} {word} {{{{{label}}}}}")
        for name, item in ITEMS.items()
    ]


def queues() -> list[Panel]:
    """Return the export queues."""
    size, room = of("otelcol_exporter_queue_size"), of("otelcol_exporter_queue_capacity")
    later = f"0 * {per('job, exporter, data_type', room, 'max')} + {A_WEEK}"
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
            f"Extrapolated from the last {window(FILLING)}; a week or more is drawn as a week.",
            query(f"clamp_max({expression(FILLING)}, {A_WEEK}) or {later}", QUEUE),
            to=links.TRENDS,
            alert=FILLING,
        ),
    ]


def cost() -> list[Panel]:
    """Return sampling decisions, and the collector's CPU and memory."""
    cpu = per("job, instance", rate("otelcol_process_cpu_seconds_total"))
    spans = per("job, instance", rate("otelcol_receiver_accepted_spans_total"))
    held = of("otelcol_processor_tail_sampling_sampling_traces_on_memory")
    sampled = "otelcol_processor_tail_sampling_count_spans_sampled_total"
    return [
        graph(
            "Sampling decisions (spans/s)",
            "spans/s",
            "Spans by sampling policy and decision.",
            query(per("policy, decision", rate(sampled)), "{{policy}} {{decision}}"),
            to=links.APPLICATION,
            empty=NOT_SAMPLED,
        ),
        graph(
            "Pending traces in the tail sampler",
            "traces",
            "Traces held in memory until their sampling decision.",
            query(process(held), PROCESS),
            to=links.APPLICATION,
            empty=NOT_SAMPLED,
        ),
        graph(
            "Traces evicted undecided (%)",
            "percentunit",
            "The share of traces evicted before their decision because the sampler was full.",
            compared("CollectorSamplerEvicting", "{{job}}"),
            to=links.APPLICATION,
            alert="CollectorSamplerEvicting",
            empty=NOT_SAMPLED,
        ),
        graph(
            "CPU usage (cores)",
            "cores",
            "CPU usage of each collector process.",
            query(process(cpu), PROCESS),
            to=links.TRENDS,
        ),
        graph(
            "CPU time per span (s)",
            "s",
            "Total CPU time divided by accepted spans; includes the cost of logs and metrics.",
            query(process(share(cpu, spans)), PROCESS),
            to=links.TRENDS,
        ),
        graph(
            "Memory usage (bytes)",
            "bytes",
            "Resident memory of each collector process.",
            query(process(of("otelcol_process_memory_rss_bytes")), PROCESS),
            to=links.TRENDS,
        ),
    ]
