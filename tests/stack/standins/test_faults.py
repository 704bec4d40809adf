import time

import httpx
import pytest

from stack.services.stand_in import StandIn
from tests.stack.standins.exports import post, span, traces


def test_a_slow_stand_in_delays_and_accepts_the_data(stand_in: StandIn) -> None:
    stand_in.fault(slow=0.3)
    begun = time.monotonic()
    assert post(stand_in, traces(span())).is_success
    assert time.monotonic() - begun >= 0.3
    assert stand_in.counts()["spans"] == 1


def test_a_stand_in_that_is_down_cuts_connections_or_answers_503(stand_in: StandIn) -> None:
    stand_in.fault(down="close")
    with pytest.raises(httpx.TransportError):
        post(stand_in, traces(span()))
    stand_in.fault(down="503", retry_after=2)
    answer = post(stand_in, traces(span()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert httpx.post(f"{stand_in.url}/v2/query", json={}).status_code == 503
    stand_in.fault()
    assert post(stand_in, traces(span())).is_success
    assert stand_in.counts()["spans"] == 1


def test_faults_set_the_status_and_poison_only_matching_bodies(
    stand_in: StandIn,
) -> None:
    stand_in.fault(refuse=429, retry_after=7)
    answer = post(stand_in, traces(span()))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    stand_in.fault(poison="arsenic")
    assert post(stand_in, traces(span(name="arsenic"))).status_code == 400
    assert post(stand_in, traces(span(name="water"))).is_success
    counts = stand_in.counts()
    assert (counts["requests"], counts["refused"], counts["spans"]) == (3, 2, 1)


def test_a_misspelt_fault_is_refused_with_its_name(stand_in: StandIn) -> None:
    answer = httpx.put(f"{stand_in.url}/control", json={"slwo": 1})
    assert (answer.status_code, "slwo" in answer.text) == (422, True)
