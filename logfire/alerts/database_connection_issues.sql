-- Postgres, if the application lost it or did not reach it in too many slices of time. Slices, since
-- a count of failures says how many asked and not how long it lasted. No weight: logs are never
-- sampled, and a trace with an error is always kept.
WITH failures AS (
  SELECT trace_id, start_timestamp
  FROM records
  WHERE COALESCE(service_name, '') <> 'agentical-doctor'
    AND (
      (message LIKE 'Server lost%' AND attributes->>'server' = 'Postgres')
      OR (attributes->>'db.system.name' = 'postgresql' AND exception_type LIKE '%Connect%')
    )
),
outage AS (
  SELECT
    COUNT(*) AS failures,
    COUNT(DISTINCT time_bucket('${slice_seconds} seconds', start_timestamp)) AS slices,
    MAX(trace_id) AS trace_id
  FROM failures
)
SELECT failures, slices, trace_id
FROM outage
WHERE slices > ${threshold}
