// Which alert rule an expression belongs to: notifications link to an expression, not to a rule.
import type { ReactElement } from "react";
import { Alert, Link } from "@mui/material";
import { Link as To } from "react-router-dom";
import { useRules } from "../alerts/use";
import type { Rule } from "../alerts/model";

const plain = (query: string): string => query.replace(/\s+/g, "");

export const ruleOf = (rules: Rule[], query: string): Rule | undefined => rules.find((rule) => plain(rule.query) === plain(query));

export function RuleOf({ query }: { query: string }): ReactElement | null {
  const rules = useRules().data ?? [];
  const rule = query ? ruleOf(rules, query) : undefined;
  if (!rule) return null;
  const isActive = (rule.alerts ?? []).length > 0;
  return (
    <Alert severity={isActive ? "warning" : "info"} data-testid="explore-rule" sx={{ mb: 1.5 }}>
      This is the expression of the alert{" "}
      <Link component={To} to={`/alerts?${new URLSearchParams({ name: rule.name })}`}>{rule.name}</Link>
      {rule.annotations["summary"] && `: ${rule.annotations["summary"]}`}
    </Alert>
  );
}
