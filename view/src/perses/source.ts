// The only data source of dashboards: Prometheus, through the page's own server.
import type { DatasourceApi } from "@perses-dev/dashboards";
import type { GlobalDatasourceResource } from "@perses-dev/core";

export const PROMETHEUS: GlobalDatasourceResource = {
  kind: "GlobalDatasource",
  metadata: { name: "prometheus" },
  spec: {
    default: true,
    // The interval of samples, as in Grafana's provisioning: a shorter step would draw gaps.
    plugin: { kind: "PrometheusDatasource", spec: { directUrl: "/api/prometheus", scrapeInterval: "10s" } },
  },
};

export const sources: DatasourceApi = {
  getDatasource: async () => undefined,
  getGlobalDatasource: async () => PROMETHEUS,
  listDatasources: async () => [],
  listGlobalDatasources: async () => [PROMETHEUS],
};
