"""The panels of the sampling window (collector/window/): what survives a kill of the collector."""

from grafana import links
from grafana.panels import Panel, graph
from grafana.queries import compared, of, per, process, query, rate

NO_WINDOW = "There is no sampling window: it needs ENVIRONMENT=production, and window.py."


def sampling_window() -> list[Panel]:
    """Return the window's size, what it lacks, and what was replayed from it."""
    return [
        graph(
            "Size of the sampling window (bytes)",
            "bytes",
            "All files: the spans that wait for a decision, and those just decided.",
            query(process(of("sampling_window_size_bytes")), "{{process}}"),
            to=links.OVERVIEW,
            empty=NO_WINDOW,
        ),
        graph(
            "Missing in the sampling window (s)",
            "s",
            "How much of the decision wait is not in the files, because newer spans replaced it.",
            compared("CollectorWindowTooSmall", "{{instance}}"),
            to=links.OVERVIEW,
            alert="CollectorWindowTooSmall",
            empty=NO_WINDOW,
        ),
        graph(
            "Replayed spans (spans/s)",
            "spans/s",
            "Sent again after a kill or restart; those handed on are not exported again.",
            query(
                per("handed_on", rate("sampling_window_replayed_total")), "handed on: {{handed_on}}"
            ),
            to=links.APPLICATION,
            empty=NO_WINDOW,
        ),
    ]
