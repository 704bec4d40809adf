"""`python -m tests.redaction.coverage gitleaks.toml`: how many of gitleaks' formats are masked.

Counts the rules whose secret has a shape of its own. The others find any text after a name and an
assignment (`datadog_key = ...`); the names in words.yaml are there for those.
"""

import json
import math
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.redaction.drawn import matched
from tests.redaction.masking import mask

DRAWS = 5
# These need the words around the secret, not a name alone: phrases.yaml is there for them.
IN_PHRASES = {
    "curl-auth-header", "curl-auth-user", "freemius-secret-key", "kubernetes-secret-yaml",
    "nuget-config-password", "sidekiq-sensitive-url",
}  # fmt: skip
# The middle of a rule that gitleaks makes from a name: what may stand between it and the value.
ASSIGNMENT = r"""[\s'"]{0,3}(?:=|>|:{1,3}=|"""
ASSIGNMENT_SCOPED = r"""[\s'"]{0,3})(?:=|>|:{1,3}=|"""
PLACES: dict[str, Callable[[str], str]] = {
    "alone": lambda text: text,
    "sentence": lambda text: f"the service answered {text} and went on",
    "JSON": lambda text: json.dumps({"note": text}),
}


@dataclass(frozen=True)
class Result:
    """For one rule: how many of the drawn secrets are masked, by place, and one that is not."""

    rule: str
    masked: dict[str, int]
    left: str

    @property
    def whole(self) -> bool:
        return min(self.masked.values()) == DRAWS


def entropy(text: str) -> float:
    """Return Shannon's entropy in bits per character, as gitleaks counts it."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def fixed(rule: dict[str, Any]) -> bool:
    """Tell whether the rule's secret has a shape of its own."""
    regex = rule.get("regex", "")  # none: a rule for the names of files
    return bool(regex) and ASSIGNMENT not in regex and ASSIGNMENT_SCOPED not in regex


def secret(rule: dict[str, Any], match: re.Match[str]) -> str:
    """Return the part of a match that gitleaks reports."""
    if group := rule.get("secretGroup"):
        return str(match[group])
    return next((each for each in match.groups() if each), match[0])


def samples(rule: dict[str, Any]) -> list[tuple[str, str]]:
    """Draw texts with their secrets; a text that is not random enough is no secret to gitleaks."""
    found: list[tuple[str, str]] = []
    for seed in range(DRAWS * 40):
        match = matched(rule["regex"], seed)
        if entropy(part := secret(rule, match)) >= rule.get("entropy", 0):
            found.append((match[0], part))
        if len(found) == DRAWS:
            return found
    raise ValueError(f"{rule['id']}: too few texts with an entropy of {rule['entropy']}")


def check(rule: dict[str, Any]) -> Result:
    masked, left = dict.fromkeys(PLACES, 0), ""
    for text, part in samples(rule):
        for place, put in PLACES.items():
            # As JSON writes it: quotes and backslashes in the secret are escaped there.
            whole = json.dumps(part)[1:-1] if place == "JSON" else part
            if whole in mask(put(text)):
                left = left or text
            else:
                masked[place] += 1
    return Result(rule["id"], masked, left)


def coverage(path: Path) -> list[Result]:
    """Check each rule of a fixed shape in gitleaks' configuration."""
    rules = tomllib.loads(path.read_text())["rules"]
    return [check(rule) for rule in rules if fixed(rule)]


def alone(results: list[Result]) -> list[Result]:
    return [each for each in results if each.rule not in IN_PHRASES]


def share(results: list[Result]) -> str:
    covered = sum(each.whole for each in results)
    return f"{covered} of {len(results)}, {covered / len(results):.1%}"


def table(results: list[Result]) -> str:
    lines = [f"{'rule':46}" + "".join(f"{place:>10}" for place in PLACES)]
    for each in results:
        counts = "".join(f"{n:>8}/{DRAWS}" for n in each.masked.values())
        lines.append(f"{each.rule:46}{counts}")
    texts = sum(n for each in results for n in each.masked.values())
    lines += [
        "",
        f"texts masked: {texts / (len(results) * len(PLACES) * DRAWS):.1%}",
        f"rules masked in full: {share(results)}",
        f"the same without those of phrases: {share(alone(results))}",
        "",
        "not masked in full:",
    ]
    lines += [f"  {each.rule}: {each.left[:90]!r}" for each in results if not each.whole]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(coverage(Path(sys.argv[1]))))
