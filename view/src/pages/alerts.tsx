// The alerts of Prometheus and Logfire: what fires first, then the rest. What is chosen is in the URL.
import { useState, type ReactElement } from "react";
import { Navigate, useSearchParams } from "react-router-dom";
import { Alert, Box, Button, MenuItem, Paper, Skeleton, Stack, Table, TableBody, TableCell, TableContainer, TableHead, TableRow, TextField, Typography } from "@mui/material";
import type { Entry } from "../parts/alerts/model";
import { COLUMNS, Row } from "../parts/alerts/row";
import { grouped, STATES } from "../parts/alerts/select";
import { Failed } from "../parts/section";
import { useAlerts } from "../parts/alerts/use";
import { Fold } from "../parts/icons";

const CHOICES = {
  system: ["Prometheus", "Logfire"],
  state: STATES,
};

/** Grafana's path to a rule, as its dashboards have it. */
export function ListOfGrafana(): ReactElement {
  const [given] = useSearchParams();
  const name = given.get("search");
  return <Navigate to={name ? `/alerts?${new URLSearchParams({ name })}` : "/alerts"} replace />;
}

export function Alerts(): ReactElement {
  const [given, set] = useSearchParams();
  const { entries, isLoading, errors, missing } = useAlerts();
  const [text, system, state] = ["name", "system", "state"].map((name) => given.get(name) ?? "") as [string, string, string];
  const { active, quiet, inhibitors } = grouped(entries, { text, system, state });
  const choose = (name: string, value: string): void => {
    const next = new URLSearchParams(given);
    if (value) next.set(name, value);
    else next.delete(name);
    set(next, { replace: true });
  };
  const isNamed = ({ name }: Entry): boolean => name === text;
  return (
    <Box sx={{ p: 2 }}>
      <Stack direction="row" sx={{ alignItems: "center", gap: 1.5, mb: 1.5, flexWrap: "wrap" }}>
        <Typography variant="h2" component="h1" sx={{ mr: "auto" }}>Alerts</Typography>
        <TextField size="small" type="search" label="Name, summary or label" value={text} onChange={({ target }) => choose("name", target.value)} sx={{ width: 280 }} />
        <Choice name="system" value={system} choose={choose} />
        <Choice name="state" value={state} choose={choose} />
      </Stack>
      {missing && <Alert severity="info">{missing}</Alert>}
      {errors.map((sentence) => (
        <Box key={sentence} sx={{ mb: 1.5 }}>
          <Failed error={sentence} />
        </Box>
      ))}
      {isLoading && !entries.length && <Skeleton variant="rounded" height={160} />}
      {!isLoading && !active.length && entries.length > 0 && !errors.length && (
        <Alert severity="success" data-testid="alerts-none">
          {quiet.length + inhibitors.length === 0 ? "No rule matches." : text || system || state ? "No active alert matches." : "Nothing fires."}
        </Alert>
      )}
      {active.length > 0 && <List label="Active alerts" entries={active} isOpen={isNamed} />}
      <Folded key={`${text} ${state}`} text={(n) => `${n} ${n === 1 ? "rule is" : "rules are"} quiet`} entries={quiet} isOpen={isNamed} isUnfolded={!!text || state === "inactive"} />
      <Folded text={(n) => `${n} ${n === 1 ? "rule" : "rules"} only ${n === 1 ? "inhibits" : "inhibit"} others`} entries={inhibitors} isOpen={() => false} isUnfolded={false} />
    </Box>
  );
}

function Choice({ name, value, choose }: { name: keyof typeof CHOICES; value: string; choose: (name: string, value: string) => void }): ReactElement {
  return (
    <TextField select size="small" label={name.charAt(0).toUpperCase() + name.slice(1)} value={value} onChange={({ target }) => choose(name, target.value)} sx={{ width: 140 }}
      slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}>
      <MenuItem value="">All</MenuItem>
      {CHOICES[name].map((each) => (
        <MenuItem key={each} value={each.toLowerCase()}>{each}</MenuItem>
      ))}
    </TextField>
  );
}

interface Listed {
  entries: Entry[];
  isOpen: (entry: Entry) => boolean;
}

function Folded({ text, isUnfolded, ...list }: Listed & { text: (count: number) => string; isUnfolded: boolean }): ReactElement | null {
  const [isShown, show] = useState(isUnfolded);
  if (!list.entries.length) return null;
  const label = text(list.entries.length);
  return (
    <Box sx={{ mt: 1.5 }}>
      <Button size="small" startIcon={<Fold isOpen={isShown} />} aria-expanded={isShown} onClick={() => show(!isShown)} sx={{ mb: 0.5 }}>
        {label}
      </Button>
      {isShown && <List label={label} {...list} />}
    </Box>
  );
}

function List({ label, entries, isOpen }: Listed & { label: string }): ReactElement {
  return (
    <TableContainer component={Paper} variant="outlined">
      <Table size="small" aria-label={label} sx={{ tableLayout: "fixed", "& td, & th": { px: 1 }, "& td": { verticalAlign: "top" } }}>
        <TableHead>
          <TableRow>
            {COLUMNS.map(([name, width]) => (
              <TableCell key={name} sx={{ width }}>{name}</TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {entries.map((entry) => (
            <Row key={`${entry.key} ${isOpen(entry)}`} entry={entry} isOpen={isOpen(entry)} />
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}
