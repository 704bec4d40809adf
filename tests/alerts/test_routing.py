import re
import subprocess
from pathlib import Path

import pytest

from alerts.model import matrix
from stack import toolchain
from stack.paths import PROMETHEUS

CONFIG = PROMETHEUS / "alertmanager.yml"
RECEIVERS = {"critical": "pager", "warning": "tickets"}


def amtool(*arguments: str) -> str:
    command = [str(toolchain.amtool()), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_shipped_configuration_is_one() -> None:
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


def test_an_outage_is_remembered_as_long_as_others_see_it() -> None:
    tests = PROMETHEUS / "tests" / "outages.test.yml"
    command = [str(toolchain.promtool()), "test", "rules", str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_goes_to_one_receiver_by_its_severity() -> None:
    for alert in matrix().alerts:
        labels = [f"{key}={getattr(alert, key)}" for key in ("severity", "pillar")]
        command = ["config", "routes", "test", f"--config.file={CONFIG}"]
        found = amtool(*command, f"alertname={alert.name}", *labels)
        assert found.split() == [RECEIVERS[alert.severity]], alert.name


@pytest.mark.parametrize("product", ["pagerduty", "slack"])
def test_the_products_named_in_it_can_be_put_in(product: str, tmp_path: Path) -> None:
    text = CONFIG.read_text()
    (shown,) = re.findall(rf"#   ({product}_configs:\n(?:#     .+\n)+)", text)
    put_in = re.sub(r"^# ", "  ", shown, flags=re.MULTILINE)
    webhook = "webhook_configs:\n      - url_file: receivers/pager\n"
    path = tmp_path / "alertmanager.yml"
    path.write_text(text.replace(webhook, put_in, 1))
    assert path.read_text() != text

    assert "SUCCESS" in amtool("check-config", str(path))
