/** LSTM and GRU by loops over single numbers, one stream at a time: what the recurrent body must compute. */
import type { RecurrentBody, SequenceInputs } from '@vastmax/lm-models';
import { rowsOf, valuesOf } from '../numbers.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export class NaiveRecurrent {
  readonly #body: RecurrentBody;
  #embeddings: Float64Array = new Float64Array(0);
  #weights = new Map<string, Float64Array>();
  /** By stream, then layer: output and memory. */
  #states: { output: number[]; memory: number[] }[][] = [];

  constructor(body: RecurrentBody) {
    this.#body = body;
  }

  async load(): Promise<this> {
    this.#embeddings = await rowsOf(this.#body.embeddings.table);
    for (const { name, value } of this.#body.parameters.matrices) this.#weights.set(name, await valuesOf(value));
    return this;
  }

  /** Rows of all T·B, from the states that the last call left. */
  forward({ steps, streams, inputs, starts }: SequenceInputs): Float64Array {
    const { hidden, embedding } = this.#body.options;
    const rows: number[] = [];
    for (let step = 0; step < steps; step++) {
      for (let stream = 0; stream < streams; stream++) {
        const row = step * streams + stream;
        if (starts[row] === 1)
          this.#states[stream] = hidden.map((width) => ({ output: zeros(width), memory: zeros(width) }));
        let x = [...this.#embeddings.subarray(inputs[row]! * embedding, (inputs[row]! + 1) * embedding)];
        for (const layer of hidden.keys()) x = this.#advance(layer, x, this.#states[stream]![layer]!);
        rows.push(...x);
      }
    }
    return Float64Array.from(rows);
  }

  #advance(layer: number, x: readonly number[], state: { output: number[]; memory: number[] }): number[] {
    const width = this.#body.options.hidden[layer]!;
    const gates = this.#body.options.cell === 'lstm' ? 4 : 3;
    const part = (name: string): Float64Array => this.#weights.get(`layer.${layer}.${name}`) ?? new Float64Array(0);
    const fromInput = (gate: number, unit: number): number =>
      part('bias')[gate * width + unit]! + product(x, part('inputWeights'), gates * width, gate * width + unit);
    const fromState = (gate: number, unit: number): number =>
      product(before, part('stateWeights'), gates * width, gate * width + unit);
    const before = [...state.output];
    for (let unit = 0; unit < width; unit++) {
      if (gates === 4) {
        const [i = 0, f = 0, o = 0, g = 0] = [0, 1, 2, 3].map((gate) => fromInput(gate, unit) + fromState(gate, unit));
        state.memory[unit] = sigmoid(f) * state.memory[unit]! + sigmoid(i) * Math.tanh(g);
        state.output[unit] = sigmoid(o) * Math.tanh(state.memory[unit]!);
      } else {
        const r = sigmoid(fromInput(0, unit) + fromState(0, unit));
        const z = sigmoid(fromInput(1, unit) + fromState(1, unit));
        const n = Math.tanh(fromInput(2, unit) + r * (fromState(2, unit) + part('candidateBias')[unit]!));
        state.output[unit] = (1 - z) * n + z * before[unit]!;
      }
    }
    return [...state.output];
  }
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function product(x: readonly number[], weights: Float64Array, columns: number, column: number): number {
  return x.reduce((sum, value, i) => sum + value * weights[i * columns + column]!, 0);
}
