-- Services with a high error rate (5xx). Requests are weighted by their adjusted count, because
-- sampling keeps every failed request but only a share of the others. trace_id is a failed request's.
WITH served AS (
  SELECT
    service_name,
    trace_id,
    http_response_status_code >= 500 AS is_failed,
    COALESCE((attributes->>'sampling.adjusted_count')::float, 1) AS adjusted_count
  FROM records
  WHERE http_method IS NOT NULL AND url_path IS NOT NULL
    AND COALESCE(service_name, '') <> 'agentical-doctor'
),
services AS (
  SELECT
    service_name,
    SUM(adjusted_count) AS requests,
    SUM(adjusted_count) FILTER (WHERE is_failed) AS failed,
    MAX(trace_id) FILTER (WHERE is_failed) AS trace_id
  FROM served
  GROUP BY service_name
)
SELECT service_name, requests, failed, failed / requests AS error_rate, trace_id
FROM services
WHERE failed >= ${min_failed} AND failed > ${threshold} * requests
ORDER BY error_rate DESC
