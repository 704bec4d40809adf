// A span or a log: a row of Logfire's table `records`.
import type { Row } from "../api";
import { levelName } from "./filters";
import { asList, asObject, asText, milliseconds } from "./values";

export interface Exception {
  type: string;
  message: string;
  stack: string;
}

export interface SpanEvent {
  name: string;
  time: number;
  attributes: Record<string, unknown>;
}

export interface Entry {
  isLog: boolean;
  level: string;
  service: string;
  name: string;
  message: string;
  traceId: string;
  spanId: string;
  parentId: string;
  start: number; // milliseconds since 1970
  end: number;
  failed: boolean;
  status: string;
  exceptions: Exception[];
  events: SpanEvent[];
  links: { traceId: string; spanId: string; attributes: Record<string, unknown> }[];
  attributes: Record<string, unknown>;
  scope: string;
  resource: Record<string, unknown>;
}

export function asEntry(row: Row): Entry {
  const text = (name: string): string => asText(row[name]);
  const events = eventsOf(row);
  const exceptions = exceptionsOf(row, events);
  const [code, said] = [text("otel_status_code"), text("otel_status_message")];
  return {
    isLog: text("kind") === "log",
    level: levelName(row["level"]),
    service: text("job"),
    name: text("span_name"),
    message: text("message") || text("span_name"),
    traceId: text("trace_id"),
    spanId: text("span_id"),
    parentId: text("parent_span_id"),
    start: milliseconds(row["start_timestamp"]),
    end: milliseconds(row["end_timestamp"] ?? row["start_timestamp"]),
    failed: code === "ERROR" || exceptions.length > 0,
    status: [code || "not set", said].filter(Boolean).join(": "),
    exceptions,
    events,
    links: asList(row["otel_links"]).map((link) => ({
      traceId: asText(link["trace_id"]),
      spanId: asText(link["span_id"]),
      attributes: asObject(link["attributes"]),
    })),
    attributes: asObject(row["attributes"]),
    scope: text("otel_scope_name"),
    resource: asObject(row["otel_resource_attributes"]),
  };
}

const eventsOf = (row: Row): SpanEvent[] =>
  asList(row["otel_events"]).map((event) => ({
    name: asText(event["event_name"]),
    time: moment(event["event_timestamp"]),
    attributes: asObject(event["attributes"]),
  }));

// The time of an event is nanoseconds or, as other times, text.
const moment = (time: unknown): number => (typeof time === "number" ? time / 1e6 : milliseconds(time));

function exceptionsOf(row: Row, events: SpanEvent[]): Exception[] {
  const recorded = events.filter(({ name }) => name === "exception").map(({ attributes }) => asException(attributes, "exception."));
  if (recorded.length) return recorded;
  return row["is_exception"] ? [asException(row, "exception_")] : [];
}

const asException = (from: Record<string, unknown>, prefix: string): Exception => ({
  type: asText(from[`${prefix}type`]) || "Exception",
  message: asText(from[`${prefix}message`]),
  stack: asText(from[`${prefix}stacktrace`]).trim(),
});
