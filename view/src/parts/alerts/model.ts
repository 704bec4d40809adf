// The alerts of both systems in one form. Prometheus says what fires, Alertmanager what it holds back.
import { heldBack, type Held, type Silence } from "./held";

export type System = "Prometheus" | "Logfire";
/** `unknown`: the rule cannot be evaluated. */
export type State = "firing" | "unknown" | "pending" | "silenced" | "inhibited" | "inactive";
export type Labels = Record<string, string>;
export type Severity = "critical" | "warning" | "none" | (string & {});

/** A rule of Prometheus, as its API has it. */
export interface Rule {
  type: string;
  name: string;
  query: string;
  duration: number;
  labels: Labels;
  annotations: Labels;
  alerts?: Active[];
  health: string;
  lastError?: string;
  lastEvaluation: string;
}

export interface Active {
  labels: Labels;
  annotations: Labels;
  state: "firing" | "pending";
  activeAt: string;
  value: string;
}

/** An alert of Logfire, as the page's server evaluates it. */
export interface SqlAlert {
  name: string;
  severity: Severity;
  means: string;
  action: string;
  firing: boolean;
  rows: Record<string, unknown>[];
  evaluated: string;
  runbook_url: string;
  dashboard_url: string;
  frequency: string;
  window: string;
  error: string | null;
}

export interface Entry {
  key: string;
  name: string;
  severity: Severity;
  system: System;
  state: State;
  /** Why Alertmanager does not notify. */
  heldBy: string;
  since: Date | null;
  labels: Labels;
  value: number | null;
  summary: string;
  description: string;
  action: string;
  expr: string | null;
  waits: string;
  /** The window of an SQL query. */
  window: string;
  evaluated: string;
  error: string;
  rows: Record<string, unknown>[];
  runbook: string | null;
  dashboard: string | null;
}

const HIDDEN = new Set(["alertname", "severity", "pillar"]);

/** Returns an entry for each active alert, and one for each rule that has none. */
export function ofPrometheus(rules: Rule[], held: Held[], silences: Silence[]): Entry[] {
  return rules
    .filter(({ type }) => type === "alerting")
    .flatMap((rule, place) => {
      const active = rule.alerts ?? [];
      const key = `${rule.name} ${rule.labels["severity"]} ${place}`;
      if (!active.length) return [entry(rule, key)];
      return active.map((alert, at) => {
        const { state, heldBy } = heldBack(alert, held, silences);
        return {
          ...entry(rule, `${key} ${at}`, alert.annotations),
          state,
          heldBy,
          since: new Date(alert.activeAt),
          labels: Object.fromEntries(Object.entries(alert.labels).filter(([name]) => !HIDDEN.has(name))),
          value: Number(alert.value),
        };
      });
    });
}

/** Returns a rule as an entry; without annotations of an alert, those of the rule without their templates. */
function entry(rule: Rule, key: string, annotations: Labels = untemplated(rule.annotations)): Entry {
  return {
    key,
    name: rule.name,
    severity: rule.labels["severity"] ?? "none",
    system: "Prometheus",
    state: rule.health === "err" ? "unknown" : "inactive",
    heldBy: "",
    since: null,
    labels: {},
    value: null,
    summary: annotations["summary"] ?? "",
    description: annotations["description"] ?? "",
    action: annotations["action"] ?? "",
    expr: rule.query,
    waits: `${rule.duration} s`,
    window: "",
    evaluated: rule.lastEvaluation,
    error: rule.health === "err" ? (rule.lastError ?? "the last evaluation failed") : "",
    rows: [],
    runbook: annotations["runbook_url"] ?? null,
    dashboard: annotations["dashboard_url"] ?? null,
  };
}

/** Returns URLs up to their first template, and other annotations only without one: a rule has no labels to fill in. */
function untemplated(annotations: Labels): Labels {
  return Object.fromEntries(
    Object.entries(annotations).map(([name, text]) => {
      const [plain = ""] = text.split("{{");
      return [name, plain === text || name.endsWith("_url") ? plain : ""];
    }),
  );
}

export const ofLogfire = (alerts: SqlAlert[]): Entry[] =>
  alerts.map((alert) => ({
    key: `logfire ${alert.name} ${alert.severity}`,
    name: alert.name,
    severity: alert.severity,
    system: "Logfire",
    state: alert.firing ? "firing" : alert.error ? "unknown" : "inactive",
    heldBy: "",
    since: null,
    labels: {},
    value: null,
    summary: alert.means,
    description: "",
    action: alert.action,
    expr: null,
    waits: `every ${alert.frequency}, over the last ${alert.window}`,
    window: alert.window,
    evaluated: alert.evaluated,
    error: alert.error ?? "",
    rows: alert.rows,
    runbook: alert.runbook_url,
    dashboard: alert.dashboard_url,
  }));
