-- P95 latency by route over time, in seconds, corrected for sampling.
WITH served AS (
  SELECT
    time_bucket($resolution, start_timestamp) AS x,
    http_method || ' ' || COALESCE(http_route, 'unmatched') AS route,
    duration,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE http_method IS NOT NULL AND url_path IS NOT NULL
)
SELECT
  x,
  route,
  approx_percentile_cont_with_weight(adjusted_count, 0.95) WITHIN GROUP (ORDER BY duration) AS p95
FROM served
GROUP BY x, route
ORDER BY x
