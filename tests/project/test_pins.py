"""Renovate finds every pin: a version that it does not find is never updated."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from tests.project.files import texts

CONFIG: dict[str, Any] = json.loads(texts()["renovate.json"])
MANAGERS: list[dict[str, Any]] = CONFIG["customManagers"]
# What Renovate finds by itself: the patterns of its managers' documentation.
BY_ITSELF = (
    r"(^|/)pyproject\.toml$",
    r"(^|/)[\w-]*requirements([-._]\w+)?\.(txt|pip)$",
    r"(^|/)go\.mod$",
    r"(^|/|\.)([Dd]ocker|[Cc]ontainer)file$",
    r"(^|/)\.github/(workflows|actions)/.+\.ya?ml$",
    r"(^|/)kustomization\.ya?ml$",
    r"(^|/)pom\.xml$",
    r"\.tf$",
)
# The forms of a pin: an image with a tag, a Go module, a wheel, a build argument.
PINS = (
    r"(?<![\w/@.-])(?:[\w.-]+/)*(?:[a-z][\w-]*):v?\d+\.\d+[\w.-]*",
    r"(?:[\w-]+\.)+[\w-]+(?:/[\w.-]+)+@v\d[\w.]*",
    r"[\w-]+==\d[\w.]*",
    r"^ARG \w+_VERSION=\S+",
)
WHERE = re.compile(
    r"^(\.ci/|\.github/|stack/(tools|services)/|deploy/|collector/distribution/|Dockerfile|Makefile"
    r"|tests/cluster/(addons|manifests)/|(docker-)?compose\.ya?ml$)"
)
OWN = re.compile(r"agentical/|127\.0\.0\.1|0\.0\.0\.0")


def patterns(of: dict[str, Any]) -> list[str]:
    return [pattern.strip("/").replace("\\/", "/") for pattern in of["managerFilePatterns"]]


def named(pattern: str) -> str:
    """Write a pattern's groups as Python does."""
    return pattern.replace("(?<", "(?P<")


def matches(manager: dict[str, Any]) -> Iterator[tuple[str, re.Match[str]]]:
    for path, text in texts().items():
        if any(re.search(pattern, path) for pattern in patterns(manager)):
            for pattern in manager["matchStrings"]:
                for found in re.finditer(named(pattern), text):
                    yield path, found


def test_renovate_knows_every_key() -> None:
    """Its schema accepts unknown keys, at which Renovate stops."""
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / "renovate.json"
    known = json.loads(vendored.read_text())["properties"]
    described = {
        "$schema",
        "allowedVersions",
        "matchFileNames",
        "matchManagers",
        "matchPackageNames",
    }
    for part in (CONFIG, *CONFIG["packageRules"]):
        assert set(part) <= set(known) | described


@pytest.mark.parametrize("manager", MANAGERS, ids=lambda manager: manager["description"])
def test_each_custom_manager_finds_a_version_in_every_file_it_names(
    manager: dict[str, Any],
) -> None:
    found = list(matches(manager))
    for pattern in patterns(manager):
        assert any(re.search(pattern, path) for path, _ in found), f"nothing matches in {pattern}"
    for path, match in found:
        names = match.groupdict()
        assert names["currentValue"], path
        assert names.get("depName") or manager.get("depNameTemplate"), path


def test_renovate_finds_every_pin() -> None:
    kinds = (CONFIG[kind]["managerFilePatterns"] for kind in ("ocb", "kubernetes"))
    read = [*BY_ITSELF, *(pattern.strip("/") for kind in kinds for pattern in kind)]
    seen = {
        (path, text_line(path, match.start("currentValue")))
        for manager in MANAGERS
        for path, match in matches(manager)
    }
    pins = [
        (path, number, line)
        for path, text in texts().items()
        if WHERE.match(path) and not any(re.search(pattern, path) for pattern in read)
        for number, line in enumerate(text.splitlines(), 1)
        if any(re.search(pin, line) for pin in PINS) and not OWN.search(line)
    ]
    unseen = [
        f"{path}:{number}: {line.strip()}"
        for path, number, line in pins
        if (path, number) not in seen
    ]
    assert not unseen, f"add these to customManagers in renovate.json: {unseen}"
    assert len(pins) > 6


def text_line(path: str, offset: int) -> int:
    return texts()[path].count("\n", 0, offset) + 1


def test_the_collectors_parts_are_updated_in_one_group() -> None:
    (group,) = (rule for rule in CONFIG["packageRules"] if rule.get("groupName") == "collector")
    globs = group["matchPackageNames"]
    prefixes = tuple(re.sub(r"(\{/,\}|/)\*\*$", "", glob) for glob in globs)
    names = re.findall(r"gomod: (\S+)", texts()["collector/distribution/builder.yaml"])
    for name in [*names, "otel/opentelemetry-collector-contrib"]:
        assert name.startswith(prefixes), name
