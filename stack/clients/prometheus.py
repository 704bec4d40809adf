"""Prometheus' instant queries."""

from typing import Self

import httpx


class PromQL:
    """The query API at a URL; its methods raise `httpx.HTTPError` when it cannot be asked."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def series(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Return the labels and the value of each series of a query."""
        answer = self._client.get("/api/v1/query", params={"query": query}).raise_for_status()
        found = answer.json()["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def by(self, label: str, query: str) -> dict[str, float]:
        """Return the value of each series of a query by one of its labels."""
        return {labels.get(label, ""): value for labels, value in self.series(query)}

    def number(self, query: str) -> float:
        """Return the value of a query with one series; zero when there is none."""
        return sum(self.by("", query).values())
