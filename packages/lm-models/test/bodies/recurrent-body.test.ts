import { Tape } from '@vastmax/autodiff';
import { createPlainBackend, memoryDifference, type Backend } from '@vastmax/linalg-core';
import { cellNames, RecurrentBody, type RecurrentBodyOptions, type SequenceInputs } from '@vastmax/lm-models';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { largestError, rowsOf, valuesOf } from '../numbers.ts';
import { frozen, gradientErrors, shakeBiases } from './gradient-errors.ts';
import { NaiveRecurrent } from './naive-recurrent.ts';

const plain: RecurrentBodyOptions = {
  inputs: 6,
  embedding: 2,
  cell: 'lstm',
  hidden: [3],
  seed: 5,
  embeddingScale: 0.6,
};

function createBody(backend: Backend, changes: Partial<RecurrentBodyOptions> = {}): RecurrentBody {
  const body = new RecurrentBody(backend, { ...plain, ...changes });
  shakeBiases(body);
  return body;
}

/** @param starts rows where a stream begins anew, beside all of the first step when `fresh`. */
function sequence(
  steps: number,
  streams: number,
  fresh: boolean,
  starts: readonly number[] = [],
  seed = 1,
): SequenceInputs {
  const random = new RandomGenerator(seed);
  return {
    steps,
    streams,
    inputs: Int32Array.from({ length: steps * streams }, () => random.integer(6)),
    starts: Uint8Array.from({ length: steps * streams }, (_, row) =>
      (fresh && row < streams) || starts.includes(row) ? 1 : 0,
    ),
    predicted: undefined,
  };
}

async function hiddenOf(body: RecurrentBody, batch: SequenceInputs, training = false): Promise<Float64Array> {
  using tape = new Tape(body.backend);
  return valuesOf(body.forward(tape, batch, { training }).value);
}

describe.each(cellNames)('RecurrentBody of %s cells', (cell) => {
  it('computes what naive loops compute, over minibatches, layers and streams that start anew', async () => {
    using body = createBody(createPlainBackend({ precision: 'f64' }), { cell, hidden: [3, 4] });
    const naive = await new NaiveRecurrent(body).load();
    // The second minibatch goes on, one stream of it starts in the middle; the third starts one stream only.
    for (const batch of [
      sequence(4, 3, true),
      sequence(5, 3, false, [7], 2),
      sequence(1, 3, false, [1], 3),
      sequence(2, 2, true, [], 4),
    ]) {
      expect(largestError(await hiddenOf(body, batch), naive.forward(batch))).toBeLessThan(1e-14);
    }
  });

  it.each<[string, Partial<RecurrentBodyOptions>]>([
    ['one layer', {}],
    ['two layers with dropout', { hidden: [3, 2], dropout: 0.3 }],
  ])('has the gradients of finite differences, with %s', async (_name, changes) => {
    const backend = createPlainBackend({ precision: 'f64' });
    using body = createBody(backend, { cell, ...changes });
    const targets = singleTargets(Int32Array.of(2, 0, 3, 1, 1, 4, 2, 3), 5);
    for (const error of await gradientErrors(body, sequence(4, 2, true), targets)) expect(error).toBeLessThan(1e-8);
    // Going on from what was carried, with a stream that starts in the middle, and not every row predicted.
    await hiddenOf(body, sequence(3, 2, true, [], 7), true);
    const goesOn = { ...sequence(4, 2, false, [3], 8), predicted: Int32Array.of(0, 1, 3, 6, 7) };
    const fewer = singleTargets(Int32Array.of(2, 0, 3, 1, 4), 5);
    for (const error of await gradientErrors(body, goesOn, fewer, 'taylor-softmax')) expect(error).toBeLessThan(1e-8);
  });

  it('carries the state of training and of evaluation apart, and saves the former', async () => {
    const backend = createPlainBackend();
    using body = createBody(backend, { cell, dropout: 0.2 });
    await hiddenOf(body, sequence(3, 2, true), true);
    const saved = await frozen(body.state());
    const expected = await hiddenOf(body, sequence(3, 2, false, [], 2), true);
    using resumed = createBody(backend, { cell, dropout: 0.2, seed: 50 });
    await resumed.restore(saved);
    // Evaluating in between, with other streams, changes nothing.
    await hiddenOf(resumed, sequence(4, 5, true, [], 9));
    expect(await hiddenOf(resumed, sequence(3, 2, false, [], 2), true)).toEqual(expected);
    using fresh = createBody(backend, { cell, dropout: 0.2 });
    await hiddenOf(fresh, sequence(3, 2, true, [], 44), true);
    expect(await hiddenOf(fresh, sequence(3, 2, false, [], 2), true)).not.toEqual(expected);
  });

  it('reads prompts of different lengths as it reads them alone', async () => {
    using body = createBody(createPlainBackend({ precision: 'f64' }), { cell });
    const prompts = [[1, 4, 2, 2], [5], [3, 0]];
    using tape = new Tape(body.backend);
    const together = await valuesOf(body.forwardPrompts(tape, prompts).value);
    for (const [i, prompt] of prompts.entries()) {
      const alone = await valuesOf(body.forwardPrompts(tape, [prompt]).value);
      expect(largestError(together.subarray(3 * i, 3 * i + 3), alone)).toBeLessThan(1e-14);
      const last = await valuesOf(body.forwardPrompts(tape, [[0, 5, ...prompt]], { maxWords: prompt.length }).value);
      expect(largestError(last, alone)).toBeLessThan(1e-14);
    }
    const padded = await valuesOf(body.forwardPrompts(tape, [[4, 2, 2]], { paddingId: 1 }).value);
    expect(padded).toEqual(await valuesOf(body.forwardPrompts(tape, [[1, 4, 2, 2]]).value));
  });

  it('creates no handle once warm', () => {
    const backend = createPlainBackend();
    using body = createBody(backend, { cell });
    using tape = new Tape(backend);
    const run = (steps: number): void => {
      tape.reset();
      tape.backward(body.forward(tape, sequence(steps, 3, steps === 5, [1]), { training: true }));
    };
    for (const steps of [5, 3, 4, 5, 3, 4]) run(steps);
    const warm = backend.memory();
    for (const steps of [5, 4, 3, 5, 5]) run(steps);
    expect(backend.memory()).toEqual(warm);
  });
});

