-- Returns a row if the failure rate of agent tasks is too high. trace_id is a failed task's. By agent
-- and task type: logfire/queries/tasks_by_agent.sql.
WITH executed AS (
  SELECT
    trace_id,
    attributes->>'status' = 'error' AS is_failed,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE kind = 'span' AND span_name = 'agent_execution'
    AND COALESCE(service_name, '') <> 'agentical-doctor'
),
tasks AS (
  SELECT
    SUM(adjusted_count) AS tasks,
    SUM(adjusted_count) FILTER (WHERE is_failed) AS failed,
    MAX(trace_id) FILTER (WHERE is_failed) AS trace_id
  FROM executed
)
SELECT tasks, failed, failed / tasks AS failure_rate, trace_id
FROM tasks
WHERE failed >= ${min_failed} AND failed > ${threshold} * tasks
