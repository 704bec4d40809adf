"""The Terraform files parse, are formatted, use documented arguments and contain every alert."""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import hcl2
import pytest
import yaml

from alerts import queries
from alerts.model import Minutes, matrix
from stack.paths import ROOT
from tests.alerts.logfire.cases import ALERTS

ROOM = ROOT / "logfire" / "terraform"
FILES = sorted(ROOM.glob("*.tf"))
SCHEMA = yaml.safe_load((ROOM / "provider-schema.yaml").read_text())
Block = dict[str, Any]


def parsed(path: Path) -> Any:
    """Return a file's blocks, without the parser's quotes and metadata."""
    return plain(hcl2.loads(path.read_text()))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k.strip('"'): plain(v) for k, v in value.items() if not k.startswith("__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.strip('"') if isinstance(value, str) else value


MAIN, VARIABLES = parsed(ROOM / "main.tf"), parsed(ROOM / "variables.tf")


def resources() -> Iterator[tuple[str, str, Block]]:
    for part in MAIN["resource"]:
        for kind, named in part.items():
            for name, block in named.items():
                yield kind, name, block


def test_every_argument_is_one_that_the_provider_documents() -> None:
    meta = {"for_each"}
    for kind, _, block in resources():
        assert_known(block, SCHEMA["resources"][kind], meta)
    (provider,) = MAIN["provider"]
    assert_known(provider["logfire"], SCHEMA["provider"], set())


def assert_known(block: Block, schema: Block, meta: set[str]) -> None:
    required, optional = set(schema.get("required", {})), set(schema.get("optional", {}))
    blocks = schema.get("blocks", {})
    assert required <= block.keys() <= required | optional | blocks.keys() | meta
    for name in blocks:
        (inner,) = block[name]
        assert_known(inner, blocks[name], set())


def test_values_are_those_that_the_provider_documents() -> None:
    assert list(get_args(Minutes)) == SCHEMA["values"]["frequency"]
    assert set(get_args(Minutes)) < set(SCHEMA["values"]["time_window"])
    (notify_when,) = (
        part["notify_when"] for part in VARIABLES["variable"] if "notify_when" in part
    )
    condition = notify_when["validation"][0]["condition"]
    assert re.findall(r'"(\w+)"', condition) == SCHEMA["values"]["notify_when"]
    assert notify_when["default"] in SCHEMA["values"]["notify_when"]
    channels = [block for kind, _, block in resources() if kind == "logfire_channel"]
    assert {block["config"][0]["type"] for block in channels} <= {*SCHEMA["values"]["config.type"]}


def test_every_alert_of_the_matrix_is_made_once_from_its_own_numbers() -> None:
    (local,), ((_, _, made),) = MAIN["locals"], [r for r in resources() if r[0] == "logfire_alert"]
    assert made["for_each"] == "${local.alerts}"
    assert made["query"] == "${local.queries[each.key]}"
    assert local["alerts"] == (
        "${{for alert in local.matrix.alerts : alert.name => alert if can(alert.logfire)}}"
    )
    read = yaml.safe_load((ROOT / "alerts/matrix.yaml").read_text())["alerts"]
    names = [alert["name"] for alert in read if "logfire" in alert]
    assert sorted(names) == sorted(set(names)) == sorted(ALERTS)


def test_the_deployed_query_is_the_tested_file() -> None:
    (local,) = MAIN["locals"]
    (pattern, put) = re.findall(r'replace\(name, "/(.+)/", "(.+?)"\)', local["queries"])[0]
    put = re.sub(r"\$\$\{(\d)\}", r"\\\1", put)
    for name, alert in ALERTS.items():
        assert f"{re.sub(pattern, put, name).lower()}.sql" == queries.file_name(alert)
    assert "{threshold = alert.logfire.threshold}, try(alert.logfire.numbers" in local["queries"]


def test_each_severity_has_a_channel_except_for_prometheus_alerts() -> None:
    (local,), ((_, _, made),) = MAIN["locals"], [r for r in resources() if r[0] == "logfire_alert"]
    severities = {alert.severity for alert in matrix().alerts}
    assert local["channels"] == {
        "critical": "${logfire_channel.pager.id}",
        "warning": "${logfire_channel.tickets.id}",
    }
    assert severities <= local["channels"].keys()
    assert made["channel_ids"].startswith('${try(each.value.notifies, "logfire") == "logfire" ?')
    assert made["channel_ids"].endswith("? [local.channels[each.value.severity]] : []}")


def test_secrets_are_marked_sensitive() -> None:
    variables = {name: block for part in VARIABLES["variable"] for name, block in part.items()}
    secret = {name for name in variables if re.search(r"key|token|url", name)}
    assert {name for name, block in variables.items() if block.get("sensitive")} == secret
    assert len(secret) == 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_formatted(path: Path) -> None:
    depth = 0
    lines = path.read_text().splitlines()
    for line in lines:
        code = re.sub(r'"(?:[^"\\]|\\.)*"|#.*', "", line)
        opened, closed = len(re.findall(r"[\[({]", code)), len(re.findall(r"[\])}]", code))
        closes_first = bool(re.match(r"\s*[\])}]", line))
        expected = 2 * (depth - closes_first) if line.strip() else 0
        assert len(line) - len(line.lstrip()) == expected, line
        assert line == line.rstrip()
        depth += (opened > closed) - (closed > opened)
    assert depth == 0
    for _, run in groupby(lines, key=lambda line: bool(re.match(r"\s*\w+ *= .*[^\[({]$", line))):
        places = [line.index("=") for line in run if re.match(r"\s*\w+ *= .*[^\[({]$", line)]
        assert len(set(places)) <= 1
