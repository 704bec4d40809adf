// Links from a trace: to its logs, to the dashboard of a service, here and in Grafana, and to Logfire's own page.
import type { Trace } from "./trace";
import { bounds } from "./trace";

const BOARD = "/d/agentical-application";
const AROUND = 5 * 60_000; // milliseconds before and after the trace, so that the lines have some points

export interface DashboardLinks {
  service: string;
  here: string;
  elsewhere: string | null; // Grafana, if `dashboard.url` leads to another server
}

/** Returns the link to the search for the trace's logs. */
export function logsOf(trace: Trace): string {
  const [start, end] = around(trace);
  return `/logs?${new URLSearchParams({ trace: trace.id, start, end })}`;
}

function around(trace: Trace): [string, string] {
  const [start, end] = bounds(trace);
  return [`${Math.floor(start - AROUND)}`, `${Math.ceil(end + AROUND)}`];
}

/** Returns the links to the dashboard of each service in the trace, around its time. */
export function dashboards(trace: Trace, origin: string): DashboardLinks[] {
  const [from, to] = around(trace);
  const range = { from, to };
  const urls = new Map<string, unknown>();
  for (const { service, resource } of [...trace.spans, ...trace.logs]) {
    if (service) urls.set(service, urls.get(service) ?? resource["dashboard.url"]);
  }
  return [...urls].map(([service, url]) => {
    const own = `${BOARD}?${new URLSearchParams({ "var-job": service, ...range })}`;
    const set = web(url, origin);
    if (!set) return { service, here: own, elsewhere: null };
    for (const [name, value] of Object.entries(range)) set.searchParams.set(name, value);
    // A path of two slashes would be another host.
    if (set.origin === origin && set.pathname.startsWith("//")) return { service, here: own, elsewhere: null };
    if (set.origin === origin) return { service, here: `${set.pathname}${set.search}`, elsewhere: null };
    return { service, here: own, elsewhere: set.href };
  });
}

/** Returns a URL of the web, or null: an attribute is whatever a service sent, `javascript:` included. */
function web(text: unknown, origin: string): URL | null {
  if (typeof text !== "string" || !URL.canParse(text, origin)) return null;
  const url = new URL(text, origin);
  return /^https?:$/.test(url.protocol) ? url : null;
}

/** Returns the link to a trace in Logfire, in the form that Logfire itself uses. */
export const inLogfire = (project: string, id: string): string =>
  `${project}?q=${encodeURIComponent(`trace_id='${id}'`)}&traceId=${id}&last=30d`;
