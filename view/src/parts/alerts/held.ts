// What Alertmanager does not notify about, although it fires: silenced, or inhibited by another alert.
import type { Active, Entry, Labels } from "./model";

/** An alert of Alertmanager. */
export interface Held {
  labels: Labels;
  fingerprint: string;
  status: { state: string; silencedBy: string[]; inhibitedBy: string[] };
}

export interface Silence {
  id: string;
  comment: string;
  createdBy: string;
  endsAt: string;
}

/** Returns the state of an active alert, and why it is held back. */
export function heldBack(alert: Active, held: Held[], silences: Silence[]): Pick<Entry, "state" | "heldBy"> {
  if (alert.state === "pending") return { state: "pending", heldBy: "" };
  // Alertmanager's labels may be more: external labels of Prometheus.
  const found = held.find(({ labels }) => Object.entries(alert.labels).every(([name, value]) => labels[name] === value));
  const { silencedBy = [], inhibitedBy = [] } = found?.status ?? {};
  if (silencedBy.length) return { state: "silenced", heldBy: silencedBy.map((id) => silence(id, silences)).join("; ") };
  if (!inhibitedBy.length) return { state: "firing", heldBy: "" };
  const names = inhibitedBy.map((print) => held.find(({ fingerprint }) => fingerprint === print)?.labels["alertname"] ?? print);
  return { state: "inhibited", heldBy: `by ${[...new Set(names)].join(", ")}` };
}

function silence(id: string, silences: Silence[]): string {
  const found = silences.find((each) => each.id === id);
  if (!found) return `by silence ${id}`;
  return `by ${found.createdBy} until ${new Date(found.endsAt).toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" })}: ${found.comment}`;
}
