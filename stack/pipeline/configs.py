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
# The file of the sampling window that follows an environment.
WINDOWS = {f"environments/{name}": f"window/{name}" for name in ("development", "production")}
FORMER = ("OVERLAY", "DOORS", "BACKEND")


def started_on(*chosen: Config) -> list[Config]:
    """Return the whole list of a start on these files: what is chosen is loaded after the stages.

    A route of `routes/` needs the backends; an agent's, of `agents/`, does not. An environment
    that may sample is followed by its file of `window/`, unless another one is chosen.
    """
    names = list(map(str, chosen))
    backends = BACKENDS if any(name.startswith("routes/") for name in names) else ()
    if not any(name.startswith("window/") for name in names):
        for environment, window in WINDOWS.items():
            if environment in names:
                at = names.index(environment) + 1
                chosen = (*chosen[:at], window, *chosen[at:])
    return [*STAGES, *backends, *chosen]


def standalone(
    environment: str,
    route: str,
    overlays: Sequence[Config] = (),
    infrastructure: Sequence[str] = INFRASTRUCTURE,
    window: str = "",
) -> list[Config]:
    """Return the list of a collector without agents; overlays are names, or paths.

    `window` names a file of `window/`, and is the environment's by default.
    """
    return started_on(
        *(f"infrastructure/{source}" for source in infrastructure),
        f"environments/{environment}",
        *([f"window/{window}"] if window else []),
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
