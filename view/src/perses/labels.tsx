// A table of the series of an instant query: a row a series, a column a label.
import type { ReactElement } from "react";
import type { TimeSeriesData } from "@perses-dev/core";
import type { PanelPlugin, PanelProps } from "@perses-dev/plugin-system";
import { Rows } from "../parts/rows";
import { sayingWhyEmpty, type MaybeEmpty } from "./empty";

interface Spec extends MaybeEmpty {
  /** Labels without a column. */
  hidden: string[];
  links: Record<string, string>;
}

const table: PanelPlugin<Spec, PanelProps<Spec, TimeSeriesData>> = {
  PanelComponent: ({ spec, queryResults }): ReactElement => {
    const series = queryResults.flatMap(({ data }) => data.series);
    const rows = series.map(({ labels = {} }) =>
      Object.fromEntries(Object.entries(labels).filter(([name]) => !spec.hidden.includes(name))),
    );
    return <Rows rows={rows} links={spec.links} />;
  },
  supportedQueryTypes: ["TimeSeriesQuery"],
  queryOptions: { mode: "instant" },
  createInitialOptions: () => ({ hidden: [], links: {} }),
};

export const labels = {
  getPluginModule: () => ({
    kind: "PluginModule" as const,
    metadata: { name: "labels", version: "1.0.0" },
    spec: { plugins: [{ kind: "Panel" as const, spec: { name: "LabelTable", display: { name: "Labels" } } }] },
  }),
  LabelTable: sayingWhyEmpty(table),
};
