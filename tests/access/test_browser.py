"""OVERLAYS=browser: pages of the allowed origins can send, others cannot."""

import json

import httpx
import pytest

from tests.support.pipeline import DEVELOPMENT, Pipeline, StartPipeline

PAGES, ANYWHERE = "https://shop.example", "https://app.shop.example"
ORIGINS = f"{PAGES},https://*.shop.example"
TOKEN = {"authorization": "Bearer one"}
SPAN = {"traceId": "0a" * 16, "spanId": "0b" * 8, "name": "click", "kind": 1}
BODY = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]})


@pytest.fixture
def pipeline(start_pipeline: StartPipeline) -> Pipeline:
    overlays = ("overlays/token", "overlays/browser")
    return start_pipeline(*DEVELOPMENT, *overlays, OTLP_TOKEN="one", BROWSER_ORIGINS=ORIGINS)


def preflight(pipeline: Pipeline, origin: str) -> httpx.Response:
    """Ask as a browser does before it sends JSON with a token and a trace context."""
    wanted = "authorization,content-type,traceparent"
    headers = {"origin": origin, "access-control-request-method": "POST"}
    headers["access-control-request-headers"] = wanted
    return httpx.options(f"{pipeline.collector.endpoint}/v1/traces", headers=headers)


def post(pipeline: Pipeline, origin: str) -> httpx.Response:
    """Send a span as JSON from a page."""
    headers = {"origin": origin, "content-type": "application/json", **TOKEN}
    return httpx.post(f"{pipeline.collector.endpoint}/v1/traces", content=BODY, headers=headers)


@pytest.mark.parametrize("origin", [PAGES, ANYWHERE])
def test_a_page_of_an_allowed_origin_can_send(pipeline: Pipeline, origin: str) -> None:
    answer = preflight(pipeline, origin)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
    assert {"authorization", "content-type", "traceparent"} <= set(allowed)

    sent = post(pipeline, origin)
    assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (200, origin)
    pipeline.logfire.wait_for_span("click")


def test_a_page_of_another_origin_gets_no_permission(pipeline: Pipeline) -> None:
    for origin in ("https://shop.example.evil.example", "http://shop.example", "null"):
        for answer in (preflight(pipeline, origin), post(pipeline, origin)):
            allows = [name for name in answer.headers if name.startswith("access-control-allow")]
            assert not allows, origin


@pytest.mark.parametrize("overlays", [(), ("overlays/browser",)], ids=["overlay", "variable"])
def test_without_overlay_or_variable_no_page_gets_permission(
    start_pipeline: StartPipeline, overlays: tuple[str, ...]
) -> None:
    answer = preflight(start_pipeline(*DEVELOPMENT, *overlays), PAGES)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers
