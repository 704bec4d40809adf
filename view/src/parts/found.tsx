// What the searches for traces and logs share: the query of what the address asks for, and its limit.
import type { ReactElement, ReactNode } from "react";
import { useSearchParams } from "react-router-dom";
import { useQuery } from "@tanstack/react-query";
import { Alert, Typography } from "@mui/material";
import { useTimeRange } from "@perses-dev/plugin-system";
import { sql, type Row } from "../api";
import { fromAddress, inWords, problemOf, type Filters } from "../logfire/filters";
import { MOST } from "../logfire/search";
import { Answer } from "./answer";

interface Props<Item> {
  what: "trace" | "log";
  ask: (filters: Filters) => string;
  read: (row: Row) => Item;
  children: (items: Item[]) => ReactNode;
}

export function Found<Item>({ what, ask, read, children }: Props<Item>): ReactElement {
  const filters = fromAddress(useSearchParams()[0]);
  const range = useTimeRange().absoluteTimeRange;
  const problem = problemOf(filters);
  const query = useQuery({
    queryKey: [what, filters, +range.start, +range.end],
    queryFn: async () => (await sql(ask(filters), range)).map(read),
    enabled: !problem,
    keepPreviousData: true,
  });
  if (problem) return <Alert severity="warning" sx={{ mt: 1.5 }}>{problem}</Alert>;
  return (
    <Answer query={query} isEmpty={(items) => !items.length} empty={`No ${what} ${inWords(filters)} in this time range.`}>
      {(items) => (
        <>
          {children(items.slice(0, MOST))}
          {items.length > MOST && (
            <Typography variant="body2" color="text.secondary" sx={{ p: 1 }} data-testid="more">
              There are more: these are the {what === "trace" && filters.sort === "slowest" ? "slowest" : "newest"} {MOST}. Narrow the search or the time range to see others.
            </Typography>
          )}
        </>
      )}
    </Answer>
  );
}
