import type { ReactElement, ReactNode } from "react";
import { useQuery } from "@tanstack/react-query";
import { Alert, Box, LinearProgress, Link, Table, TableBody, TableCell, TableHead, TableRow, Tooltip } from "@mui/material";
import { Link as To } from "react-router-dom";
import { useConfig } from "../../api";
import { Dot, type Tone } from "../dot";
import { named } from "../named";
import { ago, percent, perSecond, short } from "../numbers";
import { Section } from "../section";
import { QUERIES, arrived, flows, type Arrivals, type Arrived, type Flow } from "./signals";
import { REFRESH, every, useMissing } from "./refresh";
import { Arrow } from "../icons";

const UNIT = { traces: "spans", logs: "records", metrics: "points" };
const PAGE = { traces: "/traces", logs: "/logs", metrics: "/d/agentical-overview" };

export function Flows(): ReactElement {
  const config = useConfig().data;
  const missing = useMissing();
  const query = useQuery({
    queryKey: ["home", "flow"],
    queryFn: async () => flows(await named(QUERIES)),
    enabled: !missing,
    refetchInterval: every((found: Flow[]) => found.every(({ received }) => !received)),
  });
  const atLogfire = useQuery({
    queryKey: ["home", "arrived"],
    queryFn: arrived,
    enabled: config?.logfire === true,
    // The service limits how often it is asked.
    refetchInterval: every((found: Arrivals) => !Object.keys(found).length, config?.logfire_is_stand_in ? REFRESH : 3 * REFRESH),
  });
  return (
    <Section
      title="Flow of each signal"
      testid="home-flow"
      query={query}
      missing={missing}
      more={{ to: "/d/agentical-collector", text: "Collector" }}
      waiting={(found) =>
        found.some(({ received }) => received !== undefined) ? null : "Waiting for the first report of the collector: it takes 10 s."
      }
    >
      {(found) => (
        <>
          <Table size="small" aria-label="Flow of each signal" sx={{ "& td, & th": { px: 1, py: 0.5 } }}>
            <TableHead>
              <TableRow>
                <TableCell>Signal</TableCell>
                <TableCell>Received, sent</TableCell>
                <TableCell>Queue</TableCell>
                <TableCell>Lost in a day</TableCell>
                <TableCell align="right">Newest at the backend</TableCell>
              </TableRow>
            </TableHead>
            <TableBody>
              {found.map((flow) => (
                <Line key={flow.signal} flow={flow} at={atLogfire.data?.[flow.signal]} isAsked={!!atLogfire.data} />
              ))}
            </TableBody>
          </Table>
          {atLogfire.error instanceof Error && (
            <Alert severity="error" sx={{ mt: 1, overflowWrap: "anywhere" }}>{atLogfire.error.message}</Alert>
          )}
        </>
      )}
    </Section>
  );
}

function Line({ flow, at, isAsked }: { flow: Flow; at: Arrived | undefined; isAsked: boolean }): ReactElement {
  const { signal, received, sent, sampledOut, queue = 0 } = flow;
  return (
    <TableRow hover data-testid={`flow-${signal}`}>
      <TableCell>
        <Link component={To} to={PAGE[signal]} sx={{ textTransform: "capitalize" }}>
          {signal}
        </Link>
      </TableCell>
      <TableCell>
        {received === undefined ? `waiting for the first ${UNIT[signal]}` : perSecond(received, UNIT[signal])}
        {sent.map(({ backend, rate }) => (
          <span key={backend}>
            <Arrow sx={{ fontSize: 14, mx: 0.5, verticalAlign: "text-bottom" }} />
            {perSecond(rate)} <strong>{backend}</strong>
          </span>
        ))}
        {sampledOut > 0 && <Said text="Left out on purpose by sampling, in the last day">{` (${percent(sampledOut)} sampled out)`}</Said>}
      </TableCell>
      <TableCell>
        <Box sx={{ display: "flex", alignItems: "center", gap: 0.75 }}>
          <LinearProgress
            variant="determinate"
            value={Math.min(100, queue * 100)}
            color={queue > 0.5 ? "error" : queue > 0.1 ? "warning" : "success"}
            aria-label={`Queue of ${signal}`}
            sx={{ width: 36, height: 6, borderRadius: 1 }}
          />
          {percent(queue)}
        </Box>
      </TableCell>
      <TableCell>
        <Lost flow={flow} />
      </TableCell>
      <TableCell align="right">{newest(flow, at, isAsked)}</TableCell>
    </TableRow>
  );
}

function Lost({ flow: { refused, dropped, unaccounted } }: { flow: Flow }): ReactElement {
  const parts = [
    [dropped, "dropped", "error"],
    [unaccounted, "unaccounted", "error"],
    [refused, "refused", "warning"],
  ] as const;
  const found = parts.filter(([count]) => count >= 1);
  const tone: Tone = found[0]?.[2] ?? "success";
  const text = found.map(([count, word]) => `${short(count)} ${word}`).join(", ") || "nothing";
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 0.75 }}>
      <Dot tone={tone} text="Refused: the sender was told, and tries again. Dropped: lost. Unaccounted: gone without a known reason." />
      {text}
    </Box>
  );
}

function newest(flow: Flow, at: Arrived | undefined, isAsked: boolean): ReactNode {
  if (flow.signal === "metrics") return flow.newest === undefined ? "waiting for the first" : ago(flow.newest);
  if (!at) return isAsked ? "none in 15 min" : "–";
  return <Said text={`${short(at.lastMinute)} ${UNIT[flow.signal]} arrived in the last minute`}>{ago(at.newest)}</Said>;
}

const Said = ({ text, children }: { text: string; children: ReactNode }): ReactElement => (
  <Tooltip title={text}>
    <span>{children}</span>
  </Tooltip>
);
