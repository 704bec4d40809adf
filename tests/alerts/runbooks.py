"""The page of runbooks, taken apart."""

import re

from stack.paths import ROOT

PAGE = ROOT / "docs" / "runbooks.md"
TEXT = PAGE.read_text()
HEADINGS: dict[str, str] = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
PROMQL: list[tuple[str, str]] = [
    (name, query.strip())
    for name, body in HEADINGS.items()
    for query in re.findall(r"```promql\n(.*?)```", body, re.S)
]
