"""A local stand-in for Logfire: OTLP in, SQL out, everything in memory.

It accepts traces, logs and metrics over OTLP/HTTP (protobuf) like the service: write token, gzip,
100 MB per request, records outside -24 h .. +1 h dropped. It answers `POST /v2/query` with the
service's columns, on the same query engine (DataFusion).

Limitations: it has no user interface, no accounts, no alerts, and no OTLP over gRPC or JSON. It
keeps the newest rows in memory and loses everything when it stops. It supports some of the columns
and SQL extensions (`->`, `->>`, `?`, `time_bucket`, level names), no pending spans, no message
summaries, no query timeout, and no session time zone. Where the service's documentation says
nothing, it guesses: a log record gets its own span id as a child of the span it was written in, and
its message is its body.
"""

# Not secret: they protect nothing, and only show that a token is sent.
WRITE_TOKEN, READ_TOKEN = "local-write-token", "local-read-token"
