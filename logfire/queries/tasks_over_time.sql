-- Number of executed tasks by status over time, corrected for sampling.
SELECT
  time_bucket($resolution, start_timestamp) AS x,
  attributes->>'status' AS status,
  SUM(COALESCE((attributes->>'sampling.adjusted_count')::float, 1)) AS tasks
FROM records
WHERE kind = 'span' AND span_name = 'agent_execution'
GROUP BY x, status
ORDER BY x
