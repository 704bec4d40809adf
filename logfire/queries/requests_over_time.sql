-- Number of requests by route over time, corrected for sampling.
SELECT
  time_bucket($resolution, start_timestamp) AS x,
  http_method || ' ' || COALESCE(http_route, 'unmatched') AS route,
  SUM(COALESCE((attributes->>'sampling.adjusted_count')::float, 1)) AS requests
FROM records
WHERE http_method IS NOT NULL AND url_path IS NOT NULL
GROUP BY x, route
ORDER BY x
