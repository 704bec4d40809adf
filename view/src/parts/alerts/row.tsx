// One alert: a line, and below it what is known of its rule.
import { useId, useState, type ReactElement } from "react";
import { Box, Collapse, IconButton, Link, TableCell, TableRow, Tooltip, Typography } from "@mui/material";
import { Link as To } from "react-router-dom";
import { ago, short } from "../numbers";
import { SeverityChip, StateChip } from "./chips";
import { dashboardOf } from "./dashboards";
import { Details } from "./details";
import type { Entry } from "./model";
import { Fold } from "../icons";

/** The columns with their widths in pixels; one takes the rest. */
export const COLUMNS = [
  ["", 44],
  ["Rule", undefined],
  ["State", 170],
  ["Severity", 90],
  ["System", 100],
  ["Active since", 110],
  ["Links", 160],
] as const;

export function Row({ entry, isOpen: isOpenFirst }: { entry: Entry; isOpen: boolean }): ReactElement {
  const [isOpen, open] = useState(isOpenFirst);
  const id = useId();
  const { name, severity, system, state, heldBy, since, summary, error } = entry;
  return (
    <>
      <TableRow hover data-testid="alert-row" data-alert={name} data-state={state} sx={{ "& > td": { border: 0, pt: 1 } }}>
        <TableCell>
          <IconButton
            size="small"
            aria-expanded={isOpen}
            aria-controls={id}
            aria-label={`${isOpen ? "Hide" : "Show"} the rule of ${name}`}
            onClick={() => open(!isOpen)}
          >
            <Fold isOpen={isOpen} />
          </IconButton>
        </TableCell>
        <TableCell>
          <Typography variant="body2" sx={{ fontWeight: 600, overflowWrap: "anywhere" }}>{name}</Typography>
          <Typography variant="body2" color="text.secondary">{summary}</Typography>
          <Subject entry={entry} />
          {error && <Typography variant="body2" color="error">Cannot be evaluated: {error}</Typography>}
        </TableCell>
        <TableCell>
          <Tooltip title={heldBy}>
            <span>
              <StateChip state={state} isQuiet={severity === "none"} />
            </span>
          </Tooltip>
          {heldBy && <Typography variant="caption" component="p" color="text.secondary" >{heldBy}</Typography>}
        </TableCell>
        <TableCell><SeverityChip severity={severity} /></TableCell>
        <TableCell>{system}</TableCell>
        <TableCell sx={{ whiteSpace: "nowrap" }}>{since ? <Since at={since} /> : sinceOfSql(entry)}</TableCell>
        <TableCell sx={{ whiteSpace: "nowrap" }}>
          <Links entry={entry} />
        </TableCell>
      </TableRow>
      <TableRow>
        <TableCell colSpan={COLUMNS.length} sx={{ py: 0 }}>
          <Collapse in={isOpen} id={id} unmountOnExit>
            <Details entry={entry} />
          </Collapse>
        </TableCell>
      </TableRow>
    </>
  );
}

// What the alert is about: its labels, and the value that was compared.
function Subject({ entry: { labels, value, rows } }: { entry: Entry }): ReactElement | null {
  const found = Object.entries(labels).map(([name, text]) => `${name}=${text}`);
  if (value !== null) found.push(`value ${short(value)}`);
  if (rows.length) found.push(`${rows.length} ${rows.length > 1 ? "rows" : "row"}`);
  if (!found.length) return null;
  return (
    <Typography variant="caption" component="p" color="text.secondary" sx={{ fontFamily: "monospace", overflowWrap: "anywhere" }}>
      {found.join("  ")}
    </Typography>
  );
}

const Since = ({ at }: { at: Date }): ReactElement => (
  <Tooltip title={at.toLocaleString()}>
    <time dateTime={at.toISOString()}>{ago((Date.now() - +at) / 1000)}</time>
  </Tooltip>
);

const sinceOfSql = ({ window, state }: Entry): string => (window && state === "firing" ? `in the last ${window}` : "");

function Links({ entry }: { entry: Entry }): ReactElement {
  const { name, dashboard, runbook } = entry;
  const inside = dashboardOf(entry);
  return (
    <Box sx={{ display: "flex", gap: 1.5 }}>
      {inside ? (
        <Link component={To} to={inside} data-testid="alert-dashboard" aria-label={`Dashboard of ${name}`}>Dashboard</Link>
      ) : (
        dashboard && <Outside href={dashboard} testid="alert-dashboard" text="Dashboard" of={name} />
      )}
      {runbook && <Outside href={runbook} testid="alert-runbook" text="Runbook" of={name} />}
    </Box>
  );
}

const Outside = ({ href, testid, text, of }: { href: string; testid: string; text: string; of: string }): ReactElement | null => (
  // An annotation is whatever a rule says, `javascript:` included.
  !/^https?:/.test(href) ? null : <Link href={href} target="_blank" rel="noreferrer" data-testid={testid} aria-label={`${text} of ${of}`}>{text}</Link>
);
