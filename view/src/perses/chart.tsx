// Upstream's chart, with a dot for each exemplar: a link to its trace.
import { useCallback, useEffect, useMemo, useRef, useState, type ReactElement } from "react";
import { Link } from "react-router-dom";
import { Box } from "@mui/material";
import { getInstanceByDom, type ECharts } from "echarts/core";
import type { TimeSeries, TimeSeriesData } from "@perses-dev/core";
import type { PanelProps } from "@perses-dev/plugin-system";
import { TimeSeriesChartPanel, type TimeSeriesChartOptions } from "@perses-dev/timeseries-chart-plugin";
import { Empty, isEmpty, type MaybeEmpty } from "./empty";
import { isExemplars } from "./exemplars";

interface Spec extends TimeSeriesChartOptions, MaybeEmpty {
  /** Where the axis begins, unless a value is below it: Grafana's `axisSoftMin`. */
  softMin?: number;
}

type Props = PanelProps<Spec, TimeSeriesData>;
const MOST = 60; // dots in a chart: the slowest are kept
const REACHED = 5; // of them by the keyboard: the slowest

interface Dot {
  x: number;
  y: number;
  series: TimeSeries;
}

export function Chart(props: Props): ReactElement {
  const lines = props.queryResults.filter(({ definition }) => !isExemplars(definition));
  const found = props.queryResults.filter(({ definition }) => isExemplars(definition));
  const shown = { ...props, spec: useMemo(() => withMin(props.spec, lines), [props.spec, props.queryResults]), queryResults: lines };
  if (isEmpty(shown)) return <Empty text={props.spec.empty} />;
  return (
    <Box sx={{ position: "relative", height: "100%" }}>
      <TimeSeriesChartPanel {...shown} />
      {found.length > 0 && <Dots exemplars={found.flatMap(({ data }) => data.series)} />}
    </Box>
  );
}

function withMin(spec: Spec, lines: Props["queryResults"]): Spec {
  const { softMin } = spec;
  if (softMin === undefined) return spec;
  const isBelow = lines.some(({ data }) => data.series.some(({ values }) => values.some(([, value]) => value !== null && value < softMin)));
  return isBelow ? spec : { ...spec, yAxis: { ...spec.yAxis, min: softMin } };
}

function Dots({ exemplars }: { exemplars: readonly TimeSeries[] }): ReactElement {
  const marker = useRef<HTMLDivElement>(null);
  const [dots, setDots] = useState<Dot[]>([]);
  const place = useCallback((): void => {
    const chart = chartBeside(marker.current);
    if (!chart) return;
    const slowest = [...exemplars].sort((a, b) => at(b)[1] - at(a)[1]).slice(0, MOST);
    const offset = offsetOf(chart.getDom(), marker.current!);
    setDots(
      slowest.flatMap((series) => {
        const point = at(series);
        if (!chart.containPixel({ gridIndex: 0 }, chart.convertToPixel({ gridIndex: 0 }, point))) return [];
        const [x, y] = chart.convertToPixel({ gridIndex: 0 }, point) as [number, number];
        return [{ x: x + offset.x, y: y + offset.y, series }];
      }),
    );
  }, [exemplars]);
  useEffect(() => {
    const chart = chartBeside(marker.current);
    place();
    chart?.on("finished", place);
    return () => {
      if (chart && !chart.isDisposed()) chart.off("finished", place);
    };
  }, [place]);
  return (
    <Box ref={marker} sx={{ position: "absolute", inset: 0, pointerEvents: "none" }}>
      {dots.map(({ x, y, series }, place) => (
        <Box
          key={series.name}
          component={Link}
          to={`/traces/${series.name}`}
          tabIndex={place < REACHED ? 0 : -1}
          data-testid="exemplar"
          title={`${series.labels?.["endpoint"] ?? ""} ${at(series)[1].toPrecision(3)} s: open the trace`}
          aria-label={`Open the trace of a request to ${series.labels?.["endpoint"] ?? "the service"}`}
          sx={{
            position: "absolute", left: x - 4, top: y - 4, width: 8, height: 8, transform: "rotate(45deg)",
            bgcolor: "background.paper", border: 2, borderColor: "primary.main", pointerEvents: "auto",
            "&:hover, &:focus-visible": { bgcolor: "primary.main" },
          }}
        />
      ))}
    </Box>
  );
}

const at = (series: TimeSeries): [number, number] => series.values[0] as [number, number];

/** Returns the chart in the same panel as an element. */
function chartBeside(element: HTMLElement | null): ECharts | undefined {
  const dom = element?.parentElement?.querySelector<HTMLElement>("[_echarts_instance_]");
  return dom ? getInstanceByDom(dom) : undefined;
}

function offsetOf(inner: HTMLElement, outer: HTMLElement): { x: number; y: number } {
  const [a, b] = [inner.getBoundingClientRect(), outer.getBoundingClientRect()];
  return { x: a.left - b.left, y: a.top - b.top };
}
