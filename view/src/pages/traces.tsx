// The search for traces: a row for each, which leads to the trace.
import type { ReactElement } from "react";
import { Link as RouterLink, Navigate, useSearchParams } from "react-router-dom";
import { Box, Chip, Link, Table, TableBody, TableCell, TableHead, TableRow } from "@mui/material";
import { useTimeZone } from "@perses-dev/components";
import { fromAddress, traceIn } from "../logfire/filters";
import { asTrace, tracesSql, type TraceRow } from "../logfire/search";
import { duration } from "../logfire/values";
import { Found } from "../parts/found";
import { WithRange } from "../parts/range";
import { Search } from "../parts/search";

const SMALL = { height: 20, fontSize: 12 } as const;
const FIELDS = ["route", "status", "min", "max", "text", "sort"] as const;

export function Traces(): ReactElement {
  const [here] = useSearchParams();
  const { trace, text } = fromAddress(here);
  const id = traceIn(trace) ?? traceIn(text);
  if (id) return <Navigate to={`/traces/${id}`} replace />;
  return (
    <WithRange title="Traces">
      <Search fields={FIELDS} />
      <Found what="trace" ask={tracesSql} read={asTrace}>
        {(traces) => <List traces={traces} />}
      </Found>
    </WithRange>
  );
}

function List({ traces }: { traces: TraceRow[] }): ReactElement {
  const longest = Math.max(...traces.map(({ milliseconds }) => milliseconds));
  return (
    <Table size="small" sx={{ tableLayout: "fixed", "& td, & th": { px: 1 } }}>
      <TableHead>
        <TableRow>
          <TableCell sx={{ width: 180 }}>Start</TableCell>
          <TableCell sx={{ width: 170 }}>Service</TableCell>
          <TableCell>Name</TableCell>
          <TableCell sx={{ width: 110 }}>Status</TableCell>
          <TableCell sx={{ width: 200 }}>Duration</TableCell>
          <TableCell sx={{ width: 130 }}>Spans</TableCell>
        </TableRow>
      </TableHead>
      <TableBody>
        {traces.map((trace) => (
          <TraceLine key={trace.id} trace={trace} longest={longest} />
        ))}
      </TableBody>
    </Table>
  );
}

function TraceLine({ trace, longest }: { trace: TraceRow; longest: number }): ReactElement {
  const { formatWithUserTimeZone } = useTimeZone();
  const { services, spans, standsFor } = trace;
  return (
    // The link covers the row.
    <TableRow hover data-testid="trace-row" sx={{ position: "relative", "&:focus-within": { bgcolor: "action.focus" } }}>
      <TableCell sx={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
        {formatWithUserTimeZone(new Date(trace.start), "yyyy-MM-dd HH:mm:ss.SSS")}
      </TableCell>
      <TableCell sx={{ overflow: "hidden", textOverflow: "ellipsis" }}>{trace.service}</TableCell>
      <TableCell sx={{ overflowWrap: "anywhere" }}>
        <Link component={RouterLink} to={`/traces/${trace.id}`} underline="hover" sx={{ "&::after": { content: '""', position: "absolute", inset: 0 }, "&:focus-visible": { outline: "none", "&::after": { outline: 2, outlineOffset: -2 } } }}>
          {trace.name}
        </Link>
        {standsFor > 1 && (
          <Chip size="small" variant="outlined" sx={{ ml: 1, ...SMALL }} label={`stands for ${Number(standsFor.toPrecision(3))}`} title="Only a share of such traces is kept" />
        )}
      </TableCell>
      <TableCell>
        <Outcome code={trace.code} errors={trace.errors} />
      </TableCell>
      <TableCell>
        <Duration milliseconds={trace.milliseconds} share={longest ? trace.milliseconds / longest : 0} />
      </TableCell>
      <TableCell sx={{ whiteSpace: "nowrap" }}>
        {spans} in {services} service{services === 1 ? "" : "s"}
      </TableCell>
    </TableRow>
  );
}

function Outcome({ code, errors }: { code: number | null; errors: number }): ReactElement {
  return (
    <Box sx={{ display: "flex", gap: 1, alignItems: "center" }}>
      {code || (errors ? "" : "ok")}
      {errors > 0 && <Chip size="small" color="error" label="error" sx={SMALL} title={`${errors} span${errors === 1 ? "" : "s"} with an error`} />}
    </Box>
  );
}

function Duration({ milliseconds, share }: { milliseconds: number; share: number }): ReactElement {
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1 }}>
      <Box component="span" sx={{ width: 64, flexShrink: 0, textAlign: "right", fontVariantNumeric: "tabular-nums" }}>
        {duration(milliseconds)}
      </Box>
      <Box aria-hidden sx={{ flex: 1 }}>
        <Box sx={{ width: `${Math.max(share * 100, 1)}%`, height: 6, borderRadius: 1, bgcolor: "primary.main" }} />
      </Box>
    </Box>
  );
}
