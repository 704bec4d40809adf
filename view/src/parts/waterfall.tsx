// Perses' waterfall of a trace, with what it lacks: its rows can be reached and opened with the keyboard.
import { useEffect, useMemo, useRef, type KeyboardEvent, type ReactElement } from "react";
import { Box } from "@mui/material";
import type { TraceData } from "@perses-dev/core";
import { BuiltinVariableContext, ReactRouterProvider, VariableContext } from "@perses-dev/plugin-system";
import { TracingGanttChartPanel, type TracingGanttChartOptions } from "@perses-dev/tracing-gantt-chart-plugin";
import { asOtlp, type Trace } from "../logfire/trace";

const ROW = "[data-item-index] > .MuiStack-root";
const HEADER = ".MuiStack-root:has(+ [data-virtuoso-scroller])";
const NAMES = "max(300px, 38%)";
const ROW_HEIGHT = 32;
const LINKS = { trace: "/traces/${traceId}", span: "/traces/${traceId}?span=${spanId}" };

// Upstream's widths are too small for names and attributes (the dividers still move), and its heading repeats
// the page's.
const ADAPTED = {
  "& .MuiStack-root:has(> h3 + h4)": { display: "none" },
  [`& ${ROW} > .MuiStack-root:first-of-type`]: { minWidth: NAMES, fontSize: 13 },
  [`& ${HEADER}`]: { fontSize: 11 },
  [`& ${HEADER} > .MuiBox-root:first-of-type`]: { minWidth: NAMES },
  "& .MuiStack-root > .MuiBox-root:last-child:has(.MuiTabs-root)": { minWidth: 330 },
  "& .MuiListItemText-secondary": { whiteSpace: "pre-wrap" },
  [`& ${ROW}:focus-visible`]: { outline: 2, outlineColor: "primary.main", outlineOffset: -2 },
} as const;

export function Waterfall({ trace, selected }: { trace: Trace; selected: string }): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const data = useMemo((): TraceData => ({ trace: asOtlp(trace) }), [trace]);
  const spec: TracingGanttChartOptions = { links: LINKS, selectedSpanId: selected };
  useEffect(() => reachable(box.current!), []);
  useEffect(() => {
    if (selected) box.current!.scrollIntoView({ block: "nearest" });
  }, [selected]);
  const height = Math.min(Math.max(trace.spans.length, 6), 14) * ROW_HEIGHT + 176;
  return (
    <Box ref={box} role="group" aria-label="Waterfall: arrow keys move between spans, Enter opens one" data-testid="waterfall" onKeyDown={move} sx={{ height, ...ADAPTED }}>
      <ReactRouterProvider>
        <VariableContext.Provider value={{ state: {} }}>
          <BuiltinVariableContext.Provider value={{ variables: [] }}>
            <TracingGanttChartPanel key={selected} spec={spec} queryResults={[{ definition: DEFINITION, data }]} />
          </BuiltinVariableContext.Provider>
        </VariableContext.Provider>
      </ReactRouterProvider>
    </Box>
  );
}

const DEFINITION = { kind: "TraceQuery", spec: { plugin: { kind: "Logfire", spec: {} } } } as const;

/** Makes the rows buttons, also those that appear later: only the rows in sight exist. */
function reachable(box: HTMLElement): () => void {
  const mark = (): void => {
    for (const row of box.querySelectorAll<HTMLElement>(`${ROW}:not([tabindex])`)) {
      row.tabIndex = 0;
      row.setAttribute("role", "button");
      row.dataset["testid"] = "span";
    }
    for (const button of box.querySelectorAll("button:not([aria-label]):not([role])")) {
      if (!button.textContent) button.setAttribute("aria-label", "Close");
    }
  };
  const observer = new MutationObserver(mark);
  observer.observe(box, { childList: true, subtree: true });
  mark();
  return () => observer.disconnect();
}

function move(event: KeyboardEvent): void {
  const row = (event.target as Element).closest<HTMLElement>(ROW);
  const item = row?.parentElement;
  if (!row || row !== event.target) return;
  const actions: Record<string, () => void> = {
    Enter: () => row.click(),
    " ": () => row.click(),
    ArrowDown: () => focus(item?.nextElementSibling),
    ArrowUp: () => focus(item?.previousElementSibling),
    ArrowLeft: () => fold(row, "collapse"),
    ArrowRight: () => fold(row, "expand"),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

/** Moves the focus to a row, and keeps a further row in sight on both sides, so that it exists. */
function focus(item: Element | null | undefined): void {
  (item?.firstElementChild as HTMLElement | null | undefined)?.focus({ preventScroll: true });
  const list = item?.closest("[data-virtuoso-scroller]");
  if (!item || !list) return;
  const [row, shown] = [item.getBoundingClientRect(), list.getBoundingClientRect()];
  const [above, below] = [row.top - ROW_HEIGHT - shown.top, row.bottom + ROW_HEIGHT - shown.bottom];
  list.scrollBy(0, Math.min(above, 0) || Math.max(below, 0));
}

function fold(row: HTMLElement, title: string): void {
  const icons = [...row.querySelectorAll("svg")].filter((icon) => icon.querySelector("title")?.textContent === title);
  icons[0]?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
}
