/**
 * Whether all ranks are about to do the same: each describes what it was given as a small record, all records are
 * gathered, and every rank compares all of them, so that all come to the same result. It must be the first collective
 * of what it describes: ranks with different sizes would make calls that do not fit together.
 */
import { CommunicatorError } from './communicator-error.ts';
import { gatherJson, type Communicator } from './communicator.ts';

/** Plain JSON. A value of undefined is one that was not given; objects are compared name by name. */
export type RankRecord = Readonly<Record<string, unknown>>;

const shownDifferences = 5;
const shownCharacters = 100;

/**
 * Compares a record of each rank. A collective; moves the JSON of every record to every rank.
 * @param what the ranks describe, for the message: `training`.
 * @throws CommunicatorError `mismatch` on every rank, with the same message: each name whose value differs (the first
 * five), the values, and which ranks have them.
 */
export function compareRanks(communicator: Communicator, what: string, record: RankRecord): void {
  if (communicator.size === 1) return;
  const records = gatherJson(communicator, flatten(record));
  const names = new Set(records.flatMap((each) => Object.keys(each)));
  const differences: string[] = [];
  for (const name of names) {
    const values = records.map((each) => each[name] ?? 'not given');
    if (values.some((value) => value !== values[0])) differences.push(`${name} is ${describeValues(values)}`);
  }
  if (differences.length === 0) return;
  const more = differences.length - shownDifferences;
  throw new CommunicatorError(
    'mismatch',
    `${what}: the ranks differ: ${differences.slice(0, shownDifferences).join('; ')}${more > 0 ? `; and ${more} more` : ''}; all ranks must be given the same`,
    { call: 'compareRanks' },
  );
}

/** The JSON text of each value, under names with dots; without values of undefined. */
function flatten(record: RankRecord, prefix = ''): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      Object.assign(flat, flatten(value as RankRecord, `${prefix}${name}.`));
    else flat[prefix + name] = typeof value === 'number' ? String(value) : JSON.stringify(value);
  }
  return flat;
}

/** `1 on rank 0 and 2 on ranks 1, 2`. */
function describeValues(values: readonly string[]): string {
  const ranks = new Map<string, number[]>();
  for (const [rank, value] of values.entries()) ranks.set(value, [...(ranks.get(value) ?? []), rank]);
  return Array.from(ranks, ([value, having]) => {
    const shown = value.length > shownCharacters ? `${value.slice(0, shownCharacters)}…` : value;
    return `${shown} on rank${having.length > 1 ? 's' : ''} ${having.join(', ')}`;
  }).join(' and ');
}
