// Which alerts are shown, and in which order.
import type { Entry, State } from "./model";

export interface Filter {
  text: string;
  system: string;
  state: string;
}

export interface Groups {
  active: Entry[];
  quiet: Entry[];
  /** Rules that only inhibit others and notify nobody. */
  inhibitors: Entry[];
}

export const STATES: readonly State[] = ["firing", "unknown", "pending", "silenced", "inhibited", "inactive"];
const SEVERITIES = ["critical", "warning"];

export function grouped(entries: Entry[], filter: Filter): Groups {
  const found = entries.filter((entry) => matches(entry, filter)).sort(before);
  const shown = found.filter(({ severity }) => severity !== "none");
  return {
    active: shown.filter(({ state }) => state !== "inactive"),
    quiet: shown.filter(({ state }) => state === "inactive"),
    inhibitors: found.filter(({ severity }) => severity === "none"),
  };
}

function matches(entry: Entry, { text, system, state }: Filter): boolean {
  const searched = [entry.name, entry.summary, entry.severity, ...Object.values(entry.labels)].join("\n").toLowerCase();
  return (
    (!system || entry.system.toLowerCase() === system) &&
    (!state || entry.state === state) &&
    text.toLowerCase().split(/\s+/).every((word) => searched.includes(word))
  );
}

function before(a: Entry, b: Entry): number {
  return (
    STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
    rank(a) - rank(b) ||
    +(b.since ?? 0) - +(a.since ?? 0) ||
    a.name.localeCompare(b.name)
  );
}

function rank({ severity }: Entry): number {
  const place = SEVERITIES.indexOf(severity);
  return place < 0 ? SEVERITIES.length : place;
}
