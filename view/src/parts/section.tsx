// A box with a title whose content comes from a query: it shows by itself that it loads, why it failed, or
// what it waits for.
import type { ReactElement, ReactNode } from "react";
import type { UseQueryResult } from "@tanstack/react-query";
import { Alert, Box, Link, Paper, Skeleton, Stack, Typography } from "@mui/material";
import { Link as To } from "react-router-dom";

interface Given<Data> {
  title: string;
  testid: string;
  query: Pick<UseQueryResult<Data>, "data" | "error">;
  /** What the box waits for, if data is not there yet. */
  waiting?: (data: Data) => string | null;
  /** What is not configured, so that there is nothing to ask. */
  missing?: string | undefined;
  more?: { to: string; text: string };
  children: (data: Data) => ReactNode;
}

export function Section<Data>({ title, testid, more, ...content }: Given<Data>): ReactElement {
  return (
    <Paper component="section" aria-label={title} variant="outlined" data-testid={testid} sx={{ p: 1.5, minWidth: 0 }}>
      <Stack direction="row" sx={{ justifyContent: "space-between", alignItems: "baseline", mb: 0.75 }}>
        <Typography variant="h4" component="h2">
          {title}
        </Typography>
        {more && (
          <Link component={To} to={more.to} variant="body2">
            {more.text}
          </Link>
        )}
      </Stack>
      <Content {...content} />
    </Paper>
  );
}

function Content<Data>({ query, waiting, missing, children }: Omit<Given<Data>, "title" | "testid" | "more">): ReactElement {
  const { data, error } = query;
  if (missing) return <Waiting text={missing} />;
  if (error) return <Failed error={error} />;
  if (data === undefined) return <Skeleton variant="rounded" height={72} />;
  const sentence = waiting?.(data);
  return sentence ? <Waiting text={sentence} /> : <>{children(data)}</>;
}

export const Failed = ({ error }: { error: unknown }): ReactElement => (
  <Alert severity="error" sx={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
    {error instanceof Error ? error.message : String(error)}
  </Alert>
);

const Waiting = ({ text }: { text: string }): ReactElement => (
  <Box sx={{ py: 2, textAlign: "center" }} data-testid="waiting">
    <Typography variant="body2" color="text.secondary">
      {text}
    </Typography>
  </Box>
);
