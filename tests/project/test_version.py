"""The version has one source: pyproject.toml."""

import re

from app import __version__
from tests.project.files import first, texts

VERSION = first(r'^version = "(.+)"', "pyproject.toml")
OWN_IMAGE = re.compile(r"agentical/(?:app|page|stand-in):([\w.-]+)")
NEW_TAG = re.compile(r"name: agentical/(?:app|page|stand-in)\n\s+newTag: (\S+)")


def test_the_service_reports_the_projects_version() -> None:
    assert __version__ == VERSION


def test_the_packages_of_the_workspace_have_the_version_of_the_project() -> None:
    for package in ("otelcol_runner", "pytest_otelcol"):
        assert first(r'^version = "(.+)"', f"{package}/pyproject.toml") == VERSION, package


def test_every_image_of_ours_carries_the_version_as_its_tag() -> None:
    tags = {
        (path, tag)
        for path, text in texts().items()
        if not path.startswith(("tests/", "CHANGELOG"))
        for tag in OWN_IMAGE.findall(text) + NEW_TAG.findall(text)
    }
    assert len(tags) >= 8, "compose, the manifests and the overlay name our images"
    stale = sorted(f"{path}: {tag}" for path, tag in tags if tag != VERSION)
    assert not stale, f"these are not {VERSION}, the version in pyproject.toml: {stale}"


def test_the_newest_version_of_the_changelog_is_that_of_the_project() -> None:
    sections = re.findall(r"^## \[(\d.+?)\]", texts()["CHANGELOG.md"], re.MULTILINE)
    assert sections[0] == VERSION
