"""The patch of docs/long-term.md, a second project and a tenant, is rendered and accepted."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_otelcol.collector import Otelcol

from stack.paths import ROOT
from tests.kubernetes.rendering import DEPLOY, Pod, repository_path
from tests.support.caddy import listeners

PATCH = re.compile(r"```yaml\n(.+?)```", re.DOTALL)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Pod:
    """The gateway of an overlay with the documented patch."""
    folder = tmp_path_factory.mktemp("overlay").resolve()
    (patch,) = PATCH.findall((ROOT / "docs" / "long-term.md").read_text())
    production = os.path.relpath(DEPLOY / "overlays" / "production", folder)
    (folder / "kustomization.yaml").write_text(patch.replace("../production", production))
    return Pod(str(folder), "gateway")


def test_the_collector_accepts_the_documented_patch(gateway: Pod, otelcol: Otelcol) -> None:
    paths = [repository_path(path) for path in gateway.configs()]
    loaded = [str(Path(path.parent.name) / path.stem) for path in paths]
    assert loaded[-3:] == ["routes/hybrid", "overlays/two-projects", "overlays/tenant"]
    given = gateway.environment("collector")
    for path in paths:
        asked = set(re.findall(r"\$\{env:([A-Z0-9_]+)\}", path.read_text()))
        assert asked <= given.keys(), path.name
    assert otelcol.validate(paths, given) == ""


def test_the_documented_patch_gives_each_project_a_port_of_the_guard(gateway: Pod) -> None:
    given = gateway.environment("collector")
    endpoints = {given["LOGFIRE_ENDPOINT"], given["LOGFIRE_ENDPOINT_SECOND"]}
    assert {urlsplit(endpoint).netloc for endpoint in endpoints} < listeners(
        gateway.environment("guard")
    )
