// A dashboard, read-only: variables and time range at the top, panels below.
import { useMemo, useRef, type ReactElement } from "react";
import { Navigate, useLocation, useNavigationType, useParams } from "react-router-dom";
import { useQuery } from "@tanstack/react-query";
import { Alert, Box, Stack, Typography } from "@mui/material";
import type { BuiltinVariableDefinition, DashboardResource, DurationString } from "@perses-dev/core";
import { Dashboard, DashboardProvider, DashboardStickyToolbar, DatasourceStoreProvider, VariableProviderWithQueryParams } from "@perses-dev/dashboards";
import { TimeRangeControls, TimeRangeProviderWithQueryParams, useInitialRefreshInterval, useInitialTimeRange, usePluginBuiltinVariableDefinitions } from "@perses-dev/plugin-system";
import { getJson } from "../api";
import { fromGrafana, isGrafanas } from "../grafana";
import { withPersesKinds } from "../perses/logfire";
import { sources } from "../perses/source";

// Perses' headers of panels and groups are made for fewer panels than these dashboards have.
const COMPACT = {
  "--panel-header-height": "20px",
  "& .MuiCardHeader-root": { py: "4px" },
  "& .MuiCardHeader-root .MuiTypography-subtitle1": { fontSize: 13, fontWeight: 600 },
  "& [data-testid=panel-group] h2": { fontSize: 15 },
  // A query can be read and changed in Explore.
  "& [aria-label^='open query view']": { display: "none" },
  // Several numbers share the width, however long their names are.
  "& figure > .MuiStack-root > *": { flex: "1 1 0", minWidth: 0, overflow: "hidden" },
};

export function Board(): ReactElement {
  const { uid = "" } = useParams();
  const { pathname, search, key } = useLocation();
  const query = useQuery({ queryKey: ["board", uid], queryFn: () => getJson<DashboardResource>(`/boards/${encodeURIComponent(uid)}.json`) });
  const given = new URLSearchParams(search);
  // A link to the same dashboard with other values draws it anew; Perses' own changes replace the address.
  const opened = useRef(key);
  if (useNavigationType() !== "REPLACE") opened.current = key;
  if (isGrafanas(given)) return <Navigate to={`${pathname}?${fromGrafana(given)}`} replace />;
  if (query.error) return <Alert severity="error" sx={{ m: 2 }}>{(query.error as Error).message}</Alert>;
  return query.data ? <Drawn key={`${uid} ${opened.current}`} board={query.data} /> : <></>;
}

function Drawn({ board }: { board: DashboardResource }): ReactElement {
  const shown = useMemo(() => withPersesKinds(board), [board]);
  const { spec } = shown;
  const range = useInitialTimeRange(spec.duration ?? "1h");
  // Logfire's dashboards do not refresh by themselves; here all do.
  const given = spec.refreshInterval as DurationString | undefined;
  const refresh = useInitialRefreshInterval(!given || given === "0s" ? "30s" : given);
  const builtin = usePluginBuiltinVariableDefinitions().data as BuiltinVariableDefinition[] | undefined;
  return (
    <DatasourceStoreProvider dashboardResource={shown} datasourceApi={sources}>
      <DashboardProvider initialState={{ dashboardResource: shown, isEditMode: false }}>
        <TimeRangeProviderWithQueryParams initialTimeRange={range} initialRefreshInterval={refresh}>
          <VariableProviderWithQueryParams initialVariableDefinitions={spec.variables} builtinVariableDefinitions={builtin ?? []}>
            <Stack direction="row" sx={{ px: 2, pt: 1.5, alignItems: "center", justifyContent: "space-between" }}>
              <Typography variant="h2" component="h1">
                {spec.display?.name ?? shown.metadata.name}
              </Typography>
              <TimeRangeControls />
            </Stack>
            <DashboardStickyToolbar initialVariableIsSticky sx={{ px: 2, bgcolor: "background.default" }} />
            <Box sx={{ p: 2, ...COMPACT }}>
              <Dashboard panelOptions={{ showIcons: "always" }} />
            </Box>
          </VariableProviderWithQueryParams>
        </TimeRangeProviderWithQueryParams>
      </DashboardProvider>
    </DatasourceStoreProvider>
  );
}
