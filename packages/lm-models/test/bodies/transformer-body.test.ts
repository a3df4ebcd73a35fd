import { Tape } from '@vastmax/autodiff';
import { createPlainBackend, memoryDifference, type Backend } from '@vastmax/linalg-core';
import { TransformerBody, type SequenceInputs, type TransformerBodyOptions } from '@vastmax/lm-models';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { largestError, valuesOf } from '../numbers.ts';
import { frozen, gradientErrors, shakeBiases } from './gradient-errors.ts';
import { NaiveTransformer } from './naive-transformer.ts';

const plain: TransformerBodyOptions = {
  inputs: 6,
  embedding: 4,
  layers: 2,
  heads: 2,
  context: 8,
  feedForward: 5,
  seed: 5,
  embeddingScale: 0.6,
};

const kinds: [string, Partial<TransformerBodyOptions>][] = [
  ['rotary positions, layer norms and GELU', {}],
  ['learned positions and ReLU', { positions: 'learned', activation: 'relu', heads: 1 }],
  ['root-mean-square norms and SwiGLU', { norm: 'rms', activation: 'swiglu', layers: 1 }],
];

function createBody(backend: Backend, changes: Partial<TransformerBodyOptions> = {}): TransformerBody {
  const body = new TransformerBody(backend, { ...plain, ...changes });
  shakeBiases(body);
  return body;
}

/** @param starts rows where a sequence begins, beside all of the first step. */
function sequence(steps: number, streams: number, starts: readonly number[] = [], seed = 1): SequenceInputs {
  const random = new RandomGenerator(seed);
  return {
    steps,
    streams,
    inputs: Int32Array.from({ length: steps * streams }, () => random.integer(6)),
    starts: Uint8Array.from({ length: steps * streams }, (_, row) => (row < streams || starts.includes(row) ? 1 : 0)),
    predicted: undefined,
  };
}

async function hiddenOf(body: TransformerBody, batch: SequenceInputs, training = false): Promise<Float64Array> {
  using tape = new Tape(body.backend);
  return valuesOf(body.forward(tape, batch, { training }).value);
}

describe.each(kinds)('TransformerBody with %s', (_name, changes) => {
  it('computes what naive loops compute, for several sequences of a stream', async () => {
    using body = createBody(createPlainBackend({ precision: 'f64' }), changes);
    const naive = await new NaiveTransformer(body).load();
    const batch = sequence(6, 3, [7, 11]);
    const expected: number[] = [];
    const rows = [0, 1, 2].map((stream) => {
      const outputs: number[][] = [];
      let words: number[] = [];
      for (let step = 0; step < 6; step++) {
        if (batch.starts[step * 3 + stream] === 1) words = [];
        words.push(batch.inputs[step * 3 + stream]!);
        outputs.push(naive.forward(words)[words.length - 1]!);
      }
      return outputs;
    });
    for (let row = 0; row < 18; row++) expected.push(...rows[row % 3]![Math.floor(row / 3)]!);
    const found = await hiddenOf(body, batch);
    expect(largestError(found, Float64Array.from(expected))).toBeLessThan(1e-11);
    const predicted = Int32Array.of(2, 3, 16);
    const some = await hiddenOf(body, { ...batch, predicted });
    expect(
      largestError(some, Float64Array.from([...predicted].flatMap((row) => [...found.subarray(4 * row, 4 * row + 4)]))),
    ).toBe(0);
  });

  it('reads a text word by word as it reads it whole', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using body = createBody(backend, { ...changes, context: 400 });
    {
      using reader = body.createReader();
      using tape = new Tape(backend);
      using whole = new Tape(backend);
      const random = new RandomGenerator(3);
      const words: number[] = [];
      // The last ones are read in blocks.
      for (const count of [1, 1, 3, 1, 260, 1]) {
        const added = Array.from({ length: count }, () => random.integer(6));
        words.push(...added);
        tape.reset();
        whole.reset();
        const found = await valuesOf(reader.read(tape, added).value);
        expect(largestError(found, await valuesOf(body.forwardPrompts(whole, [words]).value))).toBeLessThan(1e-12);
      }
      expect([reader.length, reader.capacity]).toEqual([267, 400]);
      expect(() => reader.read(tape, new Int32Array(134))).toThrow(
        '134 words after 267; at least 1 is needed, and 400',
      );
      reader.clear();
      tape.reset();
      const anew = await valuesOf(reader.read(tape, [4, 2]).value);
      expect(largestError(anew, await valuesOf(body.forwardPrompts(whole, [[4, 2]]).value))).toBeLessThan(1e-12);
    }
    const before = backend.memory();
    {
      using reader = body.createReader();
      using tape = new Tape(backend);
      reader.read(tape, [1, 2]);
    }
    expect(memoryDifference(backend.memory(), before)).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });

  it.each([0, 0.3])('has the gradients of finite differences, with dropout %d', async (dropout) => {
    using body = createBody(createPlainBackend({ precision: 'f64' }), { ...changes, dropout });
    const batch = { ...sequence(4, 2, [5]), predicted: Int32Array.of(0, 2, 3, 6, 7) };
    const targets = singleTargets(Int32Array.of(2, 0, 3, 1, 4), 5);
    for (const error of await gradientErrors(body, batch, targets)) expect(error).toBeLessThan(1e-6);
  });
});

