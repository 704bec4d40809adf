// What fires in either system, by severity.
import type { ReactElement } from "react";
import { Alert, Box, Link, Stack, Typography } from "@mui/material";
import { Link as To } from "react-router-dom";
import { SeverityChip } from "../alerts/chips";
import { dashboardOf } from "../alerts/dashboards";
import type { Entry } from "../alerts/model";
import { grouped } from "../alerts/select";
import { useAlerts } from "../alerts/use";
import { ago } from "../numbers";
import { Failed, Section } from "../section";

const MOST = 6; // names; the rest is a link

export function Firing(): ReactElement {
  const { entries, isLoading, errors, missing } = useAlerts();
  const { active } = grouped(entries, { text: "", system: "", state: "" });
  const query = { data: isLoading && !entries.length ? undefined : active, error: null };
  return (
    <Section title="What fires" testid="home-alerts" query={query} missing={missing ?? undefined} more={{ to: "/alerts", text: "All alerts" }}>
      {(found) => (
        <Stack spacing={1}>
          {errors.map((sentence) => (
            <Failed key={sentence} error={sentence} />
          ))}
          <Summary found={found} isComplete={!errors.length} />
          {found.slice(0, MOST).map((entry) => (
            <Line key={entry.key} entry={entry} />
          ))}
          {found.length > MOST && <Link component={To} to="/alerts" variant="body2">and {found.length - MOST} more</Link>}
        </Stack>
      )}
    </Section>
  );
}

function Summary({ found, isComplete }: { found: Entry[]; isComplete: boolean }): ReactElement | null {
  const firing = found.filter(({ state }) => state === "firing");
  if (!firing.length) {
    if (!isComplete) return null;
    return <Alert severity="success" sx={{ py: 0 }}>Nothing fires.</Alert>;
  }
  const severities = ["critical", "warning"].map((severity) => {
    const count = firing.filter((entry) => entry.severity === severity).length;
    return [severity, count] as const;
  });
  return (
    <Stack direction="row" spacing={3}>
      {severities.map(([severity, count]) => (
        <Box key={severity} component={To} to="/alerts?state=firing" sx={{ color: "inherit", textDecoration: "none" }}>
          <Typography component="span" variant="h2" color={!count ? "text.secondary" : severity === "critical" ? "error" : "warning.main"}>{count}</Typography>{" "}
          <Typography component="span" variant="body2" color="text.secondary">{severity}</Typography>
        </Box>
      ))}
    </Stack>
  );
}

function Line({ entry }: { entry: Entry }): ReactElement {
  const { name, severity, state, system, since } = entry;
  const dashboard = dashboardOf(entry);
  const about = [state === "firing" ? "" : state === "unknown" ? "cannot be evaluated" : state, system, since && ago((Date.now() - +since) / 1000)];
  return (
    <Stack direction="row" sx={{ gap: 1, alignItems: "baseline" }}>
      <SeverityChip severity={severity} />
      <Box sx={{ minWidth: 0, flex: 1 }}>
        <Link component={To} to={`/alerts?${new URLSearchParams({ name })}`} variant="body2" noWrap sx={{ display: "block", fontWeight: 600 }}>
          {name}
        </Link>
        <Typography variant="caption" component="p" color="text.secondary" noWrap>
          {about.filter(Boolean).join(" · ")}
        </Typography>
      </Box>
      {dashboard && <Link component={To} to={dashboard} variant="body2" aria-label={`Dashboard of ${name}`}>Dashboard</Link>}
    </Stack>
  );
}
