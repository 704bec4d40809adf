// Numbers as people read them.

const THREE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, useGrouping: false });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0, useGrouping: false });
const COMPACT = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, notation: "compact" });

/** Returns a number with three significant digits, or with a suffix from ten thousand on. */
export function short(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  const size = Math.abs(value);
  return (size >= 10_000 ? COMPACT : size >= 100 ? WHOLE : THREE).format(value);
}

/** Returns a share from 0 to 1 in percent. */
export function percent(share: number): string {
  const value = share * 100;
  if (value !== 0 && Math.abs(value) < 0.01) return value < 0 ? "> -0.01 %" : "< 0.01 %";
  return `${Number(value.toFixed(Math.abs(value) < 10 ? 2 : 1))} %`;
}

export const perSecond = (value: number, unit = ""): string => `${short(value)}${unit && ` ${unit}`}/s`;

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${short(value / 1024 ** power)} ${units[power]}`;
}

/** Returns a length of time in its largest unit. */
export function lasting(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export const ago = (seconds: number): string => `${lasting(seconds)} ago`;
