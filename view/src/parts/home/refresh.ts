// How often a box asks Prometheus again: often until data is there, so that a demo that has just started fills
// at once; and whether it asks at all.
import { useConfig } from "../../api";

const OFTEN = 2_000; // milliseconds
export const REFRESH = 10_000;

/** Returns the interval for react-query. */
export const every =
  <Data>(isEmpty: (data: Data) => boolean, usual = REFRESH) =>
  (data: Data | undefined): number =>
    data === undefined || isEmpty(data) ? OFTEN : usual;

/** Returns what to say where no Prometheus is configured. */
export function useMissing(): string | undefined {
  return useConfig().data?.prometheus === false ? "No Prometheus is configured: set PROMETHEUS_URL." : undefined;
}
