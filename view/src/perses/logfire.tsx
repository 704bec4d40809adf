// The kinds of query in Logfire's own dashboards, asked over its query API: at the service or the stand-in.
import type { ReactElement } from "react";
import type { TimeSeries, TimeSeriesData } from "@perses-dev/core";
import type { PanelPlugin, PanelProps, TimeSeriesQueryPlugin, VariableStateMap } from "@perses-dev/plugin-system";
import { quoted, sql, type Row } from "../api";
import { Rows } from "../parts/rows";
import { sayingWhyEmpty, type MaybeEmpty } from "./empty";

interface Spec {
  query: string;
  groupBy?: string;
  metrics?: string[];
}

const POINTS = 60; // of a line
const VARIABLE = /\$\{?(\w+)\}?/g;

/** Returns a query with its variables as SQL strings; `$resolution` is the width of a point. */
function filled(query: string, variables: VariableStateMap, step: number): string {
  return query.replace(VARIABLE, (all, name: string) => {
    if (name === "resolution") return `'${step} seconds'`;
    return name in variables ? quoted(variables[name]?.value) : all;
  });
}

const shared: Omit<TimeSeriesQueryPlugin<Spec>, "getTimeSeriesData"> = {
  dependsOn: (spec) => ({
    variables: [...spec.query.matchAll(VARIABLE)].map((found) => found[1]!).filter((name) => name !== "resolution"),
  }),
  OptionsEditorComponent: () => null,
  createInitialOptions: () => ({ query: "" }),
};

const lines: TimeSeriesQueryPlugin<Spec> = {
  ...shared,
  getTimeSeriesData: async (spec, context): Promise<TimeSeriesData> => {
    const range = context.timeRange;
    const step = Math.max(5, Math.ceil((+range.end - +range.start) / 1000 / POINTS / 5) * 5);
    const found = new Map<string, [number, number][]>();
    for (const row of await sql(filled(spec.query, context.variableState, step), range, 10_000)) {
      for (const metric of spec.metrics ?? []) {
        const name = nameOf(row, metric, spec);
        found.set(name, [...(found.get(name) ?? []), [Date.parse(String(row["x"])), Number(row[metric])]]);
      }
    }
    const series = [...found].map(([name, values]) => ({ name, formattedName: name, values }));
    return { timeRange: range, stepMs: step * 1000, series };
  },
};

function nameOf(row: Row, metric: string, spec: Spec): string {
  const by = spec.groupBy ? String(row[spec.groupBy] ?? "") : "";
  return [by, (spec.metrics?.length ?? 0) > 1 || !by ? metric : ""].filter(Boolean).join(" ");
}

// Perses has no query for rows: each is a series without values, and with the row as its metadata.
type WithRow = TimeSeries & { row: Row };
const rows: TimeSeriesQueryPlugin<Spec> = {
  ...shared,
  getTimeSeriesData: async (spec, context): Promise<TimeSeriesData> => {
    const found = await sql(filled(spec.query, context.variableState, POINTS), context.timeRange, 200);
    const series: WithRow[] = found.map((row, place) => ({ name: `${place}`, values: [], row }));
    return { timeRange: context.timeRange, stepMs: 1000, series };
  },
};

const table: PanelPlugin<MaybeEmpty, PanelProps<MaybeEmpty, TimeSeriesData>> = {
  PanelComponent: ({ queryResults }): ReactElement => (
    <Rows rows={queryResults.flatMap(({ data }) => (data.series as WithRow[]).map(({ row }) => row))} />
  ),
  supportedQueryTypes: ["TimeSeriesQuery"],
  createInitialOptions: () => ({}),
};

const kinds = (kind: "Panel" | "TimeSeriesQuery", ...names: string[]) =>
  names.map((name) => ({ kind, spec: { name, display: { name } } }));

export const logfire = {
  getPluginModule: () => ({
    kind: "PluginModule" as const,
    metadata: { name: "logfire", version: "1.0.0" },
    spec: {
      plugins: [
        ...kinds("TimeSeriesQuery", "LogfireTimeSeriesQuery", "LogfireNonTimeSeriesQuery"),
        ...kinds("Panel", "LogfireRows"),
      ],
    },
  }),
  LogfireTimeSeriesQuery: lines,
  LogfireNonTimeSeriesQuery: rows,
  LogfireRows: sayingWhyEmpty(table, "No row matches in this time."),
};

// Kinds of Logfire's own that Perses does not have.
const KINDS: Record<string, string> = { NonTimeSeriesQuery: "TimeSeriesQuery", Values: "LogfireRows", Table: "LogfireRows" };

/** Returns one of Logfire's dashboards in the kinds that this page has; others as they are. */
export function withPersesKinds<Board>(board: Board): Board {
  const text = JSON.stringify(board);
  if (!text.includes('"LogfireTimeSeriesQuery"') && !text.includes('"LogfireNonTimeSeriesQuery"')) return board;
  return JSON.parse(text, (key, value: unknown) => {
    if (key === "kind") return KINDS[value as string] ?? value;
    return key === "y" || key === "height" ? Math.floor((Number(value) * 5) / 4) : value; // as in grafana/perses.py
  }) as Board;
}
