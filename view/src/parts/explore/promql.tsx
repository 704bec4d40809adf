// The result of a PromQL query: a graph over the chosen time, and a table of the values at its end.
import { useMemo, type ReactElement } from "react";
import { useQuery } from "@tanstack/react-query";
import { Box, Paper, Skeleton, Table, TableBody, TableCell, TableContainer, TableHead, TableRow, Typography } from "@mui/material";
import type { PanelDefinition, TimeSeriesQueryDefinition } from "@perses-dev/core";
import { Panel } from "@perses-dev/dashboards";
import { DataQueriesProvider, useSuggestedStepMs, useTimeRange } from "@perses-dev/plugin-system";
import useResizeObserver from "use-resize-observer";
import { Failed } from "../section";
import { instant, written, type Line } from "./instant";

const MOST = 500; // lines of the table

export function PromqlResult({ query }: { query: string }): ReactElement {
  const { absoluteTimeRange: range, refreshKey } = useTimeRange();
  const at = range.end;
  const answer = useQuery({
    queryKey: ["explore", "promql", query, +at, refreshKey],
    queryFn: () => instant(query, at),
    keepPreviousData: true,
  });
  if (answer.error) return <Failed error={answer.error} />;
  if (!answer.data) return <Skeleton variant="rounded" height={120} />;
  return (
    <>
      {answer.data.isDrawable && <Graph query={query} />}
      <Values lines={answer.data.lines} at={at} />
    </>
  );
}

function Graph({ query }: { query: string }): ReactElement {
  const { width, ref } = useResizeObserver<HTMLDivElement>();
  const step = useSuggestedStepMs(width);
  const [panel, definitions] = useMemo(() => drawn(query), [query]);
  return (
    <Box ref={ref} sx={{ height: 360, mb: 1.5 }} data-testid="explore-graph">
      <DataQueriesProvider definitions={definitions} options={{ suggestedStepMs: step, mode: "range" }}>
        <Panel panelOptions={{ hideHeader: true }} definition={panel} />
      </DataQueriesProvider>
    </Box>
  );
}

function drawn(query: string): [PanelDefinition, { kind: string; spec: { query: string } }[]] {
  const plugin = { kind: "PrometheusTimeSeriesQuery", spec: { query } };
  const asked: TimeSeriesQueryDefinition = { kind: "TimeSeriesQuery", spec: { plugin } };
  const chart = { legend: { position: "bottom", mode: "list" }, visual: { areaOpacity: 0.1, lineWidth: 1.5 }, empty: "No series in this time range." };
  const panel: PanelDefinition = {
    kind: "Panel",
    spec: { display: { name: "Graph" }, plugin: { kind: "TimeSeriesChart", spec: chart }, queries: [asked] },
  };
  return [panel, [plugin]];
}

function Values({ lines, at }: { lines: Line[]; at: Date }): ReactElement {
  return (
    <TableContainer component={Paper} variant="outlined">
      <Table size="small" aria-label="Values" sx={{ "& td": { fontFamily: "monospace", fontSize: 12.5, py: 0.5 } }}>
        <TableHead>
          <TableRow>
            <TableCell>{lines.length} series at {at.toLocaleString()}{lines.length > MOST && `, the first ${MOST} shown`}</TableCell>
            <TableCell align="right">Value</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {lines.slice(0, MOST).map(({ labels, value }) => (
            <TableRow key={written(labels)} hover>
              <TableCell sx={{ overflowWrap: "anywhere" }}>{written(labels)}</TableCell>
              <TableCell align="right" sx={{ overflowWrap: "anywhere" }}>{value}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
      {!lines.length && <Typography variant="body2" color="text.secondary" sx={{ p: 1.5 }}>The query is valid, and matches no series at this time.</Typography>}
    </TableContainer>
  );
}
