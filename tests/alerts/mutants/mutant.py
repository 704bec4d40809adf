"""A mutant: the alerts with one thing changed, which a test has to notice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerts.model import Alert

Rule = dict[str, Any]
Place = tuple[int, int]  # a rule in its file: the index of its group, and its index there


@dataclass(frozen=True)
class Mutant:
    """One change of an alert or a recorded series; `change` is empty for the rules as they are.

    `rules` are the changed rules of the rule file `file` that Prometheus evaluates; with `whole`
    they are all that is left of their group. `alert` is the entry that Logfire evaluates, if the
    change is there. Neither: the model refuses the change.
    """

    name: str
    change: str
    file: Path | None = None
    rules: Mapping[Place, Rule] = field(default_factory=dict)
    alert: Alert | None = None
    line: int = 0
    whole: bool = False

    def __str__(self) -> str:
        """Where it is, and what it changes."""
        place = f"{self.file.name}:{self.line} " if self.file and self.line else ""
        return f"{place}{self.name} ({self.change})"
