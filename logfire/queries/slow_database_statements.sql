-- The statements with the highest total time: calls, mean, maximum and total duration, and the trace
-- of the slowest call.
WITH asked AS (
  SELECT
    COALESCE(attributes->>'db.query.text', span_name) AS statement,
    trace_id,
    duration,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE kind = 'span' AND attributes->>'db.system.name' = 'postgresql'
)
SELECT
  statement,
  SUM(adjusted_count) AS calls,
  SUM(adjusted_count * duration) / SUM(adjusted_count) AS mean_seconds,
  MAX(duration) AS longest_seconds,
  SUM(adjusted_count * duration) AS total_seconds,
  FIRST_VALUE(trace_id ORDER BY duration DESC) AS trace_id
FROM asked
GROUP BY statement
ORDER BY total_seconds DESC
LIMIT 20
