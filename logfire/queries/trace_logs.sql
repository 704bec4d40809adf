-- The logs of one trace in chronological order. trace_id is a string of 32 hex digits.
SELECT
  start_timestamp,
  service_name,
  level_name(level) AS level,
  message,
  exception_type,
  attributes,
  span_id
FROM records
WHERE trace_id = $trace_id AND kind = 'log'
ORDER BY start_timestamp
