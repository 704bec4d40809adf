"""The API against invalid requests: fuzzed from its OpenAPI description, and written by hand."""

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode

from stack.services.postgres import Postgres
from stack.services.redis import Redis
from tests.support.service import Service

# Implementation details: stack traces, files, SQL, classes, addresses, versions.
INSIDE = re.compile(
    r"Traceback|\.py\b|site-packages|SELECT |INSERT |asyncpg|redis\.|pydantic|starlette|uvicorn"
    r"|[a-z]Error\b|Exception|127\.0\.0\.1|Python/|/home/|/srv/",
)
TASK = {"task_type": "word_statistics", "text": "one"}


@pytest.fixture(scope="module")
def service(postgres: Postgres, redis: Redis) -> Iterator[Service]:
    with Service(postgres, redis, {"OTEL_SDK_DISABLED": "true"}) as service:
        yield service


def leaks(answer: Any) -> list[str]:
    """Return what a response reveals of the implementation, headers included."""
    return INSIDE.findall(f"{dict(answer.headers)} {answer.text}")


@pytest.mark.parametrize("mode", GenerationMode)
def test_fuzzed_requests_get_only_documented_responses(
    service: Service, mode: GenerationMode
) -> None:
    described = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    found = [operation.ok() for operation in described.get_all_operations()]  # type: ignore[union-attr]
    operations = {operation.label: operation for operation in found}
    assert len(operations) == 6
    if mode.is_negative:
        del operations["GET /health"]  # it has no input that could be invalid
    with requests.Session() as session:
        for operation in operations.values():
            fuzz(operation.as_strategy(generation_mode=mode), session)


def fuzz(cases: SearchStrategy[schemathesis.Case[Any]], session: requests.Session) -> None:
    """Send the same cases in every run, and apply all of the tool's checks to the responses."""

    @settings(
        max_examples=30, derandomize=True, deadline=None, suppress_health_check=[*HealthCheck]
    )
    @given(case=cases)
    def send(case: schemathesis.Case[Any]) -> None:
        answer = case.call(session=session, timeout=10)
        case.validate_response(answer)
        assert leaks(answer) == []

    send()


NESTED = b'{"text":' * 50_000
ODD = {
    "invalid UTF-8": b'{"text": "\xff\xfe"}',
    "half a surrogate": b'{"text": "\\ud800"}',
    "NUL": b'{"text": "\\u0000"}',
    "NaN": b'{"text": NaN}',
    "a number of 10,000 digits": b'{"text": ' + b"9" * 10_000 + b"}",
    "nested without end": NESTED,
    "nested lists": b"[" * 100_000 + b"]" * 100_000,
    "no JSON": b"{'text': 'single quotes'}",
    "nothing": b"",
    "null": b"null",
    "packed": b"\x1f\x8b\x08\x00",
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
def test_an_invalid_body_is_refused_with_a_sentence(service: Service, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = service.client.put("/documents/odd", content=body, headers=headers)

    assert answer.status_code in {400, 413, 422}
    assert answer.json().keys() == {"detail"}
    assert leaks(answer) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/documents/{'x' * 30_000}"),
        ("GET", "/documents/%00"),
        ("GET", "/documents/%ff%fe"),
        ("GET", "/documents/..%2f..%2fetc%2fpasswd"),
        ("GET", "/documents/a%0d%0aset-cookie:%20b=c"),
        ("GET", "/agents/'; DROP TABLE tasks; --/stats"),
        ("GET", f"/tasks/{2**200}"),
        ("GET", "/health/"),
        ("GET", "/no/such/path"),
        ("TRACE", "/health"),
        ("DELETE", "/documents/d1"),
        ("BREW", "/health"),
    ],
)
def test_an_invalid_path_is_refused_with_a_sentence(
    service: Service, method: str, path: str
) -> None:
    answer = service.client.request(method, path, headers={"host": "elsewhere.example"})

    assert answer.status_code in {404, 405, 422}
    assert answer.json().keys() == {"detail"}
    assert "elsewhere" not in f"{answer.headers} {answer.text}"
    assert "set-cookie" not in answer.headers
    assert leaks(answer) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/xml; charset=\xff"},
        {"content-encoding": "gzip"},
        {"traceparent": "00-" + "f" * 5_000},
        {"baggage": "a=" + "b" * 9_000},
        {"cookie": "\x01\x02"},
    ],
)
def test_unusual_headers_do_no_harm(service: Service, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    sent = [(b"content-type", b"application/json")] if "content-type" not in headers else []
    body = json.dumps(TASK).encode()
    answer = service.client.post("/agents/researcher/tasks", content=body, headers=sent + raw)

    assert answer.status_code in {202, 422}
    assert leaks(answer) == []


def test_the_last_of_duplicate_json_keys_counts(service: Service) -> None:
    body = b'{"text": "first", "text": "last"}'
    headers = {"content-type": "application/json"}
    service.client.put("/documents/twice", content=body, headers=headers).raise_for_status()
    assert service.client.get("/documents/twice").json() == {"text": "last"}


def test_a_body_of_unknown_length_is_refused_at_the_same_limit(service: Service) -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"text": "'
        for _ in range(300):
            yield b"x" * 1_000

    try:
        answer = service.client.put("/documents/endless", content=endless())
    except httpx.WriteError:  # it refused before the body was read
        return
    assert answer.status_code == 413


PUT = b"PUT /documents/raw HTTP/1.1\r\nhost: api\r\ncontent-type: application/json\r\n"
RAW = {
    "shorter than its body": PUT + b'content-length: 5\r\n\r\n{"text": "longer"}',
    "no number": PUT + b"content-length: many\r\n\r\n",
    "negative": PUT + b"content-length: -1\r\n\r\n",
    "two lengths": PUT + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "length and chunks": PUT + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "no chunk": PUT + b"transfer-encoding: chunked\r\n\r\nnot hexadecimal\r\n",
    "a header of 100 kB": PUT + b"x-large: " + b"y" * 100_000 + b"\r\n\r\n",
    "NUL in a header": PUT + b"x-odd: a\0b\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("request_", RAW.values(), ids=RAW.keys())
def test_a_request_that_is_not_http_is_refused(service: Service, request_: bytes) -> None:
    port = int(service.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request_)
        answer = connection.recv(65536)
    assert re.match(rb"HTTP/1\.1 4\d\d ", answer), answer
    assert INSIDE.findall(answer.decode()) == []


def test_the_page_of_documentation_loads_every_file_from_the_api(service: Service) -> None:
    with httpx.Client(base_url=service.url) as client:
        page = client.get("/docs").text
        files = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert len(files) == 3, page
        assert [client.get(file).status_code for file in files] == [200, 200, 200], files
    assert "https://" not in page
