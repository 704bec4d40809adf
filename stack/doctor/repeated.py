"""Finds services whose spans are exported twice: one instrumentation, but two exporters."""

from stack.doctor.backends import Backends, job_of

# A retry after a lost answer repeats a batch too, but not half of all spans.
SHARE = 0.5
# One row for each service. Pending spans, which have the ID of the later span, are of another kind.
REPEATED = """
WITH each AS (
  SELECT service_namespace, service_name, COUNT(*) AS copies
  FROM records WHERE kind = 'span'
  GROUP BY service_namespace, service_name, trace_id, span_id
)
SELECT service_namespace, service_name, COUNT(*) AS spans,
  SUM(CASE WHEN copies > 1 THEN 1 ELSE 0 END) AS repeated
FROM each GROUP BY service_namespace, service_name
"""


def exported_twice(backends: Backends) -> dict[str, str]:
    """Return a sentence for each service of which at least half of the spans arrive repeatedly."""
    return {
        job_of(row): sentence(row["repeated"], row["spans"])
        for row in backends.sql(REPEATED)
        if row["repeated"] >= SHARE * row["spans"]
    }


def sentence(repeated: int, spans: int) -> str:
    return (
        f"{repeated:,} of its {spans:,} spans arrive twice, and their requests are counted twice: "
        "remove one of two exporters (FASTAPI_OTEL_AUTO_CONFIGURE=true adds one to those of "
        "opentelemetry-instrument and logfire, OTEL_EXPORTER_OTLP_ENDPOINT one to LOGFIRE_BASE_URL)"
    )