describe('RecurrentBody', () => {
  it('starts an LSTM with open forget gates, and counts its parameters', async () => {
    const backend = createPlainBackend();
    using lstm = new RecurrentBody(backend, { ...plain, hidden: [3, 4] });
    expect(Array.from(await valuesOf(lstm.parameters.matrices[2]!.value))).toEqual([
      0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0,
    ]);
    expect([lstm.features, lstm.parameterCount]).toEqual([4, 6 * 2 + 4 * 3 * (2 + 3 + 1) + 4 * 4 * (3 + 4 + 1)]);
    using gru = new RecurrentBody(backend, { ...plain, cell: 'gru' });
    expect(gru.parameterCount).toBe(6 * 2 + 3 * 3 * (2 + 3 + 1) + 3);
  });

  it('hands everything back', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    {
      using body = createBody(backend);
      await hiddenOf(body, sequence(3, 2, true), true);
      await hiddenOf(body, sequence(3, 4, true));
    }
    expect(memoryDifference(backend.memory(), before)).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });

  it('refuses streams that go on from nothing, or from another number of them', async () => {
    using body = createBody(createPlainBackend());
    await expect(hiddenOf(body, sequence(2, 3, false, [0]))).rejects.toThrow(
      'recurrent model: stream 1 of 3 goes on, but nothing was carried so far; begin with a minibatch in which all streams start',
    );
    await hiddenOf(body, sequence(2, 3, true));
    await expect(hiddenOf(body, sequence(2, 4, false))).rejects.toThrow(
      'stream 0 of 4 goes on, but 3 streams were carried so far',
    );
    await expect(hiddenOf(body, sequence(2, 3, false), true)).rejects.toThrow('nothing was carried so far');
  });

  it('refuses the state of another model and changes nothing', async () => {
    const backend = createPlainBackend();
    using body = createBody(backend);
    await hiddenOf(body, sequence(2, 3, true), true);
    const saved = await frozen(body.state());
    using gru = createBody(backend, { cell: 'gru' });
    await expect(gru.restore(saved)).rejects.toMatchObject({
      code: 'state-mismatch',
      message: "recurrent model: 'cell' is lstm in the checkpoint, gru in the model",
    });
    using wider = createBody(backend, { hidden: [4] });
    await expect(wider.restore(saved)).rejects.toMatchObject({
      code: 'state-mismatch',
      message: expect.stringContaining("tensor 'layer.0.inputWeights' is 2×12 in the checkpoint"),
    });
    using same = createBody(backend, { seed: 8 });
    const before = await rowsOf(same.embeddings.table);
    const { configuration, tensors } = saved;
    for (const [streams, message] of [
      ['two', "'streams' is two in the checkpoint"],
      [4, "tensor 'carried.0' is 3×3 in the checkpoint, the model's is 4×3"],
    ] as const) {
      await expect(same.restore({ configuration: { ...configuration, streams }, tensors })).rejects.toMatchObject({
        code: 'state-mismatch',
        message: expect.stringContaining(message),
      });
    }
    expect(await rowsOf(same.embeddings.table)).toEqual(before);
  });

  it.each<[Partial<RecurrentBodyOptions>, string]>([
    [{ inputs: 0 }, 'recurrent model: inputs must be a whole number of at least 1, got 0'],
    [{ hidden: [] }, 'recurrent model: hidden must name at least one layer width, got none'],
    [{ hidden: [3, 0] }, 'recurrent model: hidden layer 2 must be a whole number of at least 1, got 0'],
    [{ cell: 'rnn' as 'gru' }, "recurrent model: no cell is called 'rnn'; there are lstm, gru"],
    [{ dropout: 1 }, 'recurrent model: dropout must be at least 0 and less than 1, got 1'],
    [{ embeddingScale: -1 }, 'recurrent model: embeddingScale must be a finite number above 0, got -1'],
  ])('refuses %j and leaves nothing behind', (changes, message) => {
    const backend = createPlainBackend();
    const before = backend.memory();
    expect(() => new RecurrentBody(backend, { ...plain, ...changes })).toThrow(message);
    expect(backend.memory()).toEqual(before);
  });

  it('refuses an empty prompt', () => {
    using body = createBody(createPlainBackend());
    using tape = new Tape(body.backend);
    expect(() => body.forwardPrompts(tape, [[1], []])).toThrow(
      expect.objectContaining({
        code: 'bad-option',
        message: 'recurrent model: prompt 1 is empty; give a paddingId',
      }),
    );
  });
});
