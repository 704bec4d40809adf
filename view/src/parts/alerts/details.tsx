import type { ReactElement, ReactNode } from "react";
import { Box, Link, Typography } from "@mui/material";
import { Link as To } from "react-router-dom";
import { ago } from "../numbers";
import { Rows } from "../rows";
import type { Entry } from "./model";

export function Details({ entry }: { entry: Entry }): ReactElement {
  const { expr, system, waits, description, action, evaluated, rows, error } = entry;
  const at = new Date(evaluated);
  const seconds = (Date.now() - +at) / 1000;
  return (
    <Box component="dl" data-testid="alert-details" sx={{ m: 0, mb: 1.5, ml: "44px", display: "grid", gridTemplateColumns: "max-content minmax(0, 1fr)", columnGap: 2, rowGap: 0.5, fontSize: 13 }}>
      <Fact name="Description" text={description} />
      <Fact name="Action" text={action} />
      {expr && (
        <Fact name="Expression">
          <Typography component="code" sx={{ fontFamily: "monospace", fontSize: 12, overflowWrap: "anywhere" }}>{expr}</Typography>{" "}
          <Link component={To} to={`/explore?${new URLSearchParams({ lang: "promql", q: expr })}`}>Explore</Link>
        </Fact>
      )}
      <Fact name={system === "Logfire" ? "Evaluated" : "Fires after"} text={waits} />
      <Fact name="Last evaluation" text={Number.isNaN(+at) || seconds > 1e9 ? "not yet" : `${ago(seconds)}${error ? `, failed: ${error}` : ", without error"}`} />
      {rows.length > 0 && (
        <Fact name="Rows">
          <Rows rows={rows} />
        </Fact>
      )}
    </Box>
  );
}

function Fact({ name, text, children }: { name: string; text?: string; children?: ReactNode }): ReactElement | null {
  if (!text && !children) return null;
  return (
    <>
      <Box component="dt" sx={{ color: "text.secondary" }}>{name}</Box>
      <Box component="dd" sx={{ m: 0, minWidth: 0 }}>{children ?? text}</Box>
    </>
  );
}
