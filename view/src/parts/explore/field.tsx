// Where a query is written: with completion of metric names and labels for PromQL, plain for SQL.
import { useMemo, type KeyboardEvent, type ReactElement } from "react";
import { Box, TextField } from "@mui/material";
import { PromQLEditor } from "@perses-dev/prometheus-plugin";
import { PROMETHEUS } from "../../perses/source";
import type { Lang } from "./examples";

interface Given {
  lang: Lang;
  text: string;
  write: (text: string) => void;
  run: () => void;
}

export function Field({ lang, text, write, run }: Given): ReactElement {
  // Before the editor sees it: there, Ctrl-Enter is a new line.
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };
  return (
    <Box onKeyDownCapture={keys} sx={{ flex: 1, minWidth: 0 }}>
      {lang === "promql" ? (
        <Promql text={text} write={write} />
      ) : (
        <TextField
          label="SQL"
          value={text}
          onChange={({ target }) => write(target.value)}
          multiline
          minRows={3}
          maxRows={16}
          fullWidth
          placeholder="SELECT start_timestamp, message FROM records ORDER BY start_timestamp DESC"
          slotProps={{ htmlInput: { spellCheck: false, style: { fontFamily: "monospace", fontSize: 13 }, "data-testid": "explore-query" }, inputLabel: { shrink: true } }}
        />
      )}
    </Box>
  );
}

const SELECTOR = { kind: "PrometheusDatasource" } as const;
const URL_OF_PROMETHEUS = (PROMETHEUS.spec.plugin.spec as { directUrl: string }).directUrl;

function Promql({ text, write }: Pick<Given, "text" | "write">): ReactElement {
  const complete = useMemo(() => ({ remote: { url: URL_OF_PROMETHEUS } }), []);
  return (
    <PromQLEditor
      completeConfig={complete}
      datasource={SELECTOR}
      value={text}
      onChange={write}
      minHeight="64px"
      // Tab moves on, as it does everywhere else.
      indentWithTab={false}
      onCreateEditor={({ contentDOM }) => contentDOM.setAttribute("aria-label", "PromQL")}
    />
  );
}
