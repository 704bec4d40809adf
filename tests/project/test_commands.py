"""Workflows and hooks call existing targets of the Makefile and locked tools."""

import re
import shlex

import pytest
import yaml

from stack.paths import ROOT
from tests.project.files import texts

TARGETS = set(re.findall(r"^([a-z-]+):.*##", texts()["Makefile"], re.MULTILINE))
WORKFLOWS = [path for path in texts() if path.startswith(".github/workflows/")]
ACTIONS = [path for path in texts() if path.startswith(".github/") and path.endswith(".yml")]
HOOKS = yaml.safe_load(texts()[".pre-commit-config.yaml"])["repos"][0]["hooks"]


def asked(workflow: str) -> set[str]:
    """Return the targets that a workflow's steps call, by name or by the job's matrix."""
    found = set()
    for job in yaml.safe_load(texts()[workflow])["jobs"].values():
        found |= set(job.get("strategy", {}).get("matrix", {}).get("target", ()))
        for step in job["steps"]:
            for words in re.findall(r"\bmake ([a-z -]+)", step.get("run", "")):
                found |= set(words.split())
    return found


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_calls_targets_of_the_makefile(workflow: str) -> None:
    assert asked(workflow)
    assert asked(workflow) <= TARGETS


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_workflows_are_read_only_and_have_a_timeout(workflow: str) -> None:
    document = yaml.safe_load(texts()[workflow])
    assert document["permissions"] == {"contents": "read"}
    for name, job in document["jobs"].items():
        assert job["timeout-minutes"] <= 90, name


def test_ci_runs_what_contributors_are_asked_to_run() -> None:
    assert {"lint", "types", "test"} <= asked(".github/workflows/gate.yml")


@pytest.mark.parametrize("path", ACTIONS)
def test_an_action_is_pinned_by_its_commit_with_the_version_beside_it(path: str) -> None:
    for line in re.findall(r"uses: (.+)", texts()[path]):
        assert line.startswith("$/.github/") or re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", line)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_a_tool_of_the_lock_or_a_target(hook: dict[str, str]) -> None:
    command, *arguments = shlex.split(hook["entry"])
    if command == "make":
        assert set(arguments) <= TARGETS
    else:
        assert command.startswith(".venv/bin/")
        assert (ROOT / command).exists()
