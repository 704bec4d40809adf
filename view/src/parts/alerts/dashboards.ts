// The dashboard of an alert, in this page where it is one of its own.
import type { Entry } from "./model";

const BEFORE = 3_600_000; // milliseconds that are shown before the alert became active

/**
 * Returns the path with the alert's variables and, for an active one, the time from an hour before it
 * until now; null if the link leads elsewhere.
 *
 * Variables are in Grafana's form: the page of the dashboard translates them when it opens, so that `now` is then.
 */
export function dashboardOf({ dashboard, since }: Pick<Entry, "dashboard" | "since">): string | null {
  if (!dashboard) return null;
  // The origin is that of Grafana, or none.
  const url = URL.canParse(dashboard, window.location.origin) ? new URL(dashboard, window.location.origin) : null;
  if (!url?.pathname.startsWith("/d/")) return null;
  url.searchParams.delete("orgId");
  if (since) {
    url.searchParams.set("from", `${+since - BEFORE}`);
    url.searchParams.set("to", "now");
  }
  return `${url.pathname}${url.search}`;
}
