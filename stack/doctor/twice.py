"""Finds services whose requests are recorded by two instrumentations at once."""

from typing import NamedTuple

from stack.doctor.backends import Backends, job_of

# A span of a received request. The kind is not stored; by the semantic conventions only a SERVER
# span has a route, or a path without the full URL, or in the older ones the address that was asked
# for (`net.host.*`). The span of a request that is sent has none of them.
RECEIVED = """
  SELECT service_namespace, service_name, service_instance_id, process_pid, trace_id, span_id,
    parent_span_id, otel_scope_name, http_method, date_trunc('minute', start_timestamp) AS minute,
    COALESCE(url_path, split_part(attributes->>'http.target', '?', 1)) AS path
  FROM records
  WHERE kind = 'span' AND http_method IS NOT NULL AND otel_scope_name IS NOT NULL
    AND (http_route IS NOT NULL OR (url_path IS NOT NULL AND url_full IS NULL)
      OR attributes->>'net.host.port' IS NOT NULL OR attributes->>'net.host.name' IS NOT NULL)
"""
# Two instrumentations need not share a trace: without a caller's context each may start its own.
# What they share is the process, the minute, the method and the path, and one process has one
# instrumentation for a path. A request that a service sends to itself has one span in RECEIVED.
TWICE = f"""
WITH received AS ({RECEIVED}),
both AS (
  SELECT service_namespace, service_name, MIN(otel_scope_name) AS one,
    MAX(otel_scope_name) AS other, MIN(CONCAT(http_method, ' ', path)) AS example
  FROM received WHERE path IS NOT NULL AND path <> ''
  GROUP BY service_namespace, service_name, service_instance_id, process_pid, minute, http_method,
    path
  HAVING MIN(otel_scope_name) <> MAX(otel_scope_name)
)
SELECT service_namespace, service_name, one, other, MIN(example) AS example
FROM both GROUP BY service_namespace, service_name, one, other
"""  # noqa: S608 - no input
INSIDE = f"""
WITH received AS ({RECEIVED})
SELECT outer_span.service_namespace, outer_span.service_name,
  outer_span.otel_scope_name AS outer_scope, inner_span.otel_scope_name AS inner_scope
FROM received AS outer_span JOIN received AS inner_span
  ON outer_span.trace_id = inner_span.trace_id AND outer_span.span_id = inner_span.parent_span_id
WHERE outer_span.service_name = inner_span.service_name
  AND outer_span.otel_scope_name <> inner_span.otel_scope_name
  AND COALESCE(outer_span.service_instance_id, '') = COALESCE(inner_span.service_instance_id, '')
GROUP BY outer_span.service_namespace, outer_span.service_name, outer_span.otel_scope_name,
  inner_span.otel_scope_name
"""  # noqa: S608 - no input


class Twice(NamedTuple):
    """Two instrumentations of one service; with `nested`, the first one's span is the parent."""

    service: str
    scopes: tuple[str, str]
    example: str
    nested: bool

    @property
    def sentence(self) -> str:
        first, second = self.scopes
        if self.nested:
            return (
                f"each request has two spans, of the scope {first} and inside it of {second}, as "
                f"for {self.example}: turn one instrumentation off; if the inner span is of kind "
                "SERVER too, each request is counted twice"
            )
        return (
            f"each request is counted twice, by spans of the scopes {first} and {second}, as for "
            f"{self.example}: turn one of these instrumentations off"
        )


def instrumented_twice(backends: Backends) -> list[Twice]:
    """Return the services that two instrumentations record."""
    pairs = backends.sql(TWICE)
    if not pairs:
        return []
    inside = {(job_of(row), row["outer_scope"], row["inner_scope"]) for row in backends.sql(INSIDE)}
    found = []
    for row in pairs:
        service, one, other = job_of(row), row["one"], row["other"]
        reverse = (service, other, one) in inside
        scopes = (other, one) if reverse else (one, other)
        nested = reverse or (service, one, other) in inside
        found.append(Twice(service, scopes, row["example"], nested))
    return found
