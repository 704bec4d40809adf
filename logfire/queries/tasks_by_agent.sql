-- Number of tasks, success rate and mean execution time in seconds, by agent and task type.
WITH executed AS (
  SELECT
    attributes->>'agent_id' AS agent_id,
    attributes->>'task_type' AS task_type,
    attributes->>'status' = 'success' AS is_success,
    duration,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE kind = 'span' AND span_name = 'agent_execution'
)
SELECT
  agent_id,
  task_type,
  SUM(adjusted_count) AS tasks,
  COALESCE(SUM(adjusted_count) FILTER (WHERE is_success), 0) / SUM(adjusted_count) AS success_rate,
  SUM(adjusted_count * duration) / SUM(adjusted_count) AS mean_seconds
FROM executed
GROUP BY agent_id, task_type
ORDER BY tasks DESC, agent_id, task_type
