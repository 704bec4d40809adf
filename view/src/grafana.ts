// Links in Grafana's form (`var-job=a&var-job=b&from=now-1h&to=now`), which alerts and traces carry, in
// Perses' form (`var-job=a,b&start=1h`), and the other way round.

const RELATIVE = /^now-(\d+[smhdw])$/;
// Milliseconds. A rounding such as `/d` is left out.
const UNITS = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8, M: 2.592e9, y: 3.1536e10 };
const BACK = /^now(?:-(\d+)([smhdwMy]))?(?:\/[smhdwMy])?$/;

/** Returns the same parameters in Perses' form. */
export function fromGrafana(given: URLSearchParams): URLSearchParams {
  const made = new URLSearchParams();
  for (const name of new Set(given.keys())) {
    // What a link of a panel has for "All".
    const values = given.getAll(name).filter(Boolean).map((value) => (value === ".*" ? "$__all" : value));
    if (name.startsWith("var-") && values.length) made.set(name, values.join(","));
    else if (!["from", "to", "orgId"].includes(name) && values[0]) made.set(name, values[0]);
  }
  const [from, to] = [given.get("from") ?? "", given.get("to") ?? "now"];
  const relative = RELATIVE.exec(from)?.[1];
  if (relative && to === "now") made.set("start", relative);
  else if (moment(from) !== null) {
    made.set("start", `${moment(from)}`);
    made.set("end", `${moment(to) ?? Date.now()}`);
  }
  return made;
}

/** Whether parameters have to be translated before Perses reads them. */
export const isGrafanas = (given: URLSearchParams): boolean =>
  given.has("from") || given.has("to") || given.has("orgId") ||
  [...new Set(given.keys())].some((name) => name.startsWith("var-") && given.getAll(name).length > 1);

/** Returns the milliseconds of an absolute time, or null. */
function moment(text: string): number | null {
  if (/^\d{10,}$/.test(text)) return Number(text);
  const back = BACK.exec(text);
  if (back) return Date.now() - Number(back[1] ?? 0) * UNITS[(back[2] ?? "s") as keyof typeof UNITS];
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}

/**
 * Returns a link of a panel with the relative time range of this page, if it has one: such a page goes
 * on refreshing, and `from=$__from` is a fixed time.
 */
export function withRelativeRange(href: string, here: URLSearchParams): string {
  const start = here.get("start");
  if (!start || !/^\d+[smhdw]$/.test(start)) return href;
  return href.replace(/from=\d+&to=\d+/, `from=now-${start}&to=now`);
}
