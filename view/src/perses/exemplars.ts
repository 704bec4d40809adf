// The query for exemplars: the traces behind the values of a histogram. A series is one exemplar.
import type { TimeSeriesData, TimeSeriesQueryDefinition } from "@perses-dev/core";
import { parseVariables, replaceVariables, type TimeSeriesQueryPlugin } from "@perses-dev/plugin-system";
import { getJson } from "../api";

interface Spec {
  query: string;
}

interface Exemplar {
  labels: { trace_id?: string };
  value: string;
  timestamp: number;
}

interface Answer {
  data: { seriesLabels: Record<string, string>; exemplars: Exemplar[] }[];
}

export const KIND = "PrometheusExemplarQuery";
export const isExemplars = (definition: TimeSeriesQueryDefinition | { spec: { plugin: { kind: string } } }): boolean =>
  definition.spec.plugin.kind === KIND;

const plugin: TimeSeriesQueryPlugin<Spec> = {
  getTimeSeriesData: async (spec, context): Promise<TimeSeriesData> => {
    const { start, end } = context.timeRange;
    // The endpoint reads selectors from an expression; the window does not matter to it.
    const query = replaceVariables(spec.query.replaceAll("$__rate_interval", "1m"), context.variableState);
    const form = new URLSearchParams({ query, start: `${+start / 1000}`, end: `${+end / 1000}` });
    const answer = await getJson<Answer>("/api/prometheus/api/v1/query_exemplars", { method: "POST", body: form });
    const series = answer.data.flatMap(({ seriesLabels, exemplars }) =>
      exemplars
        .filter(({ labels }) => labels.trace_id)
        .map(({ labels, value, timestamp }) => ({
          name: labels.trace_id!,
          labels: { ...seriesLabels, trace_id: labels.trace_id! },
          values: [[timestamp * 1000, Number(value)] as [number, number]],
        })),
    );
    return { timeRange: { start, end }, stepMs: 1000, series };
  },
  dependsOn: (spec) => ({ variables: parseVariables(spec.query) }),
  OptionsEditorComponent: () => null,
  createInitialOptions: () => ({ query: "" }),
};

export const exemplars = {
  getPluginModule: () => ({
    kind: "PluginModule" as const,
    metadata: { name: "exemplars", version: "1.0.0" },
    spec: { plugins: [{ kind: "TimeSeriesQuery" as const, spec: { name: KIND, display: { name: "Exemplars" } } }] },
  }),
  [KIND]: plugin,
};
