# Like otel/opentelemetry-collector-contrib: nothing but the binary, and not root.
FROM scratch
COPY otelcol /otelcol-contrib
USER 10001:10001
ENTRYPOINT ["/otelcol-contrib"]
