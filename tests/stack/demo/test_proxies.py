"""A proxy in the environment: nothing on loopback goes through it, and Logfire does."""

import re
from pathlib import Path

import pytest
from otelcol_runner.ports import free_port

from stack.clients import http
from stack.errors import UserError
from stack.services.stand_in import StandIn
from tests.stack.demo.test_demo import Demo, folder  # noqa: F401 - a fixture
from tests.support.proxy import RecordingProxy

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
PROXIES = (*NAMES, *map(str.lower, NAMES))
# The others are on 127.0.0.1. A machine without IPv6 fails this test with a sentence that says so.
ON_IPV6 = ("API_PORT", "OTLP_HTTP_LISTEN", "SELF_METRICS_PORT", "GUARD_LISTEN", "PROMETHEUS_LISTEN")
LOGFIRE = "http://logfire.invalid"


@pytest.fixture(autouse=True)
def no_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make sure that no host is excluded by the environment of the tests."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_the_demo_uses_a_proxy_for_logfire_and_for_nothing_else(
    folder: Path,  # noqa: F811
    stand_in: StandIn,
) -> None:
    with RecordingProxy(stand_in.port) as proxy:
        demo = Demo(
            folder,
            DURATION="5",
            LOGFIRE_TOKEN=stand_in.write_token,
            LOGFIRE_ENDPOINT=LOGFIRE,
            LOGFIRE_READ_TOKEN=stand_in.read_token,
            **{name: f"[::1]:{free_port()}" for name in ON_IPV6},
            **dict.fromkeys(PROXIES, proxy.url),
        )
        assert demo.ended() == 0, demo.said()
    asked = set(proxy.asked)
    # The collector's exports, by the guard, and the demo's queries.
    assert {f"POST {LOGFIRE}{path}" for path in ("/v1/traces", "/v1/logs", "/v2/query")} <= asked
    assert not [one for one in asked if not re.match(rf"\w+ {LOGFIRE}[:/]", one)]


def test_a_proxy_that_python_cannot_use_does_not_matter_on_loopback(
    monkeypatch: pytest.MonkeyPatch, stand_in: StandIn
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret-of-a-proxy@proxy.invalid:1080")
    assert http.get(f"{stand_in.url}/health").is_success
    with pytest.raises(UserError, match="ALL_PROXY cannot be used") as refused:
        http.client(LOGFIRE)
    assert "secret" not in str(refused.value)
