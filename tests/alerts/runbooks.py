"""The page of runbooks, parsed."""

import re

from stack.paths import ROOT

PAGE = ROOT / "docs" / "runbooks.md"
TEXT = PAGE.read_text()
HEADINGS: dict[str, str] = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))


def queries_in(language: str) -> dict[str, str]:
    """Return the queries in a language by heading and place."""
    block = re.compile(rf"```{language}\n(.*?)```", re.S)
    return {
        f"{name} {place}": query.strip()
        for name, body in HEADINGS.items()
        for place, query in enumerate(block.findall(body), start=1)
    }
