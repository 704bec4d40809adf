import type { ReactElement } from "react";
import { useQuery } from "@tanstack/react-query";
import { Box, LinearProgress, Link, Stack, Typography } from "@mui/material";
import { Link as To } from "react-router-dom";
import { named, number, valueOf, type Named } from "../named";
import { percent, short } from "../numbers";
import type { Tone } from "../dot";
import { Section } from "../section";
import { every, useMissing } from "./refresh";

const QUERIES = {
  left: "slo:error_budget_remaining:ratio",
  objective: "slo:objective:ratio",
  burn: "slo:sli_error:ratio_rate1h / on (slo) group_left () slo:error_budget:ratio",
};

interface Budget {
  slo: string;
  job: string;
  left: number;
  objective: number | undefined;
  burn: number | undefined;
}

export function Budgets(): ReactElement {
  const missing = useMissing();
  const query = useQuery({
    queryKey: ["home", "budgets"],
    queryFn: async () => budgets(await named(QUERIES)),
    enabled: !missing,
    refetchInterval: every((found: Budget[]) => !found.length),
  });
  return (
    <Section
      title="Error budgets"
      testid="home-budgets"
      query={query}
      missing={missing}
      more={{ to: "/d/agentical-slos", text: "SLOs" }}
      waiting={(found) => (found.length ? null : "Waiting for the first requests: a budget needs at least one.")}
    >
      {(found) => (
        <Stack spacing={1.25}>
          {found.map((each) => (
            <Bar key={`${each.slo} ${each.job}`} budget={each} />
          ))}
        </Stack>
      )}
    </Section>
  );
}

function budgets({ left, objective, burn }: Named<keyof typeof QUERIES>): Budget[] {
  const found = left.map((sample) => {
    const { slo = "", job = "" } = sample.metric;
    return { slo, job, left: number(sample), objective: valueOf(objective, { slo }), burn: valueOf(burn, { slo, job }) };
  });
  return found.sort((a, b) => a.left - b.left);
}

function Bar({ budget: { slo, job, left, objective, burn } }: { budget: Budget }): ReactElement {
  const tone: Tone = left < 0.25 ? "error" : left < 0.5 ? "warning" : "success";
  const name = slo.replaceAll("_", " ");
  return (
    <Box>
      <Stack direction="row" sx={{ justifyContent: "space-between", gap: 1 }}>
        <Link component={To} to={`/d/agentical-slos?var-job=${encodeURIComponent(job)}`} variant="body2" noWrap title={`${name} of ${job}`}>
          <Box component="span" sx={{ textTransform: "capitalize" }}>{name}</Box> · {job}
        </Link>
        <Typography variant="body2" noWrap sx={{ fontWeight: 600, color: left < 0 ? "error.main" : undefined }}>
          {left < 0 ? `missed by ${percent(-left)}` : `${percent(left)} left`}
        </Typography>
      </Stack>
      <LinearProgress
        variant="determinate"
        color={tone}
        value={Math.min(1, Math.max(0, left)) * 100}
        aria-label={`Error budget of ${name}, ${job}`}
        sx={{ height: 8, borderRadius: 1, my: 0.25 }}
      />
      <Typography variant="caption" color="text.secondary">
        {objective !== undefined && `objective ${percent(objective)}`}
        {burn !== undefined && ` · burns at ${short(burn)}× in the last hour`}
      </Typography>
    </Box>
  );
}
