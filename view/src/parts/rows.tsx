// A table of rows: columns in the order of the first row, trace ids as links.
import type { ReactElement, ReactNode } from "react";
import { Link as RouterLink } from "react-router-dom";
import { Link, Table, TableBody, TableCell, TableContainer, TableHead, TableRow } from "@mui/material";
import type { Row } from "../api";
import { asText } from "../logfire/values";

const TRACE_ID = /^[0-9a-f]{32}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

interface Props {
  rows: readonly Row[];
  /** The beginnings of links, by the column whose values they end with. */
  links?: Record<string, string>;
}

export function Rows({ rows, links = {} }: Props): ReactElement {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  return (
    <TableContainer sx={{ height: "100%" }} tabIndex={0} aria-label="Rows">
      <Table size="small" stickyHeader>
        <TableHead>
          <TableRow>
            {columns.map((name) => (
              <TableCell key={name} sx={{ whiteSpace: "nowrap" }}>
                {name}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map((row, place) => (
            <TableRow key={place} hover>
              {columns.map((name) => (
                <TableCell key={name} title={asText(row[name])} sx={{ maxWidth: 320, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}>
                  <Value value={row[name]} link={links[name]} />
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

function Value({ value, link }: { value: unknown; link: string | undefined }): ReactNode {
  if (typeof value === "number" && !Number.isInteger(value)) return value.toPrecision(4);
  const text = asText(value);
  if (TIME.test(text)) return new Date(text).toLocaleString();
  if (link) return <Link component={RouterLink} to={`${link}${encodeURIComponent(text)}`}>{text}</Link>;
  if (!TRACE_ID.test(text)) return text;
  return (
    <Link component={RouterLink} to={`/traces/${text}`} data-testid="trace-link">
      {text.slice(0, 12)}…
    </Link>
  );
}
