// Values of Logfire's rows. JSON columns arrive as objects or, through some functions, as text.

export function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export const asNumber = (value: unknown): number => Number(value ?? 0);

/** Returns milliseconds since 1970, with the microseconds as a fraction. */
export function milliseconds(time: unknown): number {
  const [, whole = "", fraction = "", zone = "Z"] = /^(.{19})(?:\.(\d+))?(.*)$/.exec(asText(time)) ?? [];
  return Date.parse(`${whole}${zone || "Z"}`) + Number(`0.${fraction || 0}`) * 1000;
}

export function asObject(value: unknown): Record<string, unknown> {
  const found = parsed(value);
  return found && typeof found === "object" && !Array.isArray(found) ? (found as Record<string, unknown>) : {};
}

export function asList(value: unknown): Record<string, unknown>[] {
  const found = parsed(value);
  return Array.isArray(found) ? found.map(asObject) : [];
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** Returns a duration as a person reads it. */
export function duration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`;
  return ms < 120_000 ? `${Number((ms / 1000).toPrecision(3))} s` : `${Number((ms / 60_000).toPrecision(3))} min`;
}
