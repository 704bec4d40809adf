-- Failed connections to Postgres and Redis, by service and logged reason. No weights: warnings
-- are never sampled.
SELECT
  service_name,
  attributes->>'server' AS server,
  attributes->>'reason' AS reason,
  COUNT(*) AS failures,
  MIN(start_timestamp) AS first_seen,
  MAX(start_timestamp) AS last_seen
FROM records
WHERE kind = 'log' AND message LIKE 'Server lost%'
GROUP BY service_name, server, reason
ORDER BY last_seen DESC
