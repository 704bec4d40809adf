import pytest
from otelcol_runner.sender import Sender

from alerts.model import matrix
from stack.services.stand_in import StandIn
from tests.alerts.logfire.traffic import served
from tests.stack.conftest import Agentical


@pytest.fixture
def asked(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setenv("LOGFIRE_QUERY_ENDPOINT", stand_in.url)
    monkeypatch.setenv("LOGFIRE_READ_TOKEN", stand_in.read_token)
    return stand_in


def test_no_alert_fires_on_a_healthy_pipeline(asked: StandIn, agentical: Agentical) -> None:
    done = agentical("alerts")
    assert done.code == 0
    names = [alert.name for alert in matrix().alerts if alert.logfire is not None]
    assert all(name in done.out for name in names)
    assert "yes" not in done.out


def test_an_alert_that_fires_is_shown_with_its_reason(asked: StandIn, agentical: Agentical) -> None:
    authorization = {"authorization": f"Bearer {asked.write_token}"}
    Sender(asked.url).send(*served(0, 5), headers=authorization)
    done = agentical("alerts")
    assert done.code == 1
    assert done.out.count("yes") == 1
    (line,) = (line for line in done.out.splitlines() if "yes" in line)
    assert "ApplicationErrorRateHigh" in line
    assert "service_name test-service, requests 5.0, failed 5.0, error_rate 1.0" in line
