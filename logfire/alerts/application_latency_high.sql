-- Services with too large a share of requests above the threshold, in seconds. This is equivalent to
-- a percentile above the threshold, but exact: percentiles of weighted rows are estimates. trace_id is
-- a slow request's.
WITH served AS (
  SELECT
    service_name,
    trace_id,
    duration > ${threshold} AS is_slow,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE http_method IS NOT NULL AND url_path IS NOT NULL
    AND COALESCE(service_name, '') <> 'agentical-doctor'
),
services AS (
  SELECT
    service_name,
    SUM(adjusted_count) AS requests,
    SUM(adjusted_count) FILTER (WHERE is_slow) AS slow,
    MAX(trace_id) FILTER (WHERE is_slow) AS trace_id
  FROM served
  GROUP BY service_name
)
SELECT service_name, requests, slow, slow / requests AS slow_share, trace_id
FROM services
WHERE slow >= ${min_slow} AND slow > ${slow_share} * requests
ORDER BY slow_share DESC
