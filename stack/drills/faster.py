"""The shipped files with every duration divided by one factor, so that hours need no hours."""

import re

SECONDS = {"s": 1, "m": 60, "h": 3600}
DURATION = re.compile(r"^(.*_(?:wait|interval): )(\d+)([smh])$", re.MULTILINE)


def faster(text: str, factor: float) -> str:
    """Return a configuration of Prometheus or Alertmanager with its waits and intervals shorter."""

    def shorter(found: re.Match[str]) -> str:
        key, number, unit = found.groups()
        return f"{key}{int(number) * SECONDS[unit] / factor * 1000:.0f}ms"

    return DURATION.sub(shorter, text)
