// Queries to start from; those in SQL are short forms of logfire/queries.
export type Lang = "promql" | "sql";

export interface Example {
  title: string;
  query: string;
}

const WEIGHT = "COALESCE((attributes->>'sampling.adjusted_count')::float, 1)";

export const EXAMPLES: Record<Lang, readonly Example[]> = {
  promql: [
    { title: "Requests by route", query: "sum by (endpoint) (rate(agentical_requests_total[1m]))" },
    { title: "P95 latency", query: "histogram_quantile(0.95, sum by (job, le) (rate(agentical_request_duration_seconds_bucket[1m])))" },
    { title: "Tasks by status", query: "sum by (task_type, status) (rate(agentical_agent_tasks_total[1m]))" },
    { title: "Error budgets", query: "slo:error_budget_remaining:ratio" },
    { title: "What the collector sends", query: 'sum by (exporter) (rate({__name__=~"otelcol_exporter_sent_.+_total"}[1m]))' },
    { title: "Losses", query: "signal_hop_reason:ledger_dropped:sum > 0" },
    { title: "Active alerts", query: "ALERTS" },
  ],
  sql: [
    {
      title: "Newest errors",
      query: `SELECT start_timestamp, service_name, span_name, exception_type, exception_message, trace_id
FROM records
WHERE is_exception OR otel_status_code = 'ERROR'
ORDER BY start_timestamp DESC
LIMIT 50`,
    },
    {
      title: "Slowest requests",
      query: `SELECT start_timestamp, service_name, http_method, http_route, duration, trace_id
FROM records
WHERE http_method IS NOT NULL AND url_path IS NOT NULL
ORDER BY duration DESC
LIMIT 20`,
    },
    {
      title: "Requests by route",
      query: `SELECT http_method, COALESCE(http_route, 'unmatched') AS route,
  SUM(${WEIGHT}) AS requests,
  AVG(duration) AS seconds
FROM records
WHERE http_method IS NOT NULL AND url_path IS NOT NULL
GROUP BY http_method, route
ORDER BY requests DESC`,
    },
    {
      title: "Slow statements",
      query: `SELECT attributes->>'db.query.text' AS statement,
  SUM(${WEIGHT}) AS calls, MAX(duration) AS longest_seconds,
  FIRST_VALUE(trace_id ORDER BY duration DESC) AS trace_id
FROM records
WHERE kind = 'span' AND attributes->>'db.system.name' = 'postgresql'
GROUP BY statement
ORDER BY longest_seconds DESC
LIMIT 20`,
    },
    {
      title: "Newest logs",
      query: `SELECT start_timestamp, level, service_name, message, trace_id
FROM records
WHERE kind = 'log'
ORDER BY start_timestamp DESC
LIMIT 100`,
    },
    { title: "Records by kind", query: "SELECT service_name, kind, COUNT(*) AS records\nFROM records\nGROUP BY service_name, kind\nORDER BY records DESC" },
  ],
};
