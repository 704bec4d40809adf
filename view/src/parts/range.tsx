// The frame of a page with a time range: a heading, and Perses' controls, which keep the range in the address.
import type { ReactElement, ReactNode } from "react";
import { Navigate, useLocation } from "react-router-dom";
import { Box, Stack, Typography } from "@mui/material";
import { TimeRangeControls, TimeRangeProviderWithQueryParams, useInitialRefreshInterval, useInitialTimeRange } from "@perses-dev/plugin-system";
import { fromGrafana, isGrafanas } from "../grafana";

export function WithRange({ title, children }: { title: string; children: ReactNode }): ReactElement {
  const { pathname, search } = useLocation();
  const given = new URLSearchParams(search);
  const range = useInitialTimeRange("1h");
  const refresh = useInitialRefreshInterval("0s");
  if (isGrafanas(given)) return <Navigate to={`${pathname}?${fromGrafana(given)}`} replace />;
  return (
    <TimeRangeProviderWithQueryParams initialTimeRange={range} initialRefreshInterval={refresh}>
      <Stack direction="row" sx={{ px: 2, pt: 1.5, alignItems: "center", justifyContent: "space-between" }}>
        <Typography variant="h2" component="h1">
          {title}
        </Typography>
        <TimeRangeControls />
      </Stack>
      <Box sx={{ p: 2 }}>{children}</Box>
    </TimeRangeProviderWithQueryParams>
  );
}
