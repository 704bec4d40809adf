-- Error rate (5xx) by route over time, corrected for sampling.
WITH served AS (
  SELECT
    time_bucket($resolution, start_timestamp) AS x,
    http_method || ' ' || COALESCE(http_route, 'unmatched') AS route,
    http_response_status_code >= 500 AS is_failed,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE http_method IS NOT NULL AND url_path IS NOT NULL
)
SELECT
  x,
  route,
  COALESCE(SUM(adjusted_count) FILTER (WHERE is_failed), 0) / SUM(adjusted_count) AS error_rate
FROM served
GROUP BY x, route
ORDER BY x
