// A query of one's own, in PromQL or SQL; what was run is in the URL.
import { useEffect, useState, type ReactElement } from "react";
import { Navigate, useSearchParams } from "react-router-dom";
import { Box, Button, Chip, Stack, ToggleButton, ToggleButtonGroup, Typography } from "@mui/material";
import { DatasourceStoreProvider, VariableProvider } from "@perses-dev/dashboards";
import { TimeRangeControls, TimeRangeProviderWithQueryParams, useInitialRefreshInterval, useInitialTimeRange, useTimeRange } from "@perses-dev/plugin-system";
import { EXAMPLES, type Lang } from "../parts/explore/examples";
import { Field } from "../parts/explore/field";
import { PromqlResult } from "../parts/explore/promql";
import { RuleOf } from "../parts/explore/rule";
import { LIMIT, SqlResult } from "../parts/explore/sql";
import { sources } from "../perses/source";

/** Prometheus' path to an expression: the links of its notifications. */
export function GraphOfPrometheus(): ReactElement {
  const [given] = useSearchParams();
  const made = new URLSearchParams({ lang: "promql", q: given.get("g0.expr") ?? "" });
  const range = given.get("g0.range_input");
  if (range && /^\d+[smhdw]$/.test(range)) made.set("start", range);
  return <Navigate to={`/explore?${made}`} replace />;
}

export function Explore(): ReactElement {
  const range = useInitialTimeRange("1h");
  const refresh = useInitialRefreshInterval("0s");
  return (
    <DatasourceStoreProvider datasourceApi={sources}>
      <TimeRangeProviderWithQueryParams initialTimeRange={range} initialRefreshInterval={refresh}>
        <VariableProvider>
          <Page />
        </VariableProvider>
      </TimeRangeProviderWithQueryParams>
    </DatasourceStoreProvider>
  );
}

const HINTS: Record<Lang, string> = {
  promql: "Prometheus. Ctrl-Enter runs the query.",
  sql: `Logfire: the table records, within the time above, at most ${LIMIT} rows. Ctrl-Enter runs the query.`,
};

function Page(): ReactElement {
  const [given, set] = useSearchParams();
  const lang: Lang = given.get("lang") === "sql" ? "sql" : "promql";
  const query = given.get("q") ?? "";
  const [text, write] = useState(query);
  const { refresh } = useTimeRange();
  useEffect(() => write(query), [lang, query]);
  const go = (changed: Partial<Record<"lang" | "q", string>>): void => {
    const next = new URLSearchParams(given);
    for (const [name, value] of Object.entries(changed)) next.set(name, value);
    set(next);
  };
  const run = (): void => (text === query ? refresh() : go({ lang, q: text }));
  return (
    <Box sx={{ p: 2 }}>
      <Stack direction="row" sx={{ alignItems: "center", gap: 2, mb: 1.5 }}>
        <Typography variant="h2" component="h1">Explore</Typography>
        <ToggleButtonGroup size="small" exclusive value={lang} aria-label="Language" onChange={(_, next: Lang | null) => next && go({ lang: next, q: "" })}>
          <ToggleButton value="promql">PromQL</ToggleButton>
          <ToggleButton value="sql">SQL</ToggleButton>
        </ToggleButtonGroup>
        <Box sx={{ ml: "auto" }}>
          <TimeRangeControls />
        </Box>
      </Stack>
      {lang === "promql" && <RuleOf query={query} />}
      <Stack direction="row" sx={{ gap: 1.5, alignItems: "flex-start", mt: 2.5 }}>
        <Field key={lang} lang={lang} text={text} write={write} run={run} />
        <Button variant="contained" onClick={run} disabled={!text.trim()}>Run</Button>
      </Stack>
      <Stack direction="row" sx={{ gap: 0.75, flexWrap: "wrap", alignItems: "center", my: 1 }}>
        {EXAMPLES[lang].map((example) => (
          <Chip key={example.title} size="small" variant="outlined" label={example.title} onClick={() => go({ lang, q: example.query })} />
        ))}
        <Typography variant="caption" color="text.secondary" sx={{ ml: "auto" }}>{HINTS[lang]}</Typography>
      </Stack>
      <Box data-testid="explore-result">
        {query.trim() && (lang === "promql" ? <PromqlResult query={query} /> : <SqlResult query={query} />)}
      </Box>
    </Box>
  );
}
