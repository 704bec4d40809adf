"""Which of the collector's files a start loads, and in which order: the one list of them.

The launcher, the benchmarks and the tests read it; tests hold compose, Kubernetes and
docs/configuration.md equal to it. Names are those of files below `collector/`, without their
ending.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.errors import UserError

Config = str | Path
STAGES = ("base", "receive", "measure", "names", "scrub", "self")
BACKENDS = ("backends/logfire", "backends/prometheus")
INFRASTRUCTURE = ("host", "postgresql", "redis")
FORMER = ("OVERLAY", "DOORS", "BACKEND")


def started_on(*chosen: Config) -> list[Config]:
    """Return the whole list of a start on these files: what is chosen is loaded after the stages.

    A route of `routes/` needs the backends; an agent's, of `agents/`, does not.
    """
    backends = BACKENDS if any(str(config).startswith("routes/") for config in chosen) else ()
    return [*STAGES, *backends, *chosen]


def standalone(
    environment: str,
    route: str,
    overlays: Sequence[Config] = (),
    infrastructure: Sequence[str] = INFRASTRUCTURE,
) -> list[Config]:
    """Return the list of a collector without agents; overlays are names, or paths."""
    return started_on(
        *(f"infrastructure/{source}" for source in infrastructure),
        f"environments/{environment}",
        f"routes/{route}",
        *map(overlay, overlays),
    )


def overlay(name: Config) -> Config:
    """Return the file that a name in OVERLAYS stands for; a path, with a slash, stays as it is."""
    return name if "/" in str(name) else f"overlays/{name}"


def overlay_names(text: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names in OVERLAYS, which commas or spaces separate.

    Raises:
        UserError: a variable is set that did this before, and is not read any more.
    """
    if former := [name for name in FORMER if variables.get(name)]:
        raise UserError(
            f"{former[0]} is not read any more: unset it and name its file in OVERLAYS, such as "
            "OVERLAYS=token,also-scrape"
        )
    return tuple(dict.fromkeys(filter(None, re.split(r"[,\s]+", text))))