describe('TransformerBody', () => {
  it('does not see what comes later', async () => {
    using body = createBody(createPlainBackend({ precision: 'f64' }));
    const batch = sequence(5, 1);
    const before = await hiddenOf(body, batch);
    batch.inputs[4] = (batch.inputs[4]! + 1) % 6;
    const after = await hiddenOf(body, batch);
    expect(after.subarray(0, 16)).toEqual(before.subarray(0, 16));
    expect(after.subarray(16)).not.toEqual(before.subarray(16));
  });

  it('reads prompts of different lengths as it reads them alone', async () => {
    using body = createBody(createPlainBackend({ precision: 'f64' }));
    const prompts = [[1, 4, 2, 2], [5], [3, 0]];
    using tape = new Tape(body.backend);
    const together = await valuesOf(body.forwardPrompts(tape, prompts).value);
    for (const [i, prompt] of prompts.entries()) {
      const alone = await valuesOf(body.forwardPrompts(tape, [prompt]).value);
      expect(largestError(together.subarray(4 * i, 4 * i + 4), alone)).toBeLessThan(1e-14);
      const last = await valuesOf(body.forwardPrompts(tape, [[0, 5, ...prompt]], { maxWords: prompt.length }).value);
      expect(largestError(last, alone)).toBeLessThan(1e-14);
    }
    const padded = await valuesOf(body.forwardPrompts(tape, [[4, 2, 2]], { paddingId: 1 }).value);
    expect(padded).toEqual(await valuesOf(body.forwardPrompts(tape, [[1, 4, 2, 2]]).value));
    // Of a prompt that is too long, the last words.
    const long = await valuesOf(body.forwardPrompts(tape, [[5, 1, 2, 3, 4, 5, 0, 1, 2, 3]]).value);
    expect(long).toEqual(await valuesOf(body.forwardPrompts(tape, [[2, 3, 4, 5, 0, 1, 2, 3]]).value));
    expect(() => body.forwardPrompts(tape, [[]])).toThrow(/prompt 0 is empty/u);
  });

  it('creates no handle once warm', () => {
    const backend = createPlainBackend();
    using body = createBody(backend, { dropout: 0.1 });
    using tape = new Tape(backend);
    const run = (steps: number): void => {
      tape.reset();
      tape.backward(body.forward(tape, sequence(steps, 3, [4]), { training: true }));
    };
    for (const steps of [5, 3, 4, 5, 3, 4]) run(steps);
    const warm = backend.memory();
    for (const steps of [5, 4, 3, 5, 5]) run(steps);
    expect(backend.memory()).toEqual(warm);
  });

  it('goes on from its state, counts its parameters, and hands everything back', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    {
      using body = createBody(backend, { dropout: 0.2 });
      await hiddenOf(body, sequence(3, 2), true);
      const saved = await frozen(body.state());
      const expected = await hiddenOf(body, sequence(3, 2, [], 2), true);
      using resumed = createBody(backend, { dropout: 0.2, seed: 50 });
      await resumed.restore(saved);
      expect(await hiddenOf(resumed, sequence(3, 2, [], 2), true)).toEqual(expected);
      expect(body.parameterCount).toBe(6 * 4 + 2 * (4 * 16 + 4 * 4 + 2 * 20) + 2 * 4);
      using other = createBody(backend, { heads: 1 });
      await expect(other.restore(saved)).rejects.toThrow("'heads' is 2 in the checkpoint, 1 in the model");
    }
    expect(memoryDifference(backend.memory(), before)).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });

  it('refuses sequences longer than its context, and options that do not fit', async () => {
    const backend = createPlainBackend();
    using body = createBody(backend);
    await expect(hiddenOf(body, sequence(9, 1))).rejects.toThrow(
      'a sequence of the minibatch has 9 positions, the model was made for at most 8',
    );
    await hiddenOf(body, sequence(9, 1, [4]));
    expect(() => createBody(backend, { heads: 4 })).toThrow('embedding is 4, with 4 heads and rotary positions');
    expect(() => createBody(backend, { heads: 3, positions: 'learned' })).toThrow('it must be a multiple of 3');
    expect(() => createBody(backend, { layers: 0 })).toThrow('layers must be a whole number of at least 1, got 0');
  });
});
