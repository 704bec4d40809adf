// Several instant queries as one request: each series has the name of its query as the label `is`.
import { promql, type Sample } from "../api";

export type Named<Name extends string> = Record<Name, Sample[]>;

/** Returns the series of each query; one that cannot be parsed fails all. */
export async function named<Name extends string>(queries: Record<Name, string>): Promise<Named<Name>> {
  const names = Object.keys(queries) as Name[];
  const expr = names.map((name) => `label_replace(${queries[name]}, "is", "${name}", "", "")`).join(" or ");
  const found = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Named<Name>;
  for (const sample of await promql(expr)) found[sample.metric["is"] as Name].push(sample);
  return found;
}

export const number = (sample: Sample): number => Number(sample.value[1]);

/** Returns the value of the first series with these labels. */
export function valueOf(samples: Sample[], labels: Record<string, string> = {}): number | undefined {
  const found = samples.find(({ metric }) => Object.entries(labels).every(([name, value]) => (metric[name] ?? "") === value));
  return found && number(found);
}
