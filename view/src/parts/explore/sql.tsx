// The result of an SQL query on Logfire's records.
import type { ReactElement } from "react";
import { useQuery } from "@tanstack/react-query";
import { Box, Paper, Skeleton, Typography } from "@mui/material";
import { useTimeRange } from "@perses-dev/plugin-system";
import { sql } from "../../api";
import { Rows } from "../rows";
import { Failed } from "../section";

export const LIMIT = 1_000; // rows
const FEW = 12; // more scroll in their own box, below their names

export function SqlResult({ query }: { query: string }): ReactElement {
  const { absoluteTimeRange: range, refreshKey } = useTimeRange();
  const answer = useQuery({
    queryKey: ["explore", "sql", query, +range.start, +range.end, refreshKey],
    queryFn: () => sql(query, range, LIMIT),
    keepPreviousData: true,
  });
  if (answer.error) return <Failed error={answer.error} />;
  if (!answer.data) return <Skeleton variant="rounded" height={160} />;
  const count = answer.data.length;
  return (
    <Paper variant="outlined">
      <Typography variant="body2" color="text.secondary" sx={{ px: 1, py: 0.75 }}>
        {count === LIMIT ? `The first ${LIMIT} rows: more are not fetched.` : `${count} ${count === 1 ? "row" : "rows"}.`}
      </Typography>
      {count > 0 && (
        <Box sx={{ height: count > FEW ? 560 : "auto" }}>
          <Rows rows={answer.data} />
        </Box>
      )}
    </Paper>
  );
}
