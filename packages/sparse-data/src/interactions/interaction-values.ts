/** The values of an interaction, from the text of a table's field or from JSON: one place for what is valid. */
import { SparseDataError, show } from '../errors.ts';
import { lineError, parseNumber } from '../records/record-lines.ts';

/** An interaction of a user with an item, such as a click, a purchase or a rating. */
export interface Interaction {
  /** Number of the line or row, from 1. */
  readonly line: number;
  readonly user: string;
  readonly item: string;
  /** In the unit of the file; seconds since 1970 for dates; 0 where the file has no times. */
  readonly time: number;
  /** Above 0; 1 where the file has no weights. */
  readonly weight: number;
}

/** How time is written. */
export type InteractionTimeFormat = 'auto' | 'number' | 'iso-8601';

/** What a file has; undefined where it has none. */
export interface InteractionValues {
  readonly user: unknown;
  readonly item: unknown;
  readonly time: unknown;
  readonly weight: unknown;
}

export class InteractionReader {
  readonly #where: string;
  readonly #name: string;
  #timeFormat: InteractionTimeFormat;

  /** @throws SparseDataError `bad-option`. */
  constructor(where: string, name: string, timeFormat: InteractionTimeFormat) {
    if (!['auto', 'number', 'iso-8601'].includes(timeFormat))
      throw new SparseDataError(
        'bad-option',
        `${where}: timeFormat is ${show(timeFormat)}; auto, number or iso-8601 is needed`,
      );
    this.#where = where;
    this.#name = name;
    this.#timeFormat = timeFormat;
  }

  /** @throws SparseDataError `bad-interaction`. */
  read(line: number, values: InteractionValues): Interaction {
    const user = nameOf(values.user);
    const item = nameOf(values.item);
    if (user === undefined)
      throw this.#bad(
        line,
        `user is ${shown(values.user)} (item ${shown(values.item)}); each interaction needs a user`,
      );
    if (item === undefined)
      throw this.#bad(
        line,
        `item is ${shown(values.item)} (user ${shown(values.user)}); each interaction needs an item`,
      );
    return { line, user, item, time: this.#time(line, values.time), weight: this.#weight(line, values.weight) };
  }

  #time(line: number, value: unknown): number {
    if (value === undefined) return 0;
    if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime() / 1000;
    const number = numberOf(value);
    if (this.#timeFormat === 'auto') this.#timeFormat = number === undefined ? 'iso-8601' : 'number';
    const time = this.#timeFormat === 'number' ? number : typeof value === 'string' ? parseDate(value) : undefined;
    if (time !== undefined) return time;
    throw this.#bad(
      line,
      `time is ${shown(value)}; ${this.#timeFormat === 'number' ? 'a finite number is needed (for dates set timeFormat to iso-8601)' : 'a date such as 2014-04-07T10:51:09Z is needed'}`,
    );
  }

  #weight(line: number, value: unknown): number {
    if (value === undefined) return 1;
    const weight = numberOf(value);
    if (weight !== undefined && weight > 0) return weight;
    throw this.#bad(line, `weight is ${shown(value)}; a finite number above 0 is needed: leave such interactions out`);
  }

  #bad(line: number, message: string): SparseDataError {
    return lineError('bad-interaction', this.#where, this.#name, line, message);
  }
}

const shown = (value: unknown): string => (value === undefined ? 'missing' : value === '' ? 'empty' : show(value));

/** A text that is not empty, or a whole number as text. */
function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : undefined;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'string') return parseNumber(value);
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2}(?:\.\d+)?))?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A date as seconds since 1970, or undefined if the text is none. Does not depend on the time zone of the machine.
 */
function parseDate(text: string): number | undefined {
  const match = ISO_8601.exec(text);
  if (match === null) return undefined;
  const [, day = '', minutes = '00:00', seconds = '00', zone = 'Z'] = match;
  // Date.parse converts 2023-02-29 to 1 March; so a day is valid only if it is unchanged after formatting it again.
  const midnight = Date.parse(`${day}T00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  const minute = Date.parse(`${day}T${minutes}${zone}`);
  const second = Number(seconds);
  return Number.isNaN(minute) || second >= 60 ? undefined : minute / 1000 + second;
}
