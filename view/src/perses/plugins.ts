// Perses' plugins that the page bundles, and its own: Logfire's queries, exemplars, and panels that say why
// they are empty.
import { dynamicImportPluginLoader, type PluginModuleResource } from "@perses-dev/plugin-system";
import * as prometheus from "@perses-dev/prometheus-plugin";
import * as stat from "@perses-dev/stat-chart-plugin";
import * as timeseries from "@perses-dev/timeseries-chart-plugin";
import * as gantt from "@perses-dev/tracing-gantt-chart-plugin";
import { exemplars } from "./exemplars";
import { labels } from "./labels";
import { logfire } from "./logfire";
import { Chart } from "./chart";
import { sayingWhyEmpty } from "./empty";
import { query } from "./prometheus";
import { labelValues } from "./values";

type Module = { getPluginModule: () => PluginModuleResource };

const modules: Module[] = [
  { ...prometheus, PrometheusTimeSeriesQuery: query, PrometheusLabelValuesVariable: labelValues } as Module,
  { ...timeseries, TimeSeriesChart: { ...timeseries.TimeSeriesChart, PanelComponent: Chart, actions: [] } } as Module,
  { ...stat, StatChart: sayingWhyEmpty(stat.StatChart) } as Module,
  gantt as Module,
  exemplars,
  labels,
  logfire,
];

export const loader = dynamicImportPluginLoader(
  modules.map((module) => ({ resource: module.getPluginModule(), importPlugin: () => Promise.resolve(module) })),
);

export const DEFAULTS = {
  Panel: "TimeSeriesChart",
  TimeSeriesQuery: "PrometheusTimeSeriesQuery",
  TraceQuery: "LogfireTraceQuery",
} as const;
