"""What Prometheus and its operator's types say: alerts, rules and targets."""

from typing import Any

import httpx

from stack.clients.prometheus import PromQL

Labels = dict[str, str]


def alerts(client: PromQL, name: str) -> list[Labels]:
    """Return the labels of an alert's pending and firing instances."""
    found = client.series(f'ALERTS{{alertname="{name}"}}')
    left_out = ("__name__", "alertstate")
    return [
        {key: value for key, value in labels.items() if key not in left_out} for labels, _ in found
    ]


def groups(url: str) -> dict[str, list[str]]:
    """Return the rules that Prometheus evaluates, by group."""
    return {
        group["name"]: [rule["name"] for rule in group["rules"]]
        for group in answer(url, "rules")["groups"]
    }


def targets(url: str) -> dict[str, list[str]]:
    """Return the health of each target and its last error, by the monitor that named it."""
    found: dict[str, list[str]] = {}
    for target in answer(url, "targets")["activeTargets"]:
        health = f"{target['health']} {target['lastError']}".rstrip()
        found.setdefault(target["scrapePool"], []).append(health)
    return {pool: sorted(health) for pool, health in found.items()}


def answer(url: str, name: str) -> dict[str, Any]:
    """Ask Prometheus' own API. Raises `httpx.HTTPError`."""
    got = httpx.get(f"{url}/api/v1/{name}", timeout=10, trust_env=False).raise_for_status()
    data: dict[str, Any] = got.json()["data"]
    return data
