// The first page: what runs, what fires, what remains of the error budgets, and how the signals flow.
import type { ReactElement } from "react";
import { Navigate, useLocation } from "react-router-dom";
import { Box, Stack, Typography } from "@mui/material";
import { useConfig } from "../api";
import { Budgets } from "../parts/home/budgets";
import { Firing } from "../parts/home/firing";
import { Flows } from "../parts/home/flow";
import { Links } from "../parts/home/links";
import { Services } from "../parts/home/services";

export function Home(): ReactElement {
  const { hash } = useLocation();
  const config = useConfig().data;
  // Alertmanager's links in notifications: its page is this one.
  if (hash.startsWith("#/alerts")) return <Navigate to="/alerts" replace />;
  if (hash.startsWith("#/silences")) return <Navigate to="/alerts?state=silenced" replace />;
  return (
    <Box sx={{ p: 2, maxWidth: 1600 }}>
      <Stack direction="row" sx={{ alignItems: "baseline", gap: 1.5, mb: 1.5 }}>
        <Typography variant="h2" component="h1">Agentical</Typography>
        <Typography variant="body2" color="text.secondary">
          {config && `version ${config.version} · `}metrics in Prometheus, traces and logs in Logfire
        </Typography>
      </Stack>
      <Box sx={{ display: "grid", gap: 1.5, gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: "minmax(0, 1fr) 320px" }, alignItems: "start" }}>
        <Stack spacing={1.5} sx={{ minWidth: 0 }}>
          <Services />
          <Flows />
        </Stack>
        <Stack spacing={1.5} sx={{ minWidth: 0 }}>
          <Firing />
          <Budgets />
        </Stack>
        <Box sx={{ gridColumn: "1 / -1" }}>
          <Links />
        </Box>
      </Box>
    </Box>
  );
}
