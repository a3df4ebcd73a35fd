import { writeIndices, Scope } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import {
  add,
  concatColumns,
  dropout,
  gatherTable,
  layerNorm,
  matmul,
  reshape,
  sliceColumns,
  softmax,
  subtract,
  sum,
  Tape,
  tanh,
  type Variable,
} from '../src/index.ts';
import { createCountingBackend } from './counting-backend.ts';

/**
 * A model body as in training: embeddings, concatenation, hidden layer, normalisation, dropout; every kind of
 * operation.
 */
function createBody(scope: Scope): (tape: Tape, examples: number) => Variable {
  const words = 3;
  const embeddings = scope.table(50, 4);
  const indices = scope.indices(64);
  const weights = scope.matrix(12, 8);
  const bias = scope.matrix(1, 8);
  const gain = scope.matrix(1, 8);
  return (tape, examples) => {
    writeIndices(
      Int32Array.from({ length: examples * words }, (_, i) => (7 * i) % 50),
      indices,
    );
    const context = reshape(gatherTable(tape.table(embeddings), indices), examples, words * 4);
    const hidden = tanh(add(matmul(context, tape.variable(weights)), tape.variable(bias)));
    const normalized = layerNorm(hidden, tape.variable(gain), tape.variable(bias));
    const dropped = dropout(normalized, { rate: 0.5, random: () => 0.7 });
    const halves = concatColumns([sliceColumns(dropped, 4, 4), sliceColumns(dropped, 0, 4)]);
    return sum(subtract(softmax(halves), hidden));
  };
}

describe('memory of a tape', () => {
  it('creates no handle after the first step and leaves none behind', () => {
    const { backend, counts } = createCountingBackend();
    using scope = new Scope(backend);
    const body = createBody(scope);
    const bare = backend.memory();
    const tape = new Tape(backend);
    const step = (): void => {
      tape.backward(body(tape, 10));
      tape.reset();
    };
    step();
    const warm = { created: counts.created, memory: backend.memory() };
    for (let i = 0; i < 5; i++) step();
    expect(counts.created).toBe(warm.created);
    expect(backend.memory()).toEqual(warm.memory);
    expect(backend.memory().matrices).toBeGreaterThan(bare.matrices);
    tape[Symbol.dispose]();
    expect(backend.memory()).toEqual(bare);
  });

  it('creates none when the batch size varies below the largest, 0 and 1 included', () => {
    const { backend, counts } = createCountingBackend();
    using scope = new Scope(backend);
    const body = createBody(scope);
    const tape = scope.own(new Tape(backend));
    const step = (examples: number): void => {
      tape.backward(body(tape, examples));
      tape.reset();
    };
    step(20);
    const { created } = counts;
    const memory = backend.memory();
    for (const examples of [2, 19, 7, 0, 20, 3]) step(examples);
    expect(counts.created).toBe(created);
    expect(backend.memory()).toEqual(memory);
    // One example: a 1×n bias is no longer broadcast, so fewer matrices are asked for. The slots settle at once for
    // both orders.
    step(1);
    step(20);
    const settled = counts.created;
    for (const examples of [1, 20, 1, 1, 0, 15]) step(examples);
    expect(counts.created).toBe(settled);
    expect(backend.memory().matrices).toBe(memory.matrices);
  });

  it('grows a slot by half at least, so that growing batches replace it a logarithmic number of times', () => {
    const { backend, counts } = createCountingBackend();
    const tape = new Tape(backend);
    for (let rows = 1; rows <= 1000; rows++) {
      tape.allocate(rows, 3);
      tape.reset();
    }
    // log(1000)/log(1.5) = 17.04
    expect(counts.created).toBeLessThanOrEqual(19);
    expect(backend.memory().matrices).toBe(1);
    expect(backend.memory().bytes).toBeLessThanOrEqual(1.5 * 3000 * 8);
    tape[Symbol.dispose]();
    expect(backend.memory().bytes).toBe(0);
  });

  it('hands out the handles of the previous step in the same order', () => {
    const { backend } = createCountingBackend();
    using tape = new Tape(backend);
    const first = [tape.allocate(2, 3), tape.allocate(4, 1)];
    tape.reset();
    const second = [tape.allocate(3, 2), tape.allocate(1, 1)];
    expect(second[0]).toBe(first[0]);
    expect(second[1]).toBe(first[1]);
    expect([second[0]?.rows, second[1]?.rows]).toEqual([3, 1]);
  });

  it('keeps working when a larger matrix cannot be created', () => {
    const { backend } = createCountingBackend();
    using tape = new Tape(backend);
    tape.allocate(2, 2);
    tape.reset();
    expect(() => tape.allocate(-1, 2)).toThrow(expect.objectContaining({ code: 'shape' }));
    const { createMatrix } = backend;
    backend.createMatrix = () => {
      throw new Error('no room');
    };
    expect(() => tape.allocate(100, 100)).toThrow('no room');
    backend.createMatrix = createMatrix;
    expect(tape.allocate(2, 2).disposed).toBe(false);
    expect(backend.memory().matrices).toBe(1);
  });
});
