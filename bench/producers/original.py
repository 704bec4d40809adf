"""The strategy that this project replaces, as in its libraries' documentation.

The `logfire` SDK with captured headers sends straight to Logfire (here: to a local receiver),
and a middleware keeps `prometheus_client` metrics for a scrape of `/metrics`. Left out in its
favour: printing every span to the console, the SDK's default.
"""

import os
import time
from collections.abc import Awaitable, Callable

import logfire
from fastapi import FastAPI, Request, Response
from prometheus_client import Counter, Gauge, Histogram, make_asgi_app

Next = Callable[[Request], Awaitable[Response]]
TOKEN = "pylf_v1_local_" + "0" * 43  # not a real token
REQUESTS = Counter("requests_total", "Requests", ["method", "endpoint", "status"])
DURATION = Histogram("request_duration_seconds", "Duration", ["method", "endpoint"])
ACTIVE = Gauge("active_connections", "Requests in flight")


def sdk(app: FastAPI) -> None:
    """Send to Logfire by its SDK: https://logfire.pydantic.dev/docs/integrations/web-frameworks/fastapi/."""
    base_url = os.environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT")
    logfire.configure(
        token=TOKEN,
        service_name="bench",
        console=False,
        advanced=logfire.AdvancedOptions(base_url=base_url),
    )
    instrument(app)


def sdk_over_otlp(app: FastAPI) -> None:
    """Send to a collector by the SDK, with `OTEL_EXPORTER_OTLP_ENDPOINT`."""
    logfire.configure(send_to_logfire=False, service_name="bench", console=False)
    instrument(app)


def instrument(app: FastAPI) -> None:
    """Instrument what the API uses."""
    logfire.instrument_fastapi(app, capture_headers=True)
    logfire.instrument_asyncpg()
    logfire.instrument_redis()
    logfire.instrument_httpx()


def prometheus(app: FastAPI) -> None:
    """Count and time requests: https://fastapi.tiangolo.com/tutorial/middleware/."""
    app.mount("/metrics", make_asgi_app())

    @app.middleware("http")
    async def measure(request: Request, call_next: Next) -> Response:
        ACTIVE.inc()
        started = time.perf_counter()
        try:
            response = await call_next(request)
        finally:
            ACTIVE.dec()
        endpoint = request.scope["route"].path if "route" in request.scope else "unknown"
        REQUESTS.labels(request.method, endpoint, response.status_code).inc()
        DURATION.labels(request.method, endpoint).observe(time.perf_counter() - started)
        return response


VARIANTS: dict[str, tuple[Callable[[FastAPI], None], ...]] = {
    "original": (sdk, prometheus),
    "original over OTLP": (sdk_over_otlp, prometheus),
    "logfire SDK alone": (sdk,),
    "prometheus_client alone": (prometheus,),
}
