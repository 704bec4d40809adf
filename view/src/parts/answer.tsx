// The states of a question to a backend: asked, failed, without rows, answered.
import type { ReactElement, ReactNode } from "react";
import type { UseQueryResult } from "@tanstack/react-query";
import { Alert, Box, Button, LinearProgress } from "@mui/material";

interface Props<T> {
  query: UseQueryResult<T>;
  isEmpty: (found: T) => boolean;
  empty: ReactNode;
  children: (found: T) => ReactNode;
}

export function Answer<T>({ query, isEmpty, empty, children }: Props<T>): ReactElement {
  const { data, error, isFetching, isPreviousData, refetch } = query;
  const again = (
    <Button color="inherit" size="small" sx={{ whiteSpace: "nowrap" }} onClick={() => void refetch()}>
      Try again
    </Button>
  );
  return (
    <>
      <Box sx={{ height: 4, mb: 1 }}>{isFetching && <LinearProgress aria-label="Loading" />}</Box>
      {error instanceof Error && (
        <Alert severity="error" action={again} sx={{ mb: 1 }}>
          {error.message}
        </Alert>
      )}
      {/* An answer to the search before says nothing about this one. */}
      {data !== undefined && !error && isEmpty(data) && !isPreviousData && (
        <Alert severity="info" action={again} data-testid="nothing">
          {empty}
        </Alert>
      )}
      {data !== undefined && !error && !isEmpty(data) && children(data)}
    </>
  );
}
