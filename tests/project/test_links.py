"""Every link of every page has a target, and every decision is in the index."""

import re
from pathlib import PurePosixPath

import pytest

from stack.paths import ROOT
from tests.project.files import texts

PAGES = [path for path in texts() if path.endswith(".md")]
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
ELSEWHERE = ("http://", "https://", "mailto:")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    plain = (re.sub(r"\[([^\]]+)\]\([^)]*\)|[`*]", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file_and_a_heading_of_the_repository(page: str) -> None:
    broken = []
    for target, anchor in LINK.findall(CODE.sub("", texts()[page])):
        if target.startswith(ELSEWHERE):
            continue
        path = (ROOT / PurePosixPath(page).parent / target).resolve() if target else ROOT / page
        if not path.exists():
            broken.append(target)
        elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text()):
            broken.append(f"{target}#{anchor}")
    assert not broken, f"{page} links to what is not there: {broken}"


def test_the_index_names_every_decision() -> None:
    index = texts()["docs/decisions/README.md"]
    records = [path for path in PAGES if re.match(r"docs/decisions/\d{4}-", path)]
    assert len(records) >= 5
    assert [path for path in records if f"({PurePosixPath(path).name})" not in index] == []
