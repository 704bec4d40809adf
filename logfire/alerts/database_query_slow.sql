-- Returns a row if the mean duration of Postgres queries exceeds the threshold, in seconds. trace_id
-- is a slow query's. By statement: logfire/queries/slow_database_statements.sql.
WITH asked AS (
  SELECT
    trace_id,
    duration,
    duration > ${threshold} AS is_slow,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE kind = 'span' AND attributes->>'db.system.name' = 'postgresql'
    AND COALESCE(service_name, '') <> 'agentical-doctor'
),
queries AS (
  SELECT
    SUM(adjusted_count) AS queries,
    SUM(adjusted_count) FILTER (WHERE is_slow) AS slow,
    SUM(adjusted_count * duration) / SUM(adjusted_count) AS mean_seconds,
    MAX(trace_id) FILTER (WHERE is_slow) AS trace_id
  FROM asked
)
SELECT queries, slow, mean_seconds, trace_id
FROM queries
WHERE slow >= ${min_slow} AND mean_seconds > ${threshold}
