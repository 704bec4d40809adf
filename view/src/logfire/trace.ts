// One trace: its query, and what the page shows of it.
import type { otlpcommonv1, otlptracev1 } from "@perses-dev/core";
import { quoted, sql, type Range } from "../api";
import { asEntry, type Entry, type Exception } from "./entries";
import { ENTRY_COLUMNS } from "./search";
import { asText } from "./values";

const HOURS = [1, 24, 30 * 24]; // Logfire keeps records for 30 days, unless the plan says otherwise
const MOST = 10_000; // rows in an answer of Logfire

export interface Trace {
  id: string;
  spans: Entry[];
  logs: Entry[];
  isCut: boolean; // there are more rows than an answer can have
}

export interface Raised extends Exception {
  service: string;
  spanId: string;
}

/**
 * Returns a trace, or null if there is none. Logfire wants a time range: a short one comes first, and a
 * longer one follows while there is nothing or a span's parent is missing.
 */
export async function findTrace(id: string, given: Range | null): Promise<Trace | null> {
  let best: Trace | null = null;
  for (const range of [...(given ? [given] : []), ...HOURS.map(last)]) {
    const rows = await sql(traceSql(id), range, MOST);
    if (rows.length > count(best)) best = asTraceOf(id, rows.map(asEntry));
    if (best && isWhole(best)) break;
  }
  return best;
}

export const traceSql = (id: string): string =>
  `SELECT ${ENTRY_COLUMNS} FROM records WHERE trace_id = ${quoted(id)} ORDER BY start_timestamp`;

// Clocks differ: Logfire takes records of up to one hour ahead.
function last(hours: number): Range {
  const now = Date.now();
  return { start: new Date(now - hours * 3_600_000), end: new Date(now + 3_600_000) };
}

const count = (trace: Trace | null): number => (trace ? trace.spans.length + trace.logs.length : 0);

function asTraceOf(id: string, entries: Entry[]): Trace {
  const [spans, logs] = [entries.filter(({ isLog }) => !isLog), entries.filter(({ isLog }) => isLog)];
  return { id, spans, logs, isCut: entries.length >= MOST };
}

function isWhole({ spans, isCut }: Trace): boolean {
  const known = new Set(spans.map(({ spanId }) => spanId));
  return isCut || (spans.length > 0 && spans.every(({ parentId }) => !parentId || known.has(parentId)));
}

/** Returns start and end in milliseconds since 1970. */
export function bounds({ spans, logs }: Trace): [number, number] {
  const entries = [...spans, ...logs];
  return [
    entries.reduce((least, { start }) => Math.min(least, start), Infinity),
    entries.reduce((most, { end }) => Math.max(most, end), -Infinity),
  ];
}

/** Returns the span that a log was written in, if the trace has it. */
export function spanOf(log: Entry, spans: Entry[]): Entry | undefined {
  return spans.find(({ spanId }) => spanId === log.parentId) ?? spans.find(({ spanId }) => spanId === log.spanId);
}

/** Returns the exceptions; one that a span has and a log repeats is shown once. */
export function exceptions({ spans, logs }: Trace): Raised[] {
  const found = new Map<string, Raised>();
  for (const entry of [...spans, ...logs]) {
    const spanId = entry.isLog ? (spanOf(entry, spans)?.spanId ?? "") : entry.spanId;
    for (const raised of entry.exceptions) {
      const key = JSON.stringify([spanId, raised.message, raised.stack]);
      if (!found.has(key)) found.set(key, { ...raised, service: entry.service, spanId });
    }
  }
  return [...found.values()];
}

/** Returns the trace in the form of OTLP/JSON, which the waterfall reads; logs are events of their spans. */
export function asOtlp({ spans, logs }: Trace): otlptracev1.TracesData {
  const written = new Map<string, Entry[]>();
  for (const log of logs) {
    const spanId = spanOf(log, spans)?.spanId ?? "";
    written.set(spanId, [...(written.get(spanId) ?? []), log]);
  }
  return {
    resourceSpans: spans.map((span) => ({
      resource: { attributes: keyValues({ ...span.resource, "service.name": span.service }) },
      scopeSpans: [{ spans: [asOtlpSpan(span, written.get(span.spanId) ?? [])] }],
    })),
  };
}

function asOtlpSpan(span: Entry, logs: Entry[]): otlptracev1.Span {
  const said = logs.map(({ message, start, attributes, level }) => ({ name: message, time: start, attributes: { level, ...attributes } }));
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentId,
    name: span.name,
    startTimeUnixNano: nanoseconds(span.start),
    endTimeUnixNano: nanoseconds(span.end),
    attributes: keyValues({ ...span.attributes, "otel.status": span.status, "otel.kind": kindOf(span) }),
    status: span.failed ? { code: "STATUS_CODE_ERROR" } : {},
    events: [...span.events, ...said].map(({ name, time, attributes }) => ({
      name,
      timeUnixNano: nanoseconds(time),
      attributes: keyValues(attributes),
    })),
    links: span.links.map((link) => ({ ...link, attributes: keyValues(link.attributes) })),
  };
}

/** Returns the kind of a span as its attributes tell it, because Logfire does not store it. */
function kindOf({ attributes }: Entry): string {
  const has = (...names: string[]): boolean => names.some((name) => name in attributes);
  const operation = asText(attributes["messaging.operation.type"] ?? attributes["messaging.operation.name"]);
  if (operation) return ["send", "publish", "create"].includes(operation) ? "producer" : "consumer";
  if (has("http.request.method", "http.method")) return has("url.path", "http.target") ? "server" : "client";
  return has("db.system.name", "db.system", "rpc.system") ? "client" : "internal";
}

const nanoseconds = (ms: number): string => `${Math.round(ms * 1000)}000`;

const keyValues = (values: Record<string, unknown>): otlpcommonv1.KeyValue[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));

// The waterfall shows no fractions and no objects.
function anyValue(value: unknown): otlpcommonv1.AnyValue {
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { stringValue: asText(value) };
}
