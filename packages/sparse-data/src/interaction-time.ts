import { parseNumber } from './parse-number.ts';

export type InteractionTimeFormat = 'number' | 'iso-8601';

const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2}(?:\.\d+)?))?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A time as a number (seconds since 1970 for iso-8601), or undefined where the text is not one. Never depends on the
 * machine's zone.
 */
export function parseInteractionTime(text: string, format: InteractionTimeFormat): number | undefined {
  if (format === 'number') return parseNumber(text);
  const match = ISO_8601.exec(text);
  if (match === null) return undefined;
  const [, day = '', minutes = '00:00', seconds = '00', zone = 'Z'] = match;
  // Date.parse turns 2023-02-29 into 1 March; a day that does not come back is none.
  const midnight = Date.parse(`${day}T00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  const minute = Date.parse(`${day}T${minutes}${zone}`);
  const second = Number(seconds);
  return Number.isNaN(minute) || second >= 60 ? undefined : minute / 1000 + second;
}
