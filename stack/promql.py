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

    def by(self, label: str, query: str) -> dict[str, float]:
        """Return the value of each series of a query by one of its labels."""
        answer = self._client.get("/api/v1/query", params={"query": query}).raise_for_status()
        series = answer.json()["data"]["result"]
        return {one["metric"].get(label, ""): float(one["value"][1]) for one in series}

    def number(self, query: str) -> float:
        """Return the value of a query with one series; zero when there is none."""
        return sum(self.by("", query).values())
