"""A stand-in for Logfire on one machine: OTLP in, SQL out, nothing kept.

It takes traces, logs and metrics over OTLP/HTTP (protobuf) as the service does: write token, gzip,
100 MB a request, records outside -24 h .. +1 h dropped. It answers `POST /v2/query` with the
service's columns, on the same query engine (DataFusion).

It is not Logfire. It has no user interface, no accounts, no alerts, no OTLP over gRPC or JSON. It
keeps the newest rows in memory and forgets the rest, and everything when it stops. It knows a part
of the columns and of the SQL extensions (`->`, `->>`, `?`, `time_bucket`, level names), no pending
spans, no summaries of messages, no limit on a query's time, no time zone of a session. Where the
service's documentation is silent, it guesses: a log gets a span id of its own below the span it
was written in, and its message is its body.
"""

# Known to everybody: they keep nobody out, they only show that a token arrives.
WRITE_TOKEN, READ_TOKEN = "local-write-token", "local-read-token"
