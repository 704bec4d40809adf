"""The shipped configuration with every window and duration divided by one factor.

An alert then fires in seconds and not in minutes. Nothing else changes: thresholds, expressions and
notification routes are the shipped ones.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from alerts import generate
from alerts.rules import SAMPLES, compressed
from stack.paths import PROMETHEUS

SAMPLE_SECONDS = 0.5  # the interval at which a drill's pipeline exports metrics
# Five samples would be enough, but the collector's own metrics arrive up to two seconds late.
MIN_WINDOW_SECONDS = 8 * SAMPLE_SECONDS
DURATION = re.compile(r"^(.*_(?:wait|interval): )(\d+[smhd])$", re.MULTILINE)
# In PromQL: not in a string, and not the end of a name.
IN_EXPRESSION = re.compile(r"""("[^"]*"|'[^']*')|(?<![\w.])(\d+[smhd])\b""")
# An age in seconds, compared with the time of a sample: `timestamp(...) - 600`.
AGE = re.compile(r"(timestamp\([^()]*\)+ - )(\d+)\b")


def faster_files(folder: Path, factor: float) -> Path:
    """Write Prometheus' and Alertmanager's files with compressed time; returns their folder."""
    (folder / "rules").mkdir(parents=True)
    for name in ("prometheus.yml", "alertmanager.yml"):
        (folder / name).write_text(faster((PROMETHEUS / name).read_text(), factor))
    for name, document in rule_files(factor).items():
        (folder / "rules" / name).write_text(yaml.safe_dump(document, sort_keys=False))
    return folder


def faster(text: str, factor: float) -> str:
    """Return a configuration of Prometheus or Alertmanager with shorter waits and intervals."""
    return DURATION.sub(lambda found: found[1] + compressed(found[2], factor), text)


def rule_files(factor: float) -> dict[str, Any]:
    """Return every rule file by name: generated with compressed time, or compressed afterwards."""
    generated = generate.rule_files(factor, MIN_WINDOW_SECONDS / SAMPLES)
    written = {
        path.name: faster_rules(yaml.safe_load(path.read_text()), factor)
        for path in (PROMETHEUS / "rules").glob("*.yml")
    }
    return generated | written


def faster_rules(document: Any, factor: float) -> Any:
    """Return rule groups with shorter durations and windows (at least `MIN_WINDOW_SECONDS`)."""
    for group in document["groups"]:
        for rule in group["rules"]:
            expr = IN_EXPRESSION.sub(
                lambda found: found[1] or compressed(found[2], factor, MIN_WINDOW_SECONDS),
                rule["expr"],
            )
            rule["expr"] = AGE.sub(
                lambda found: f"{found[1]}{max(int(found[2]) / factor, MIN_WINDOW_SECONDS):g}", expr
            )
            if "for" in rule:
                rule["for"] = compressed(rule["for"], factor)
    return document
