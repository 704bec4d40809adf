import type { ReactElement } from "react";
import { useQuery } from "@tanstack/react-query";
import { Box, Link, Table, TableBody, TableCell, TableHead, TableRow, Typography } from "@mui/material";
import { Link as To } from "react-router-dom";
import { ago, percent } from "../numbers";
import { Dot } from "../dot";
import { named } from "../named";
import { Section } from "../section";
import { every, useMissing } from "./refresh";
import { BOARD, QUERIES, running, status, type Running } from "./running";

export function Services(): ReactElement {
  const missing = useMissing();
  const query = useQuery({
    queryKey: ["home", "services"],
    queryFn: async () => running(await named(QUERIES)),
    enabled: !missing,
    refetchInterval: every((found: Running[]) => !found.some(({ kind }) => kind === "service")),
  });
  return (
    <Section
      title="What runs"
      testid="home-services"
      query={query}
      missing={missing}
      waiting={(found) => (found.length ? null : "Waiting for the first metrics: they arrive within 15 s of the start.")}
    >
      {(found) => (
        <Table size="small" aria-label="What runs" sx={{ "& td, & th": { px: 1, py: 0.5, whiteSpace: "nowrap" } }}>
          <TableHead>
            <TableRow>
              <TableCell>Name</TableCell>
              <TableCell>Version or address</TableCell>
              <TableCell>Load</TableCell>
              <TableCell align="right">Errors</TableCell>
              <TableCell align="right">Last seen</TableCell>
              <TableCell align="right">Open</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {found.map((each) => (
              <Line key={`${each.kind} ${each.job} ${each.detail}`} each={each} />
            ))}
          </TableBody>
        </Table>
      )}
    </Section>
  );
}

const BAD = 0.01; // a share of errors that is shown in red

function Line({ each }: { each: Running }): ReactElement {
  const { kind, job, name, detail, load, errors, age } = each;
  const chosen = kind === "service" || kind === "database" ? `?var-job=${encodeURIComponent(job)}` : "";
  return (
    <TableRow hover>
      <TableCell>
        <Box sx={{ display: "flex", alignItems: "center", gap: 0.75 }}>
          <Dot {...status(age)} />
          {name}
        </Box>
      </TableCell>
      <TableCell sx={{ color: "text.secondary", maxWidth: 170, overflow: "hidden", textOverflow: "ellipsis" }}>{detail}</TableCell>
      <TableCell>{load || "–"}</TableCell>
      <TableCell align="right" sx={(errors ?? 0) >= BAD ? { color: "error.main" } : {}}>
        {errors === null ? "" : percent(errors)}
      </TableCell>
      <TableCell align="right">{ago(age)}</TableCell>
      <TableCell align="right">
        <Typography variant="body2" component="span" sx={{ display: "inline-flex", gap: 1.25 }}>
          <Link component={To} to={`/d/${BOARD[kind]}${chosen}`} aria-label={`Dashboard of ${name}`}>
            Dashboard
          </Link>
          {kind === "service" && (
            <Link component={To} to={`/traces?var-job=${encodeURIComponent(job)}`} aria-label={`Traces of ${name}`}>
              Traces
            </Link>
          )}
        </Typography>
      </TableCell>
    </TableRow>
  );
}
