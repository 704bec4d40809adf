// One line a signal: what the collector receives, what each backend takes, what waits and what is lost.
import { sql } from "../../api";
import { number, valueOf, type Named } from "../named";

export type Signal = "traces" | "logs" | "metrics";
export const SIGNALS: readonly Signal[] = ["traces", "logs", "metrics"];
const ITEMS: Record<Signal, string> = { traces: "spans", logs: "log_records", metrics: "metric_points" };

// Exporters between two collectors, or between two pipelines of one, and the sampling window: not backends.
const INNER = "otlp_grpc/metrics_buffer|otlp_grpc/gateway|load_balancing/gateways|file/window";

const received = (signal: "traces" | "logs"): string =>
  `sum(rate(otelcol_receiver_accepted_${ITEMS[signal]}_total{receiver!~"otlp/(agents|window)"}[1m]))`;
const sent = (signal: Signal): string =>
  `sum by (exporter) (rate(otelcol_exporter_sent_${ITEMS[signal]}_total{exporter!~"${INNER}"}[1m]))`;

export const QUERIES = {
  traces: received("traces"),
  logs: received("logs"),
  // Points arrive on three paths (prometheus/rules/ledger.yml) and are renamed, created and merged on the
  // way: counted where the routes begin.
  metrics:
    'sum(label_replace(sum(rate(otelcol_processor_outgoing_items_total{processor="redaction", otel_signal="metrics"}[1m])), "way", "otlp", "", "")' +
    ' or label_replace(sum(rate(otelcol_receiver_accepted_metric_points_total{receiver!~"(otlp|kafka)(/.+)?"}[1m])), "way", "infrastructure", "", "")' +
    ' or label_replace(sum(rate(otelcol_processor_outgoing_items_total{processor="filter/self"}[1m])), "way", "self", "", ""))',
  sentTraces: sent("traces"),
  sentLogs: sent("logs"),
  sentMetrics: sent("metrics"),
  queue: "max by (data_type) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)",
  refused: "signal:ledger_refused:sum",
  dropped: "sum by (signal) (signal_hop_reason:ledger_dropped:sum)",
  unaccounted: "sum by (signal) (min_over_time(signal_hop:ledger_unaccounted:sum[5m]) > 0)",
  sampledOut:
    'sum by (signal) (signal_hop:ledger_sampled_out:sum{hop="stages"}) / sum by (signal) (signal_hop:ledger_received:sum{hop="stages"} > 0)',
  newest: "time() - max(timestamp(otelcol_process_uptime_seconds_total))",
};

export interface Flow {
  signal: Signal;
  received: number | undefined;
  sent: { backend: string; rate: number }[];
  sampledOut: number;
  queue: number | undefined;
  refused: number;
  dropped: number;
  unaccounted: number;
  newest: number | undefined;
}

export function flows(answer: Named<keyof typeof QUERIES>): Flow[] {
  const rates = { traces: answer.sentTraces, logs: answer.sentLogs, metrics: answer.sentMetrics };
  return SIGNALS.map((signal) => ({
    signal,
    received: valueOf(answer[signal]),
    sent: rates[signal].map((each) => ({ backend: backend(each.metric["exporter"] ?? ""), rate: number(each) })),
    sampledOut: valueOf(answer.sampledOut, { signal }) ?? 0,
    queue: valueOf(answer.queue, { data_type: signal }),
    refused: valueOf(answer.refused, { signal }) ?? 0,
    dropped: valueOf(answer.dropped, { signal }) ?? 0,
    unaccounted: valueOf(answer.unaccounted, { signal }) ?? 0,
    newest: signal === "metrics" ? valueOf(answer.newest) : undefined,
  }));
}

/** Returns the backend of an exporter: `otlp_http/logfire` sends to Logfire. */
function backend(exporter: string): string {
  if (exporter.startsWith("prometheus")) return "Prometheus";
  const name = exporter.replace(/^[^/]+\//, "").replaceAll("_", " ");
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** What Logfire got in the last minute, and the age of its newest record in seconds. */
export interface Arrived {
  lastMinute: number;
  newest: number;
}

export type Arrivals = Partial<Record<Signal, Arrived>>;

const LOOKBACK = 15 * 60_000; // milliseconds
const ARRIVED = `
  SELECT kind, COUNT(*) FILTER (WHERE created_at > now() - INTERVAL '1 minute') AS last_minute,
    EXTRACT(EPOCH FROM now() - MAX(created_at)) AS newest
  FROM records WHERE kind IN ('span', 'log') GROUP BY kind`;

/** Asks Logfire for what arrived lately; a signal of which nothing did is left out. */
export async function arrived(): Promise<Arrivals> {
  const end = new Date();
  const rows = await sql(ARRIVED, { start: new Date(+end - LOOKBACK), end: new Date(+end + 60_000) });
  return Object.fromEntries(
    rows.map((row) => [
      row["kind"] === "span" ? "traces" : "logs",
      { lastMinute: Number(row["last_minute"]), newest: Math.max(0, Number(row["newest"])) },
    ]),
  );
}
