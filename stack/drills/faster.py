"""The shipped configuration with every window and duration divided by one factor.

What takes minutes for a person then takes seconds, and nothing else is different: thresholds,
expressions and routes are the shipped ones.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from alerts import generate
from alerts.rules import SAMPLES, compressed
from stack.paths import PROMETHEUS

SAMPLE_SECONDS = 0.5  # how often a drill's pipeline sends metrics
# Five samples would be enough, but what the collector tells of itself comes up to two seconds late.
LEAST = 8 * SAMPLE_SECONDS
DURATION = re.compile(r"^(.*_(?:wait|interval): )(\d+[smhd])$", re.MULTILINE)
# In PromQL: not in a string, and not the end of a name.
IN_EXPRESSION = re.compile(r"""("[^"]*"|'[^']*')|(?<![\w.])(\d+[smhd])\b""")
# What is told by when it was last reported: seconds before now.
AGO = re.compile(r"(timestamp\([^()]*\)+ - )(\d+)\b")


def faster_files(folder: Path, factor: float) -> Path:
    """Write Prometheus' and Alertmanager's files, so many times as fast; returns their folder."""
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
    """Return every rule file by its name: generated anew, or written by hand and compressed."""
    made = generate.rule_files(factor, LEAST / SAMPLES)
    by_hand = (PROMETHEUS / "rules").glob("*.yml")
    written = {p.name: faster_rules(yaml.safe_load(p.read_text()), factor) for p in by_hand}
    return made | written


def faster_rules(document: Any, factor: float) -> Any:
    """Return rule groups with shorter durations, and windows of at least `LEAST` seconds."""
    for group in document["groups"]:
        for rule in group["rules"]:
            expr = IN_EXPRESSION.sub(
                lambda found: found[1] or compressed(found[2], factor, LEAST), rule["expr"]
            )
            rule["expr"] = AGO.sub(
                lambda found: f"{found[1]}{max(int(found[2]) / factor, LEAST):g}", expr
            )
            if "for" in rule:
                rule["for"] = compressed(rule["for"], factor)
    return document
