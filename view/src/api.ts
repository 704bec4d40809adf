// What the page asks of its server, which passes it on to Prometheus, Logfire and Alertmanager.
import { useQuery, type UseQueryResult } from "@tanstack/react-query";

export interface Config {
  version: string;
  prometheus: boolean;
  logfire: boolean;
  logfire_is_stand_in: boolean;
  logfire_project_url: string | null;
  alertmanager: boolean;
  runbooks: string;
  swagger: string | null;
}

export interface BoardEntry {
  uid: string;
  title: string;
  backend: "prometheus" | "logfire";
  description: string;
}

export type Row = Record<string, unknown>;

export interface Range {
  start: Date;
  end: Date;
}

// A series of an instant query.
export interface Sample {
  metric: Record<string, string>;
  value: [number, string];
}

/** An answer that is not a success; the message is the backend's own. */
export class BackendError extends Error {}

export async function getJson<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init);
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (path.startsWith("/api/logfire") && [401, 403].includes(response.status)) {
    throw new BackendError(`Logfire rejected the read token (${response.status}): set LOGFIRE_READ_TOKEN for the page's server to a read token of this project and region.`);
  }
  if (!response.ok || body === undefined) {
    const { error, detail } = (body ?? {}) as { error?: string; detail?: string };
    throw new BackendError(error ?? detail ?? `${path} answered ${response.status} ${response.statusText}`);
  }
  return body as T;
}

/** Returns the series of an instant query; `at` is now by default. */
export async function promql(query: string, at?: Date): Promise<Sample[]> {
  const form = new URLSearchParams({ query, ...(at && { time: `${at.getTime() / 1000}` }) });
  const answer = await getJson<{ data: { result: Sample[] } }>("/api/prometheus/api/v1/query", {
    method: "POST",
    body: form,
  });
  return answer.data.result;
}

/** Returns the rows of a query on Logfire; the range is a condition on `start_timestamp`. */
export async function sql(query: string, range: Range, limit = 1000): Promise<Row[]> {
  const answer = await getJson<{ data: Row[] }>("/api/logfire/v2/query", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      sql: query,
      limit,
      min_timestamp: range.start.toISOString(),
      max_timestamp: range.end.toISOString(),
    }),
  });
  return answer.data;
}

/** Returns a value as an SQL string. */
export const quoted = (value: unknown): string => `'${String(value ?? "").replaceAll("'", "''")}'`;

export const useConfig = (): UseQueryResult<Config> =>
  useQuery({ queryKey: ["config"], queryFn: () => getJson<Config>("/api/config"), staleTime: Infinity });

export const useBoards = (): UseQueryResult<BoardEntry[]> =>
  useQuery({ queryKey: ["boards"], queryFn: () => getJson<BoardEntry[]>("/boards/index.json") });
