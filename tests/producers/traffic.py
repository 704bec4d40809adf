"""The forty requests that each producer serves."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

TENANT = ("x-tenant", "acme")
HEALTH, LAST = "/health", "/last"  # apart from the forty
PROBES = 2  # requests of /health
ITEMS, MISSING, MOUNTED, BROKEN = "/items/", "/missing/", "/v2/things/", "/broken"
# A connection for each request: uvicorn closes the one on which a handler has failed.
FRESH = httpx.Limits(max_keepalive_connections=0)


@dataclass(frozen=True)
class Request:
    """A request, the status of its answer, and the trace that its caller began, if any."""

    method: str
    path: str
    status: int
    trace_id: str

    @property
    def headers(self) -> dict[str, str]:
        """Its headers: the caller of a trace does not sample, which must not matter."""
        if not self.trace_id:
            return dict([TENANT])
        return dict([TENANT, ("traceparent", f"00-{self.trace_id}-00f067aa0ba902b7-00")])


def forty(producer: int) -> list[Request]:
    """Return the requests for the producer of this number; nine of ten belong to a trace."""
    plan = [
        *(("GET", f"{ITEMS}{number}", 200) for number in range(20)),
        *(("POST", "/orders", 201) for _ in range(5)),
        *(("GET", "/forbidden", 403) for _ in range(4)),
        *(("GET", f"{MISSING}{number}", 404) for number in range(4)),
        *(("GET", BROKEN, 500) for _ in range(4)),
        *(("GET", f"{MOUNTED}{number}", 200) for number in range(3)),
    ]
    ids = (f"{producer + 1:016x}{number:016x}" for number in itertools.count(1))
    return [Request(*one, "" if n % 10 == 0 else next(ids)) for n, one in enumerate(plan)]


def send_last(url: str) -> None:
    """Send one more, just before the producer is stopped."""
    assert httpx.get(f"{url}{LAST}", timeout=20).status_code == 200


def send(url: str, requests: list[Request]) -> None:
    """Send them, four at a time, and the probes; each answer must have the status of the plan."""
    with httpx.Client(base_url=url, timeout=20, limits=FRESH) as client:

        def one(request: Request) -> None:
            answer = client.request(request.method, request.path, headers=request.headers)
            assert answer.status_code == request.status, f"{request}: {answer.status_code}"

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, requests))
        for _ in range(PROBES):
            assert client.get(HEALTH).status_code == 200
