-- Returns a row if connections to Postgres failed in too many time slices. Slices measure how long it
-- lasted; a count of failures would measure traffic. No weights: warnings are never sampled, and a
-- trace with an error is always kept.
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
