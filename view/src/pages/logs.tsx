// The search for logs: a row opens to its attributes and leads to the trace it was written in.
import type { ReactElement } from "react";
import { useTimeZone } from "@perses-dev/components";
import { asEntry, type Entry } from "../logfire/entries";
import { logsSql } from "../logfire/search";
import { Found } from "../parts/found";
import { Logs as List, type Jump } from "../parts/logs";
import { WithRange } from "../parts/range";
import { Search } from "../parts/search";

const FIELDS = ["level", "text", "trace"] as const;

export const Logs = (): ReactElement => (
  <WithRange title="Logs">
    <Search fields={FIELDS} />
    <Found what="log" ask={logsSql} read={asEntry}>
      {(logs) => <Lines logs={logs} />}
    </Found>
  </WithRange>
);

function Lines({ logs }: { logs: Entry[] }): ReactElement {
  const { formatWithUserTimeZone } = useTimeZone();
  return <List logs={logs} jump={toTrace} time={({ start }) => formatWithUserTimeZone(new Date(start), "yyyy-MM-dd HH:mm:ss.SSS")} />;
}

const toTrace = ({ traceId, parentId }: Entry): Jump | null =>
  traceId ? { to: `/traces/${traceId}${parentId ? `?span=${parentId}` : ""}`, title: "Trace" } : null;
