// One trace: its waterfall, exceptions and logs, and the ways on to dashboards and Logfire.
import type { ReactElement, ReactNode } from "react";
import { useQuery } from "@tanstack/react-query";
import { Alert, Box, Button, Chip, Link, Stack, Typography } from "@mui/material";
import { Link as RouterLink, useParams, useSearchParams } from "react-router-dom";
import { useTimeZone } from "@perses-dev/components";
import { useConfig, type Range } from "../api";
import { traceIn } from "../logfire/filters";
import { dashboards, inLogfire, logsOf } from "../logfire/links";
import { bounds, exceptions, findTrace, spanOf, type Trace } from "../logfire/trace";
import { duration } from "../logfire/values";
import { Answer } from "../parts/answer";
import { Exception } from "../parts/exception";
import { Logs } from "../parts/logs";
import { Waterfall } from "../parts/waterfall";

const ABSENT =
  "Logfire has no span or log of this trace in the last 30 days. It may not have arrived yet: a trace is sent up to a minute " +
  "after it began. It may not have been kept: of traces without an error or a slow request only a share is. Or it is older than Logfire keeps.";

export function TracePage(): ReactElement {
  const given = useParams()["id"] ?? "";
  const id = traceIn(given);
  const [here] = useSearchParams();
  const query = useQuery({
    queryKey: ["trace", id],
    queryFn: () => findTrace(id!, rangeOf(here)),
    enabled: id !== null,
  });
  const entry = query.data?.spans[0];
  return (
    <Box sx={{ p: 2 }}>
      <Stack direction="row" sx={{ alignItems: "center", gap: 2 }}>
        <Typography variant="h2" component="h1" sx={{ flex: 1, overflowWrap: "anywhere" }}>
          {entry ? `${entry.service}: ${entry.name}` : "Trace"}
        </Typography>
        <Typography sx={{ fontFamily: "monospace" }} data-testid="trace-id">{given}</Typography>
        <Button onClick={() => void query.refetch()}>Refresh</Button>
      </Stack>
      {id === null && <Alert severity="warning">A trace id has 32 hexadecimal digits.</Alert>}
      {id !== null && (
        <Answer query={query} isEmpty={(trace) => trace === null} empty={ABSENT}>
          {(trace) => trace && <Drawn trace={trace} selected={here.get("span") ?? ""} />}
        </Answer>
      )}
    </Box>
  );
}

/** Returns the time range in an address, if it has an absolute one. */
function rangeOf(here: URLSearchParams): Range | null {
  const [start, end] = [Number(here.get("start")), Number(here.get("end"))];
  return start > 0 && end > start ? { start: new Date(start), end: new Date(end) } : null;
}

function Drawn({ trace, selected }: { trace: Trace; selected: string }): ReactElement {
  const { spans, logs, isCut } = trace;
  const raised = exceptions(trace);
  return (
    <Stack sx={{ gap: 2 }}>
      <Summary trace={trace} />
      {isCut && <Alert severity="warning">The trace has more spans and logs than one answer of Logfire can have: the first are shown.</Alert>}
      {spans.length ? <Waterfall trace={trace} selected={selected} /> : <Alert severity="info">Of this trace there are only logs: its spans were not kept or have not arrived yet.</Alert>}
      {raised.length > 0 && (
        <Section title="Exceptions">
          {raised.map((one, place) => (
            <Exception key={place} raised={one} isOpen={place === 0} />
          ))}
        </Section>
      )}
      <Section title="Logs" more={logs.length > 0 && <Link component={RouterLink} to={logsOf(trace)} data-testid="logs-link">Search these logs</Link>}>
        {logs.length ? <TraceLogs trace={trace} selected={selected} /> : <Typography color="text.secondary">No logs were written in this trace.</Typography>}
      </Section>
    </Stack>
  );
}

function Summary({ trace }: { trace: Trace }): ReactElement {
  const { id, spans, logs } = trace;
  const project = useConfig().data?.logfire_project_url;
  const { formatWithUserTimeZone } = useTimeZone();
  const [start, end] = bounds(trace);
  const failed = spans.filter((span) => span.failed).length;
  return (
    <Stack direction="row" sx={{ alignItems: "center", gap: 1, flexWrap: "wrap" }} data-testid="summary">
      <Chip size="small" color={failed ? "error" : "success"} label={failed ? "error" : "ok"} data-testid="trace-status" />
      <Typography>
        {formatWithUserTimeZone(new Date(start), "yyyy-MM-dd HH:mm:ss.SSS")}, {duration(end - start)}, {count(spans.length, "span")}, {count(logs.length, "log")}
        {failed > 0 && `, ${count(failed, "span")} with an error`}
      </Typography>
      <Stack direction="row" sx={{ columnGap: 1.5, flexWrap: "wrap", justifyContent: "flex-end", ml: "auto" }}>
        {dashboards(trace, window.location.origin).map(({ service, here, elsewhere }) => (
          <Box key={service} component="span" sx={{ whiteSpace: "nowrap" }}>
            <Link component={RouterLink} to={here} data-testid="dashboard-link">
              Dashboard of {service}
            </Link>
            {elsewhere && <> (<Outside href={elsewhere} testid="grafana-link">Grafana</Outside>)</>}
          </Box>
        ))}
        {project && <Outside href={inLogfire(project, id)} testid="logfire-link">Open in Logfire</Outside>}
      </Stack>
    </Stack>
  );
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

const Outside = ({ href, testid, children }: { href: string; testid: string; children: ReactNode }): ReactElement => (
  <Link href={href} target="_blank" rel="noreferrer" data-testid={testid}>
    {children}
  </Link>
);

function Section({ title, more, children }: { title: string; more?: ReactNode; children: ReactNode }): ReactElement {
  return (
    <Box component="section" aria-label={title}>
      <Stack direction="row" sx={{ gap: 2, alignItems: "baseline", pb: 0.5 }}>
        <Typography variant="h3" component="h2">
          {title}
        </Typography>
        {more}
      </Stack>
      {children}
    </Box>
  );
}

function TraceLogs({ trace, selected }: { trace: Trace; selected: string }): ReactElement {
  const [start] = bounds(trace);
  return (
    <Logs
      logs={trace.logs}
      marked={selected}
      time={(log) => `+ ${duration(log.start - start)}`}
      jump={(log) => {
        const span = spanOf(log, trace.spans);
        return span ? { to: `?span=${span.spanId}`, title: span.name } : null;
      }}
    />
  );
}
