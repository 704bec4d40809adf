-- Mean and maximum queue depth when a task was added, including that task.
WITH sent AS (
  SELECT
    time_bucket($resolution, start_timestamp) AS x,
    (attributes->>'messaging.queue.depth')::float AS depth,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE kind = 'span' AND attributes->>'messaging.queue.depth' IS NOT NULL
)
SELECT
  x,
  SUM(adjusted_count * depth) / SUM(adjusted_count) AS mean_depth,
  MAX(depth) AS highest_depth
FROM sent
GROUP BY x
ORDER BY x
