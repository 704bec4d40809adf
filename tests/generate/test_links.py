"""Every link of a page to another file of the repository leads somewhere."""

import re
from pathlib import Path

import pytest

from stack.paths import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "logfire").rglob("*.md")]
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)\s]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = LINK.findall(CODE.sub("", page.read_text()))
    assert [link for link in links if not (page.parent / link).exists()] == []
