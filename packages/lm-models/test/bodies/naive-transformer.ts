/** A transformer by loops over single numbers, one sequence at a time: what the transformer body must compute. */
import type { TransformerBody } from '@vastmax/lm-models';
import { rowsOf, valuesOf } from '../numbers.ts';

type Row = readonly number[];

export class NaiveTransformer {
  readonly #body: TransformerBody;
  #embeddings: Float64Array = new Float64Array(0);
  readonly #weights = new Map<string, Float64Array>();

  constructor(body: TransformerBody) {
    this.#body = body;
  }

  async load(): Promise<this> {
    this.#embeddings = await rowsOf(this.#body.embeddings.table);
    for (const { name, value } of this.#body.parameters.matrices) this.#weights.set(name, await valuesOf(value));
    return this;
  }

  /** The output of each position of a sequence. */
  forward(words: readonly number[]): number[][] {
    const { embedding, layers, positions } = this.#body.options;
    let rows: Row[] = words.map((word, position) =>
      Array.from({ length: embedding }, (_, i) => {
        const learned = positions === 'learned' ? this.#weight('positions')[position * embedding + i]! : 0;
        return this.#embeddings[word * embedding + i]! + learned;
      }),
    );
    for (let layer = 0; layer < layers; layer++) {
      const attended = this.#attend(
        `layer.${layer}`,
        rows.map((row) => this.#norm(`layer.${layer}.attentionNorm`, row)),
      );
      rows = rows.map((row, i) => sum(row, attended[i]!));
      rows = rows.map((row) =>
        sum(row, this.#feedForward(`layer.${layer}`, this.#norm(`layer.${layer}.feedForwardNorm`, row))),
      );
    }
    return rows.map((row) => this.#norm('norm', row));
  }

  #weight(name: string): Float64Array {
    const values = this.#weights.get(name);
    if (values === undefined) throw new Error(`the body has no ${name}`);
    return values;
  }

  #norm(name: string, row: Row): number[] {
    const { norm } = this.#body.options;
    const mean = norm === 'layer' ? row.reduce((total, x) => total + x, 0) / row.length : 0;
    const variance = row.reduce((total, x) => total + (x - mean) ** 2, 0) / row.length;
    return row.map(
      (x, i) =>
        ((x - mean) / Math.sqrt(variance + 1e-5)) * this.#weight(`${name}.gain`)[i]! +
        (norm === 'layer' ? this.#weight(`${name}.bias`)[i]! : 0),
    );
  }

  #attend(name: string, rows: readonly Row[]): number[][] {
    const { embedding, heads, positions } = this.#body.options;
    const width = embedding / heads;
    const turned = (part: string): number[][] =>
      rows.map((row, position) => {
        const projected = this.#product(`${name}.${part}`, row, embedding);
        if (positions === 'learned') return projected;
        return projected.map((x, i) => {
          const inHead = i % width;
          const pair = inHead % (width / 2);
          const angle = position / 10_000 ** ((2 * pair) / width);
          const other = inHead < width / 2 ? projected[i + width / 2]! : projected[i - width / 2]!;
          return x * Math.cos(angle) + (inHead < width / 2 ? -1 : 1) * other * Math.sin(angle);
        });
      });
    const [queries, keys] = [turned('query'), turned('key')];
    const values = rows.map((row) => this.#product(`${name}.value`, row, embedding));
    return rows.map((_, position) => {
      const mixed = new Array<number>(embedding).fill(0);
      for (let head = 0; head < heads; head++) {
        const columns = Array.from({ length: width }, (__, i) => head * width + i);
        const shares = Array.from({ length: position + 1 }, (__, other) =>
          Math.exp(columns.reduce((dot, i) => dot + queries[position]![i]! * keys[other]![i]!, 0) / Math.sqrt(width)),
        );
        const total = shares.reduce((all, share) => all + share, 0);
        for (const [other, share] of shares.entries())
          for (const i of columns) mixed[i]! += (share / total) * values[other]![i]!;
      }
      return this.#product(`${name}.output`, mixed, embedding);
    });
  }

  #feedForward(name: string, row: Row): number[] {
    const { activation, feedForward, embedding } = this.#body.options;
    const up = this.#product(`${name}.up`, row, feedForward);
    if (activation === 'relu')
      return this.#product(
        `${name}.down`,
        up.map((x) => Math.max(0, x)),
        embedding,
      );
    if (activation === 'gelu') return this.#product(`${name}.down`, up.map(gelu), embedding);
    const gate = this.#product(`${name}.gate`, row, feedForward);
    const gated = up.map((x, i) => (x * gate[i]!) / (1 + Math.exp(-gate[i]!)));
    return this.#product(`${name}.down`, gated, embedding);
  }

  #product(name: string, row: Row, columns: number): number[] {
    const weights = this.#weight(name);
    return Array.from({ length: columns }, (_, column) =>
      row.reduce((total, x, i) => total + x * weights[i * columns + column]!, 0),
    );
  }
}

function sum(a: Row, b: Row): number[] {
  return a.map((x, i) => x + b[i]!);
}

/** x·Φ(x), the normal distribution by Simpson's rule. */
function gelu(x: number): number {
  const steps = 2000;
  const h = x / steps;
  let area = 0;
  for (let i = 0; i <= steps; i++) {
    const factor = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    area += factor * Math.exp(-((i * h) ** 2) / 2);
  }
  return x * (0.5 + (area * h) / 3 / Math.sqrt(2 * Math.PI));
}
