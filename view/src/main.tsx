// The page: providers, and a route for each view. Paths and parameters of dashboards are Grafana's.
import { createRoot } from "react-dom/client";
import { BrowserRouter, Navigate, Route, Routes } from "react-router-dom";
import { QueryParamProvider } from "use-query-params";
import { ReactRouter6Adapter } from "use-query-params/adapters/react-router-6";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { SnackbarProvider } from "@perses-dev/components";
import { PluginRegistry } from "@perses-dev/plugin-system";
import { DEFAULTS, loader } from "./perses/plugins";
import { Shell } from "./shell";
import { Themed } from "./theme";
import { Alerts, ListOfGrafana } from "./pages/alerts";
import { Board } from "./pages/board";
import { Explore, GraphOfPrometheus } from "./pages/explore";
import { Home } from "./pages/home";
import { Logs } from "./pages/logs";
import { TracePage } from "./pages/trace";
import { Traces } from "./pages/traces";

const client = new QueryClient({ defaultOptions: { queries: { refetchOnWindowFocus: false, retry: 0 } } });

createRoot(document.getElementById("root")!).render(
  <BrowserRouter>
    <QueryParamProvider adapter={ReactRouter6Adapter} options={{ updateType: "replaceIn" }}>
      <Themed>
        <SnackbarProvider anchorOrigin={{ vertical: "bottom", horizontal: "right" }} variant="default">
          <QueryClientProvider client={client}>
            <PluginRegistry pluginLoader={loader} defaultPluginKinds={DEFAULTS}>
              <Shell>
                <Routes>
                  <Route path="/" element={<Home />} />
                  <Route path="/d/:uid/:slug?" element={<Board />} />
                  <Route path="/traces" element={<Traces />} />
                  <Route path="/traces/:id" element={<TracePage />} />
                  <Route path="/logs" element={<Logs />} />
                  <Route path="/alerts" element={<Alerts />} />
                  <Route path="/alerting/list" element={<ListOfGrafana />} />
                  <Route path="/explore" element={<Explore />} />
                  <Route path="/graph" element={<GraphOfPrometheus />} />
                  <Route path="*" element={<Navigate to="/" replace />} />
                </Routes>
              </Shell>
            </PluginRegistry>
          </QueryClientProvider>
        </SnackbarProvider>
      </Themed>
    </QueryParamProvider>
  </BrowserRouter>,
);
