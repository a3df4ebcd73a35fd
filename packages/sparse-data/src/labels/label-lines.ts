// The labels of examples whose features are somewhere else: line n has those of example n.

import { CsrBuffer } from '../csr/csr-buffer.ts';
import type { CsrRows } from '../csr/csr-rows.ts';
import { checkInteger, SparseDataError, show } from '../errors.ts';
import type { NamedInput } from '../records/record-lines.ts';
import type { TextLines } from '../text/token-stream.ts';

/** How lines of labels are read. */
export interface LabelLinesOptions extends NamedInput {
  /** What stands between the labels of an example; a line is one label unless given. */
  readonly separator?: string;
  /** Labels that occur less often are left out; 1 unless given. */
  readonly minimumCount?: number;
}

/** The labels of examples, a line each. */
export interface LabelLines {
  /** Examples×classes, each class of an example once. */
  readonly targets: CsrRows;
  /** The name of each class, by falling frequency, equally frequent ones by first appearance. */
  readonly labels: readonly string[];
}

/**
 * Reads names, of which numbers are a kind; white space around one is dropped. A blank line is an example without
 * labels. O(characters); memory: 4 bytes a label of an example, and each name once.
 * @throws SparseDataError `bad-option`; errors of `lines`.
 */
export async function collectLabelLines(lines: TextLines, options: LabelLinesOptions = {}): Promise<LabelLines> {
  const { minimumCount = 1 } = options;
  checkInteger('collectLabelLines', 'minimumCount', minimumCount, 0, Number.MAX_SAFE_INTEGER);
  const numbers = new Map<string, number>();
  const counts: number[] = [];
  const rows = await readRows(lines, options, (name) => {
    let number = numbers.get(name);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(name, number);
      counts.push(0);
    }
    counts[number]!++;
    return number;
  });
  const names = [...numbers.keys()];
  const kept = names.map((_, number) => number).filter((number) => counts[number]! >= minimumCount);
  kept.sort((a, b) => counts[b]! - counts[a]! || a - b);
  const classOf = new Int32Array(names.length).fill(-1);
  kept.forEach((number, index) => {
    classOf[number] = index;
  });
  return {
    targets: renumbered(rows, classOf, kept.length),
    labels: kept.map((number) => names[number]!),
  };
}

/**
 * The same for names whose classes are known; others are left out. @throws as collectLabelLines.
 * @param classes the class of each name: 0 to their number − 1.
 */
export function targetsOfLabelLines(
  lines: TextLines,
  classes: ReadonlyMap<string, number>,
  options: Omit<LabelLinesOptions, 'minimumCount'> = {},
): Promise<CsrRows> {
  return readRows(lines, options, (name) => classes.get(name) ?? -1, classes.size);
}

/** @param numberOf −1 for a name that is left out; called once for each name of a line. */
async function readRows(
  lines: TextLines,
  { separator }: LabelLinesOptions,
  numberOf: (name: string) => number,
  columns = 2 ** 31 - 1,
): Promise<CsrRows> {
  if (separator === '')
    throw new SparseDataError(
      'bad-option',
      `label lines: separator is ${show(separator)}; at least a character is needed`,
    );
  const rows = new CsrBuffer(columns, { weighted: false });
  for await (const line of lines) {
    const names = (separator === undefined ? [line] : line.split(separator)).map((name) => name.trim());
    for (const name of new Set(names)) {
      if (name === '') continue;
      const number = numberOf(name);
      if (number >= 0) rows.add(number);
    }
    rows.endRow();
  }
  return rows.rows();
}

function renumbered({ rows, offsets, indices }: CsrRows, classOf: Int32Array, columns: number): CsrRows {
  const kept = new CsrBuffer(columns, { weighted: false });
  for (let row = 0; row < rows; row++) {
    for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++) {
      const index = classOf[indices[entry]!]!;
      if (index >= 0) kept.add(index);
    }
    kept.endRow();
  }
  return kept.rows();
}
