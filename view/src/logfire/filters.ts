// What a person searches for, as it stands in the page's address: a link or Back repeats the search.

export interface Filters {
  jobs: string[];
  route: string;
  status: string; // ok, error, a code or a class of codes
  min: string; // milliseconds
  max: string;
  text: string;
  level: string; // and above
  trace: string;
  sort: string;
}

const NAMES = { route: "route", status: "status", min: "min", max: "max", text: "q", level: "level", trace: "trace", sort: "sort" } as const;
// Dashboards and alerts name services as `var-job`; `service` is for links written by hand.
const JOBS = ["var-job", "service"];
const TRACE_ID = /^[0-9a-f]{32}$/i;
const STATUS = /^(ok|error|[1-5]\d\d|[1-5]xx)$/i;

export function fromAddress(given: URLSearchParams): Filters {
  const jobs = JOBS.flatMap((name) => given.getAll(name).flatMap((value) => value.split(",")));
  const texts = Object.entries(NAMES).map(([field, name]) => [field, given.get(name)?.trim() ?? ""]);
  return {
    ...(Object.fromEntries(texts) as Record<keyof typeof NAMES, string>),
    trace: (given.get("trace") ?? given.get("id") ?? "").trim(),
    jobs: [...new Set(jobs.filter((job) => job && job !== "$__all"))],
  };
}

/** Returns the parameters of a search; those that are no filters, such as the time range, are kept. */
export function toAddress(filters: Filters, here: URLSearchParams): URLSearchParams {
  const made = new URLSearchParams(here);
  for (const name of [...JOBS, ...Object.values(NAMES), "id"]) made.delete(name);
  if (filters.jobs.length) made.set("var-job", filters.jobs.join(","));
  for (const [field, name] of Object.entries(NAMES)) {
    const value = filters[field as keyof typeof NAMES].trim();
    if (value) made.set(name, value);
  }
  return made;
}

/** Returns the trace that a text names, or null. */
export function traceIn(text: string | null): string | null {
  const id = text?.trim() ?? "";
  return TRACE_ID.test(id) ? id.toLowerCase() : null;
}

/** Returns what is wrong with the filters as a sentence, or null. */
export function problemOf({ status, min, max, level, trace }: Filters): string | null {
  if (status && !STATUS.test(status)) return `Status is "ok", "error", a code such as 404 or a class such as 5xx, not "${status}".`;
  for (const text of [min, max]) {
    if (text && !(Number(text) >= 0 && Number(text) < Infinity)) return `A duration is a number of milliseconds, not "${text}".`;
  }
  if (min && max && Number(min) > Number(max)) return `The shortest duration, ${min} ms, is above the longest, ${max} ms.`;
  if (trace && !traceIn(trace)) return `"${trace}" is not a trace id: it has 32 hexadecimal digits.`;
  if (level && !Object.hasOwn(LEVELS, level)) return `A level is one of ${Object.keys(LEVELS).join(", ")}, not "${level}".`;
  return null;
}

/** The lowest number of each level, as in OpenTelemetry's severity numbers. */
export const LEVELS: Record<string, number> = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 };

export function levelName(number: unknown): string {
  const found = Object.entries(LEVELS).findLast(([, lowest]) => Number(number) >= lowest);
  return found?.[0] ?? String(number ?? "");
}

/** Returns a search in words, for an answer without rows. */
export function inWords(filters: Filters): string {
  const { jobs, route, status, min, max, text, level, trace } = filters;
  const parts = [
    jobs.length && `of ${jobs.join(" or ")}`,
    route && `on a route with "${route}"`,
    status && `with status ${status}`,
    min && `of at least ${min} ms`,
    max && `of at most ${max} ms`,
    level && `at level ${level} or above`,
    text && `with "${text}"`,
    trace && `in trace ${trace}`,
  ];
  return parts.filter(Boolean).join(", ");
}
