"""An additive backend is down and its queue full: the main backends are not affected."""

from pathlib import Path

from tests.faults.conftest import StartTrial
from tests.faults.support.outcome import Row, record
from tests.support.pipeline import DEVELOPMENT
from tests.support.shapes import request

VIEWER_DEAD = Row(
    "the backend of the overlay also-viewer dead for {seconds}, its queue full",
    "development",
    "nothing changes at the main backends: 0 lost, 0 duplicated",
    stated=60,
    short=2,
)
# A queue so small that it is full at once, as in a long outage.
SOON_FULL = """\
processors: {batch/viewer: {send_batch_size: 100, send_batch_max_size: 100}}
exporters: {otlp_http/viewer: {sending_queue: {queue_size: 60000}}}
"""
POSTS, SPANS_EACH = 40, 50


def test_a_dead_additive_backend_does_not_affect_the_main_ones(
    start_trial: StartTrial, tmp_path: Path
) -> None:
    full = tmp_path / "full.yaml"
    full.write_text(SOON_FULL)
    trial = start_trial(*DEVELOPMENT, "overlays/also-viewer", full)
    trial.pipeline.viewer.stop()
    for _ in range(POSTS):
        trial.collector.send(*[request() for _ in range(SPANS_EACH)])
    trial.go_on(VIEWER_DEAD.seconds)
    assert any("queue is full" in line for line in trial.collector.warnings())
    trial.over()
    trial.pipeline.viewer.start()  # otherwise the ledger would show a backlog forever
    record(VIEWER_DEAD, trial.finish())
    others = [item.span_id for item in trial.logfire.spans if "sequence" not in item.attributes]
    assert (len(others), len(set(others))) == (POSTS * SPANS_EACH,) * 2
