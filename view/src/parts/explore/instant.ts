// The answer of an instant query in any of Prometheus' result types, as lines of a table.
import { getJson } from "../../api";

export interface Line {
  labels: Record<string, string>;
  value: string;
}

type Point = [number, string];
type Series = { metric: Record<string, string>; value?: Point; values?: Point[]; histogram?: [number, { count: string; sum: string }] };
type Data = { resultType: string; result: Series[] | Point };

export interface Answer {
  lines: Line[];
  /** Whether it can be drawn over time: a range such as `x[5m]` and a text cannot. */
  isDrawable: boolean;
}

export async function instant(query: string, at: Date): Promise<Answer> {
  const body = new URLSearchParams({ query, time: `${+at / 1000}` });
  const { data } = await getJson<{ data: Data }>("/api/prometheus/api/v1/query", { method: "POST", body });
  const { resultType, result } = data;
  const lines = isPoint(result) ? [{ labels: {}, value: result[1] }] : result.map(asLine);
  return { lines, isDrawable: resultType === "vector" || resultType === "scalar" };
}

const isPoint = (result: Series[] | Point): result is Point => typeof result[0] === "number"; // a scalar or a string

function asLine({ metric, value, values = [], histogram }: Series): Line {
  if (histogram) return { labels: metric, value: `count ${histogram[1].count}, sum ${histogram[1].sum}` };
  return { labels: metric, value: value?.[1] ?? values.map((each) => each[1]).join(" ") };
}

/** Returns labels as PromQL writes them. */
export function written({ __name__: name = "", ...labels }: Record<string, string>): string {
  const found = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return found.length || !name ? `${name}{${found.join(", ")}}` : name;
}
