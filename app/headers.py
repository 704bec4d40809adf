"""Standard variables for server spans: requests without a span, and headers to capture.

`OTEL_PYTHON_FASTAPI_EXCLUDED_URLS` (or `OTEL_PYTHON_EXCLUDED_URLS`), and
`OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST`, `..._SERVER_RESPONSE` and
`..._SANITIZE_FIELDS`: comma-separated lists of patterns. None is set by default.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence

from opentelemetry.propagators.textmap import Getter
from opentelemetry.util.http import (
    OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS,
    OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST,
    OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE,
    SanitizeValue,
    get_custom_headers,
    get_excluded_urls,
    normalise_request_header_name,
    normalise_response_header_name,
)
from starlette.datastructures import URL
from starlette.types import Scope

Headers = Sequence[tuple[bytes, bytes]]
Attributes = dict[str, list[str]]


class ScopeHeadersGetter(Getter[Headers]):
    def get(self, carrier: Headers, key: str) -> list[str] | None:
        name = key.lower().encode()
        return [value.decode("latin-1") for given, value in carrier if given == name] or None

    def keys(self, carrier: Headers) -> list[str]:
        return [name.decode("latin-1") for name, _ in carrier]


class HeaderCapture:
    """The variables, read when the application is created."""

    def __init__(self) -> None:
        self.request = get_custom_headers(OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST)
        self.response = get_custom_headers(
            OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE
        )
        self._sanitize = SanitizeValue(
            get_custom_headers(OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS)
        )
        names = ("OTEL_PYTHON_FASTAPI_EXCLUDED_URLS", "OTEL_PYTHON_EXCLUDED_URLS")
        self._excluding = any(os.environ.get(name) for name in names)
        self._excluded = get_excluded_urls("FASTAPI")

    def excludes(self, scope: Scope) -> bool:
        return self._excluding and self._excluded.url_disabled(str(URL(scope=scope)))

    def of_request(self, headers: Headers) -> Attributes:
        return self._of(headers, self.request, normalise_request_header_name)

    def of_response(self, headers: Headers) -> Attributes:
        return self._of(headers, self.response, normalise_response_header_name)

    def _of(self, headers: Headers, wanted: list[str], rename: Callable[[str], str]) -> Attributes:
        if not wanted:
            return {}
        values: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in headers:
            values[name.decode("latin-1")].append(value.decode("latin-1"))
        return self._sanitize.sanitize_header_values(values, wanted, rename)
