"""Client for Prometheus' instant queries."""

from typing import Self

from stack.clients import http


class PromQL:
    """The query API at a URL; its methods raise `httpx.HTTPError` if a query fails."""

    def __init__(self, url: str) -> None:
        self._client = http.client(url, base_url=url, timeout=10.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def series(self, query: str) -> list[tuple[dict[str, str], float]]:
        answer = self._client.get("/api/v1/query", params={"query": query}).raise_for_status()
        found = answer.json()["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def by(self, label: str, query: str) -> dict[str, float]:
        """Return the values of a query's series, keyed by one label."""
        return {labels.get(label, ""): value for labels, value in self.series(query)}

    def number(self, query: str) -> float:
        """Return the value of a query that yields one series, or zero if it yields none."""
        return sum(self.by("", query).values())
