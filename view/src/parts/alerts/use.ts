// The alerts of both systems, asked for side by side: one that does not answer does not hide the other.
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { getJson, useConfig } from "../../api";
import type { Held, Silence } from "./held";
import { ofLogfire, ofPrometheus, type Entry, type Rule, type SqlAlert } from "./model";

const REFRESH = 10_000; // milliseconds

export const useRules = (enabled = true): UseQueryResult<Rule[]> =>
  useQuery({
    enabled,
    queryKey: ["alerts", "rules"],
    queryFn: async () => {
      const answer = await getJson<{ data: { groups: { rules: Rule[] }[] } }>("/api/prometheus/api/v1/rules?type=alert");
      return answer.data.groups.flatMap(({ rules }) => rules);
    },
    refetchInterval: REFRESH,
  });

export interface Alerts {
  entries: Entry[];
  /** Whether an answer is still missing. */
  isLoading: boolean;
  /** Sentences. */
  errors: string[];
  /** Why there is nothing to show. */
  missing: string | null;
}

export function useAlerts(): Alerts {
  const config = useConfig().data;
  const rules = useRules(config?.prometheus !== false);
  const held = useAlertmanager<Held[]>("alerts", config?.alertmanager);
  const silences = useAlertmanager<Silence[]>("silences", config?.alertmanager);
  const logfire = useQuery({
    queryKey: ["alerts", "logfire"],
    queryFn: () => getJson<SqlAlert[]>("/api/logfire-alerts"),
    enabled: config?.logfire === true,
    refetchInterval: 3 * REFRESH, // the server evaluates them no more often
  });
  const hasRules = config?.prometheus !== false;
  const asked = [
    ...(hasRules ? ([["Prometheus", rules]] as const) : []),
    ["Alertmanager", held],
    ["Logfire", logfire],
  ] as const;
  return {
    entries: [
      ...(rules.error ? [] : ofPrometheus(rules.data ?? [], held.data ?? [], silences.data ?? [])),
      ...(logfire.error ? [] : ofLogfire(logfire.data ?? [])),
    ],
    isLoading: asked.some(([, { isInitialLoading }]) => isInitialLoading),
    errors: asked.flatMap(([what, { error }]) => (error instanceof Error ? [naming(what, error.message)] : [])),
    missing: hasRules || config.logfire ? null : "Nothing evaluates alerts: neither Prometheus nor Logfire is configured.",
  };
}

const naming = (what: string, message: string): string => (message.includes(what) ? message : `${what}: ${message}`);

const useAlertmanager = <Data>(path: string, enabled = false): UseQueryResult<Data> =>
  useQuery({
    queryKey: ["alerts", "alertmanager", path],
    queryFn: () => getJson<Data>(`/api/alertmanager/api/v2/${path}`),
    enabled,
    refetchInterval: REFRESH,
  });
