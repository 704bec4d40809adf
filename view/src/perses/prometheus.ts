// Upstream's queries, with two differences.
//
// A long range ends now: upstream rounds its end down to a multiple of the step, so that charts keep still;
// over days a step is half an hour, and what is newer, all of a young system, would be missing.
//
// Selected values are literal: upstream puts them into a regular expression as they are.
import type { TimeSeriesData, VariableValue } from "@perses-dev/core";
import type { TimeSeriesQueryPlugin, VariableStateMap } from "@perses-dev/plugin-system";
import { PrometheusTimeSeriesQuery, type PrometheusClient } from "@perses-dev/prometheus-plugin";

const STILL = 60; // seconds: up to this step a chart may lag behind by it
const NEAREST = 10; // seconds

type Plugin = TimeSeriesQueryPlugin<Parameters<typeof PrometheusTimeSeriesQuery.getTimeSeriesData>[0]>;
type Context = Parameters<Plugin["getTimeSeriesData"]>[1];

export const query: Plugin = {
  ...PrometheusTimeSeriesQuery,
  getTimeSeriesData: async (spec, context): Promise<TimeSeriesData> => {
    const lag = { seconds: 0 };
    const asked = { ...context, datasourceStore: upToNow(context, lag), variableState: literal(context.variableState) };
    const found = await PrometheusTimeSeriesQuery.getTimeSeriesData(spec, asked);
    const { timeRange } = found;
    if (!timeRange || !lag.seconds) return found;
    const moved = (time: Date): Date => new Date(+time + lag.seconds * 1000);
    return { ...found, timeRange: { start: moved(timeRange.start), end: moved(timeRange.end) } };
  },
};

/** Returns the store with clients that ask up to the end of the range, and says by how much that is later. */
function upToNow({ datasourceStore, timeRange }: Context, lag: { seconds: number }): Context["datasourceStore"] {
  const end = Math.floor(+timeRange.end / 1000 / NEAREST) * NEAREST;
  return {
    ...datasourceStore,
    getDatasourceClient: async <Client>(selector: Parameters<typeof datasourceStore.getDatasourceClient>[0]): Promise<Client> => {
      const client = await datasourceStore.getDatasourceClient<PrometheusClient>(selector);
      const later: PrometheusClient = {
        ...client,
        rangeQuery: (asked, headers) => {
          if (asked.step > STILL) lag.seconds = Math.max(0, end - asked.end);
          return client.rangeQuery({ ...asked, start: asked.start + lag.seconds, end: asked.end + lag.seconds }, headers);
        },
        instantQuery: (asked, headers) => client.instantQuery({ ...asked, time: end }, headers),
      };
      return later as Client;
    },
  };
}

/** Returns the state with each of several values escaped for a regular expression in a PromQL string. */
function literal(state: VariableStateMap): VariableStateMap {
  return Object.fromEntries(Object.entries(state).map(([name, each]) => [name, { ...each, value: escaped(each.value) }]));
}

function escaped(value: VariableValue): VariableValue {
  if (!Array.isArray(value)) return value; // of "All": an expression
  return value.map((one) => one.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/[\\"]/g, "\\$&"));
}
