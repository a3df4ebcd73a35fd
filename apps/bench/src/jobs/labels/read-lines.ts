/** Lines of `__label__… words` as sparse rows. Words and labels are numbered as they first come. */
import { readFileSync } from 'node:fs';
import type { CsrRows } from '@vastmax/sparse-data';

const labelPrefix = '__label__';

/** The numbers of words and labels; those that a test file alone has are left out. */
export interface Names {
  readonly words: Map<string, number>;
  readonly labels: Map<string, number>;
}

export interface LabelledRows {
  readonly inputs: CsrRows;
  readonly targets: CsrRows;
}

/** @param known of the training file; undefined to number those of this file. */
export function readLabelledLines(file: string, known?: Names): LabelledRows & { readonly names: Names } {
  const names = known ?? { words: new Map<string, number>(), labels: new Map<string, number>() };
  const inputs = new RowList();
  const targets = new RowList();
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    if (line === '') continue;
    for (const token of line.split(' ')) {
      const isLabel = token.startsWith(labelPrefix);
      const map = isLabel ? names.labels : names.words;
      let number = map.get(token);
      if (number === undefined) {
        if (known !== undefined) continue;
        number = map.size;
        map.set(token, number);
      }
      (isLabel ? targets : inputs).add(number);
    }
    inputs.endRow();
    targets.endRow();
  }
  return { inputs: inputs.rows(names.words.size), targets: targets.rows(names.labels.size), names };
}

class RowList {
  #indices = new Int32Array(1024);
  readonly #offsets = [0];
  #count = 0;

  add(index: number): void {
    if (this.#count === this.#indices.length) {
      const larger = new Int32Array(2 * this.#count);
      larger.set(this.#indices);
      this.#indices = larger;
    }
    this.#indices[this.#count++] = index;
  }

  endRow(): void {
    this.#offsets.push(this.#count);
  }

  rows(columns: number): CsrRows {
    return {
      rows: this.#offsets.length - 1,
      columns,
      offsets: Int32Array.from(this.#offsets),
      indices: this.#indices.subarray(0, this.#count),
      values: undefined,
    };
  }
}
