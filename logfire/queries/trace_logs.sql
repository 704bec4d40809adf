-- The logs of one trace, in their order. $trace_id is 32 hex digits in quotes.
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
