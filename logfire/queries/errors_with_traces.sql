-- The newest errors with their traces: exceptions on spans and in logs, and failed spans.
SELECT
  start_timestamp,
  service_name,
  span_name,
  COALESCE(exception_type, otel_status_code) AS error,
  COALESCE(exception_message, otel_status_message) AS message,
  trace_id
FROM records
WHERE (is_exception OR otel_status_code = 'ERROR')
  AND COALESCE(service_name, '') <> 'agentical-doctor'
ORDER BY start_timestamp DESC
LIMIT 50
