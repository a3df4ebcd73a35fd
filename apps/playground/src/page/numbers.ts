/** Numbers for people. */

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 950, 12.3 k, 4.56 M. */
export function short(value: number): string {
  if (value >= 1e6) return `${digits(value / 1e6)} M`;
  return value >= 1e4 ? `${digits(value / 1e3)} k` : count(value);
}

/** Three digits. */
export function digits(value: number): string {
  if (value === 0) return '0';
  return value.toFixed(Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))));
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export function bytes(value: number): string {
  return value >= 2 ** 30 ? `${digits(value / 2 ** 30)} GiB` : `${digits(value / 2 ** 20)} MiB`;
}
