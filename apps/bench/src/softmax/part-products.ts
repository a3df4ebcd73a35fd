/**
 * The products that a normalised layer cannot do without, alone: outputs, hidden gradient and update, three of them for
 * each part of the classes that a minibatch reaches, in one call each on matrices of their own.
 */
import { type Backend, createMatrixFrom, gemm, Scope } from '@vastmax/linalg-core';

/** Products with `rows` rows of weights of `width` numbers, for as many examples as a minibatch has there. */
export interface PartSizes {
  readonly rows: number;
  readonly width: number;
  /** Of each minibatch of a cycle; a part without examples is left out. */
  readonly examples: readonly number[];
}

interface PreparedPart {
  readonly examples: readonly number[];
  run(examples: number): void;
}

export class PartProducts implements Disposable {
  readonly #scope: Scope;
  readonly #parts: readonly PreparedPart[];
  #next = 0;

  constructor(backend: Backend, parts: readonly PartSizes[]) {
    this.#scope = new Scope(backend);
    this.#parts = parts.map((part) => preparePart(this.#scope, part));
  }

  /** Those of the next minibatch. */
  run(): void {
    for (const { examples, run } of this.#parts) {
      const count = examples[this.#next % examples.length] ?? 0;
      if (count > 0) run(count);
    }
    this.#next++;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

function preparePart(scope: Scope, { rows, width, examples }: PartSizes): PreparedPart {
  const maxExamples = Math.max(1, ...examples);
  const waves = Float32Array.from({ length: maxExamples * width }, (_, i) => Math.sin(1 + 7 * i));
  const hidden = scope.own(createMatrixFrom(scope.backend, maxExamples, width, waves));
  const weights = scope.matrix(rows, width);
  const outputs = scope.matrix(maxExamples, rows);
  const gradient = scope.matrix(maxExamples, width);
  return {
    examples,
    run: (count) => {
      hidden.resize(count, width);
      outputs.resize(count, rows);
      gradient.resize(count, width);
      gemm(hidden, weights, outputs, { transposeB: true });
      gemm(outputs, weights, gradient);
      // Weights are 0 and stay so: the time of a product does not depend on its numbers.
      gemm(outputs, hidden, weights, { transposeA: true, alpha: -1e-6, beta: 1 });
    },
  };
}
