-- Requests, error rate (5xx), and P50, P95 and P99 latency in seconds, by route; corrected for
-- sampling.
WITH served AS (
  SELECT
    http_method AS method,
    COALESCE(http_route, 'unmatched') AS route,
    duration,
    http_response_status_code >= 500 AS is_failed,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE http_method IS NOT NULL AND url_path IS NOT NULL
)
SELECT
  method,
  route,
  SUM(adjusted_count) AS requests,
  COALESCE(SUM(adjusted_count) FILTER (WHERE is_failed), 0) / SUM(adjusted_count) AS error_rate,
  approx_percentile_cont_with_weight(adjusted_count, 0.5) WITHIN GROUP (ORDER BY duration) AS p50,
  approx_percentile_cont_with_weight(adjusted_count, 0.95) WITHIN GROUP (ORDER BY duration) AS p95,
  approx_percentile_cont_with_weight(adjusted_count, 0.99) WITHIN GROUP (ORDER BY duration) AS p99
FROM served
GROUP BY method, route
ORDER BY requests DESC
