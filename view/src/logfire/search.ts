// SQL of the searches on Logfire's table `records`. Each value that a person gives is quoted.
import { quoted, type Row } from "../api";
import { LEVELS, type Filters } from "./filters";
import { asNumber, asText, milliseconds } from "./values";

export const MOST = 100; // traces or logs in a list

// The name of a service as Prometheus has it.
const JOB = "CONCAT_WS('/', NULLIF(service_namespace, ''), service_name)";
const FAILED = "(is_exception OR COALESCE(otel_status_code, '') = 'ERROR')";
const SECONDS = "EXTRACT(EPOCH FROM MAX(end_timestamp)) - EXTRACT(EPOCH FROM MIN(start_timestamp))";
// The root, or where the trace enters what Logfire knows.
const ENTRY = "ORDER BY parent_span_id IS NULL DESC, start_timestamp";

/** Returns the services and routes of a time range, to choose from. */
export const CHOICES = `
SELECT ${JOB} AS job, http_method, http_route, COUNT(*) AS records
FROM records
GROUP BY job, http_method, http_route
ORDER BY records DESC
LIMIT 1000`;

export interface TraceRow {
  id: string;
  start: number; // milliseconds since 1970
  milliseconds: number;
  service: string;
  name: string;
  code: number | null;
  errors: number;
  spans: number;
  services: number;
  standsFor: number;
}

/**
 * Returns the query for traces in which one span has the service, route, code and text that are searched,
 * and which as a whole have the outcome and duration. Asks for one more than is shown.
 */
export function tracesSql(filters: Filters): string {
  const having = [...outcome(filters.status), ...durations(filters)];
  return `
SELECT
  trace_id,
  MIN(start_timestamp) AS started,
  ${SECONDS} AS seconds,
  COUNT(*) AS spans,
  COUNT(DISTINCT ${JOB}) AS services,
  COUNT(*) FILTER (WHERE ${FAILED}) AS errors,
  MAX((attributes->>'sampling.adjusted_count')::float) AS adjusted_count,
  FIRST_VALUE(${JOB} ${ENTRY}) AS service,
  FIRST_VALUE(span_name ${ENTRY}) AS name,
  FIRST_VALUE(http_response_status_code ${ENTRY}) AS code
FROM records
WHERE kind = 'span' AND trace_id IN (SELECT trace_id FROM records WHERE ${all(["kind = 'span'", ...ofSpan(filters)])})
GROUP BY trace_id
${having.length ? `HAVING ${all(having)}` : ""}
ORDER BY ${filters.sort === "slowest" ? "seconds" : "started"} DESC
LIMIT ${MOST + 1}`;
}

export const asTrace = (row: Row): TraceRow => ({
  id: asText(row["trace_id"]),
  start: milliseconds(row["started"]),
  milliseconds: asNumber(row["seconds"]) * 1000,
  service: asText(row["service"]),
  name: asText(row["name"]),
  code: row["code"] === null ? null : asNumber(row["code"]),
  errors: asNumber(row["errors"]),
  spans: asNumber(row["spans"]),
  services: asNumber(row["services"]),
  standsFor: asNumber(row["adjusted_count"] ?? 1),
});

/** Returns the query for logs, newest first. Asks for one more than is shown. */
export function logsSql({ jobs, level, text, trace }: Filters): string {
  const conditions = ["kind = 'log'", ...oneOf(jobs), ...containing(text)];
  if (Object.hasOwn(LEVELS, level)) conditions.push(`level >= ${LEVELS[level]}`);
  if (trace) conditions.push(`trace_id = ${quoted(trace.toLowerCase())}`);
  return `
SELECT ${ENTRY_COLUMNS}
FROM records
WHERE ${all(conditions)}
ORDER BY start_timestamp DESC
LIMIT ${MOST + 1}`;
}

const all = (conditions: string[]): string => conditions.join(" AND ");

function ofSpan({ jobs, route, status, text }: Filters): string[] {
  return [...oneOf(jobs), ...contains("CONCAT_WS(' ', http_method, http_route)", route), ...codes(status), ...containing(text)];
}

const oneOf = (jobs: string[]): string[] => (jobs.length ? [`${JOB} IN (${jobs.map(quoted).join(", ")})`] : []);

// Not LIKE, which gives % and _ in the text a meaning.
const contains = (column: string, text: string): string[] =>
  text ? [`STRPOS(LOWER(${column}), LOWER(${quoted(text)})) > 0`] : [];

const containing = (text: string): string[] => contains("CONCAT_WS(' ', span_name, message, exception_message)", text);

function codes(status: string): string[] {
  const [first, rest] = [Number(status[0]) * 100, status.slice(1).toLowerCase()];
  if (rest === "xx") return [`http_response_status_code BETWEEN ${first} AND ${first + 99}`];
  return /^\d{3}$/.test(status) ? [`http_response_status_code = ${status}`] : [];
}

function outcome(status: string): string[] {
  const comparison = { ok: "= 0", error: "> 0" }[status.toLowerCase()];
  return comparison ? [`COUNT(*) FILTER (WHERE ${FAILED}) ${comparison}`] : [];
}

function durations({ min, max }: Filters): string[] {
  const made: string[] = [];
  if (min) made.push(`${SECONDS} >= ${Number(min) / 1000}`);
  if (max) made.push(`${SECONDS} <= ${Number(max) / 1000}`);
  return made;
}

/** The columns that `asEntry` reads. */
export const ENTRY_COLUMNS = `
  kind, level, ${JOB} AS job, span_name, message, trace_id, span_id, parent_span_id, start_timestamp, end_timestamp,
  is_exception, exception_type, exception_message, exception_stacktrace, otel_status_code, otel_status_message,
  otel_events, otel_links, attributes, otel_scope_name, otel_resource_attributes`;
