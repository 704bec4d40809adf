-- Number of requests, error rate and P95 latency in seconds, corrected for sampling. A span's
-- sampling.adjusted_count is the number of spans it represents. Without this weight, errors and slow
-- requests, which are always kept, would look many times more frequent than they are.
WITH served AS (
  SELECT
    duration,
    http_response_status_code AS status,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE http_method IS NOT NULL AND url_path IS NOT NULL
)
SELECT
  SUM(adjusted_count) AS requests,
  SUM(adjusted_count) FILTER (WHERE status >= 500) / SUM(adjusted_count) AS error_rate,
  approx_percentile_cont_with_weight(adjusted_count, 0.95) WITHIN GROUP (ORDER BY duration) AS p95
FROM served
