import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.paths import PROMETHEUS
from stack.tools import toolchain

CONFIG = PROMETHEUS / "alertmanager.yml"
RECEIVERS = {"critical": "pager", "warning": "tickets", "none": "null"}


def amtool(*arguments: str) -> str:
    command = [str(toolchain.amtool()), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def alerts() -> dict[tuple[str, str], dict[str, str]]:
    """Every alert of Prometheus by name and severity, with the labels that its rule gives it."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for path in sorted((PROMETHEUS / "rules").rglob("*.yml")):
        document: dict[str, Any] = yaml.safe_load(path.read_text())
        for rule in (rule for group in document["groups"] for rule in group["rules"]):
            if "alert" in rule:
                found[rule["alert"], rule["labels"]["severity"]] = rule["labels"]
    return found


def test_amtool_accepts_the_shipped_configuration() -> None:
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


def test_every_alert_goes_to_one_receiver_by_its_severity() -> None:
    assert len(alerts()) > 30
    for (name, severity), labels in alerts().items():
        given = [f"{key}={value}" for key, value in labels.items()]
        command = ["config", "routes", "test", f"--config.file={CONFIG}"]
        found = amtool(*command, f"alertname={name}", *given)
        assert found.split() == [RECEIVERS[severity]], name


def test_every_alert_named_by_a_route_or_inhibition_exists() -> None:
    names = {name for name, _ in alerts()}
    matchers = re.findall(r"- alertname !?=~? \"?([^\"\s]+)", CONFIG.read_text())
    named = {one for matcher in matchers for one in matcher.split("|")}

    assert len(named) > 10
    assert [one for one in named if not any(re.fullmatch(one, name) for name in names)] == []


@pytest.mark.parametrize("product", ["pagerduty", "slack"])
def test_the_receivers_named_in_comments_are_valid(product: str, tmp_path: Path) -> None:
    text = CONFIG.read_text()
    (shown,) = re.findall(rf"#   ({product}_configs:\n(?:#     .+\n)+)", text)
    put_in = re.sub(r"^# ", "  ", shown, flags=re.MULTILINE)
    webhook = "webhook_configs:\n      - url_file: receivers/pager\n"
    path = tmp_path / "alertmanager.yml"
    path.write_text(text.replace(webhook, put_in, 1))
    assert path.read_text() != text

    assert "SUCCESS" in amtool("check-config", str(path))
