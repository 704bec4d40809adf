// A list of logs: a row opens to its attributes, and leads to a trace or a span.
import { Fragment, useState, type ReactElement } from "react";
import { Link as RouterLink } from "react-router-dom";
import { Box, IconButton, Link, Table, TableBody, TableCell, TableHead, TableRow, Typography } from "@mui/material";
import type { Entry } from "../logfire/entries";
import { asText } from "../logfire/values";
import { Fold } from "./icons";

export interface Jump {
  to: string;
  title: string;
}

interface Props {
  logs: Entry[];
  time: (log: Entry) => string;
  jump: (log: Entry) => Jump | null;
  marked?: string; // the span whose logs are marked
}

export function Logs({ logs, time, jump, marked }: Props): ReactElement {
  return (
    <Table size="small" sx={{ tableLayout: "fixed", "& td, & th": { px: 1 } }}>
      <TableHead>
        <TableRow>
          <TableCell sx={{ width: 36 }} />
          <TableCell sx={{ width: 180 }}>Time</TableCell>
          <TableCell sx={{ width: 76 }}>Level</TableCell>
          <TableCell sx={{ width: 170 }}>Service</TableCell>
          <TableCell>Message</TableCell>
          <TableCell sx={{ width: 150 }} />
        </TableRow>
      </TableHead>
      <TableBody>
        {logs.map((log) => (
          <Line key={`${log.spanId}${log.start}`} log={log} time={time(log)} jump={jump(log)} isMarked={Boolean(marked) && log.parentId === marked} />
        ))}
      </TableBody>
    </Table>
  );
}

function Line({ log, time, jump, isMarked }: { log: Entry; time: string; jump: Jump | null; isMarked: boolean }): ReactElement {
  const [isOpen, open] = useState(false);
  const more = isOpen ? "Hide the attributes" : "Show the attributes";
  return (
    <Fragment>
      <TableRow hover selected={isMarked} data-testid="log-row">
        <TableCell>
          <IconButton size="small" aria-label={more} title={more} aria-expanded={isOpen} onClick={() => open(!isOpen)} sx={{ width: 24, height: 24, fontSize: 12 }}>
            <Fold isOpen={isOpen} />
          </IconButton>
        </TableCell>
        <TableCell sx={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>{time}</TableCell>
        <TableCell>
          <Level name={log.level} />
        </TableCell>
        <TableCell sx={{ overflow: "hidden", textOverflow: "ellipsis" }}>{log.service}</TableCell>
        <TableCell onClick={() => open(!isOpen)} sx={{ cursor: "pointer", overflowWrap: "anywhere" }}>
          {log.message}
          {log.exceptions[0] && (
            <Typography variant="body2" color="text.secondary">
              {log.exceptions[0].type}: {log.exceptions[0].message}
            </Typography>
          )}
        </TableCell>
        <TableCell>
          {jump && (
            <Link component={RouterLink} to={jump.to} data-testid="log-link">
              {jump.title}
            </Link>
          )}
        </TableCell>
      </TableRow>
      {isOpen && (
        <TableRow>
          <TableCell />
          <TableCell colSpan={5} data-testid="log-attributes">
            <Attributes values={{ ...log.attributes, "trace id": log.traceId, "span id": log.parentId, scope: log.scope }} />
          </TableCell>
        </TableRow>
      )}
    </Fragment>
  );
}

const COLOURS: Record<string, string> = { fatal: "error.main", error: "error.main", warn: "warning.main", info: "info.main" };

// The name is in the colour of text: the colours themselves are too pale on white.
export function Level({ name }: { name: string }): ReactElement {
  return (
    <Box component="span" sx={{ borderLeft: 4, borderColor: COLOURS[name] ?? "text.disabled", pl: 0.75 }}>
      {name}
    </Box>
  );
}

export function Attributes({ values }: { values: Record<string, unknown> }): ReactElement {
  const shown = Object.entries(values).filter(([, value]) => asText(value));
  return (
    <Box component="dl" sx={{ m: 0, display: "grid", gridTemplateColumns: "max-content minmax(0, 1fr)", columnGap: 2, rowGap: 0.25 }}>
      {shown.map(([name, value]) => (
        <Fragment key={name}>
          <Box component="dt" sx={{ color: "text.secondary" }}>
            {name}
          </Box>
          <Box component="dd" sx={{ m: 0, fontFamily: "monospace", fontSize: 12, whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {asText(value)}
          </Box>
        </Fragment>
      ))}
    </Box>
  );
}
