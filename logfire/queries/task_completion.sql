-- Completion rate (executed / queued) and success rate (succeeded / executed) of tasks. Tasks that
-- are still queued, or were queued before the time range, make the completion rate differ from 1.
WITH steps AS (
  SELECT
    attributes->>'messaging.operation.name' = 'send' AS is_queued,
    span_name = 'agent_execution' AS is_done,
    span_name = 'agent_execution' AND attributes->>'status' = 'success' AS is_success,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE kind = 'span'
    AND (span_name = 'agent_execution' OR attributes->>'messaging.operation.name' = 'send')
),
tasks AS (
  SELECT
    COALESCE(SUM(adjusted_count) FILTER (WHERE is_queued), 0) AS queued,
    COALESCE(SUM(adjusted_count) FILTER (WHERE is_done), 0) AS completed,
    COALESCE(SUM(adjusted_count) FILTER (WHERE is_success), 0) AS succeeded
  FROM steps
)
SELECT
  queued,
  completed,
  completed / NULLIF(queued, 0) AS completion_rate,
  succeeded / NULLIF(completed, 0) AS success_rate
FROM tasks
