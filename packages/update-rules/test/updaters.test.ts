import { createPlainBackend, growTable, memoryDifference } from '@vastmax/linalg-core';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { updateRuleNames } from '@vastmax/update-rules';
import { describe, expect, it } from 'vitest';
import { largestError, normals, rowsOf } from './numbers.ts';
import { repeatedTouches, Updaters } from './updater-pairs.ts';

const columns = 3;
const tableRows = 9;

async function tableAndMoments(updaters: Updaters): Promise<Float64Array[]> {
  const moments = await Promise.all(updaters.tableUpdater.tensors().map((tensor) => tensor.read(0, tensor.rows)));
  return [await rowsOf(updaters.table), ...moments.map((values) => Float64Array.from(values))];
}

describe.each(updateRuleNames)('a table updater with %s', (name) => {
  const create = (precision: 'f32' | 'f64' = 'f64'): Updaters =>
    new Updaters(
      createPlainBackend({ precision }),
      name,
      normals(columns, 5),
      normals(tableRows * columns, 6),
      columns,
    );

  it('leaves untouched rows and their moments as they are, bit for bit', async () => {
    using updaters = create('f32');
    const all = Array.from({ length: tableRows }, (_, row) => row);
    updaters.stepTable([{ indices: all, rows: normals(tableRows * columns, 7) }], 0.1, 1);
    for (let step = 2; step < 6; step++) {
      const before = await tableAndMoments(updaters);
      const touched = new Set([step, 0]);
      updaters.stepTable([{ indices: [step, 0, step], rows: normals(3 * columns, step) }], 0.1, step);
      for (const [place, after] of (await tableAndMoments(updaters)).entries()) {
        for (let i = 0; i < after.length; i++) {
          if (touched.has(Math.floor(i / columns))) expect(after[i]).not.toBe(before[place]![i]);
          else expect(after[i]).toBe(before[place]![i]);
        }
      }
    }
  });

  it('does with distinct rows what it does with a list of them', async () => {
    using listed = create();
    using distinct = create();
    for (let step = 1; step < 6; step++) {
      const indices = [step, (step + 4) % tableRows, (step + 1) % tableRows];
      const touch = { indices, rows: normals(indices.length * columns, step) };
      listed.stepTable([touch], 0.1, step);
      distinct.stepDistinct(touch, 0.1, step);
    }
    expect(await tableAndMoments(distinct)).toEqual(await tableAndMoments(listed));
  });

  it('continues bit for bit from its moments, and refuses those of another table', async () => {
    using original = create('f32');
    for (let step = 1; step < 5; step++) original.stepTable(repeatedTouches(step, tableRows, columns), 0.05, step);
    using copy = new Updaters(original.table.backend, name, normals(columns, 5), await rowsOf(original.table), columns);
    const state = { configuration: {}, tensors: original.tableUpdater.tensors() };
    await copy.tableUpdater.restore(state);
    for (let step = 5; step < 9; step++) {
      original.stepTable(repeatedTouches(step, tableRows, columns), 0.05, step);
      copy.stepTable(repeatedTouches(step, tableRows, columns), 0.05, step);
    }
    expect(await tableAndMoments(copy)).toEqual(await tableAndMoments(original));
    using larger = new Updaters(
      original.table.backend,
      name,
      normals(columns, 5),
      normals(2 * tableRows * columns, 6),
      columns,
    );
    if (state.tensors.length > 0) {
      await expect(larger.tableUpdater.restore(state)).rejects.toMatchObject({ code: 'state-mismatch' });
    }
  });

  it('follows a table that grows: new rows begin as in a new table', async () => {
    using grown = create();
    grown.stepTable([{ indices: [2], rows: normals(columns, 1) }], 0.1, 1);
    growTable(grown.table, tableRows + 2);
    grown.tableUpdater.grow();
    const rows = normals(columns, 2);
    grown.stepTable([{ indices: [tableRows + 1], rows }], 0.1, 2);
    using fresh = new Updaters(
      createPlainBackend({ precision: 'f64' }),
      name,
      normals(columns, 5),
      new Float64Array(columns),
      columns,
    );
    fresh.stepTable([{ indices: [0], rows }], 0.1, 2);
    expect((await rowsOf(grown.table)).slice(-columns)).toEqual(await rowsOf(fresh.table));
  });

  it('creates no handle after warm-up and gives everything back', async () => {
    const backend = createPlainBackend({ precision: 'f32' });
    const before = backend.memory();
    {
      using updaters = new Updaters(backend, name, normals(columns, 5), normals(tableRows * columns, 6), columns);
      const touch = (step: number): void => {
        const indices = Array.from({ length: 1 + ((5 * step) % 11) }, (_, i) => (i * step) % tableRows);
        updaters.stepTable([{ indices, rows: normals(indices.length * columns, step) }], 0.01, step + 1);
        updaters.stepMatrix(normals(columns, step), 0.01, step + 1);
      };
      for (let step = 0; step < 30; step++) touch(step);
      const warm = backend.memory();
      for (let step = 30; step < 90; step++) touch(step);
      expect(memoryDifference(backend.memory(), warm)).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
      updaters.stepTable([], 0.1, 100);
    }
    expect(backend.memory()).toEqual(before);
  });

  it('is the same on the WebAssembly backend to f32 rounding', async () => {
    const backend = await createWasmBackend();
    using fast = new Updaters(backend, name, normals(columns, 5), normals(tableRows * columns, 6), columns);
    using plain = create('f32');
    for (let step = 1; step < 12; step++) {
      for (const updaters of [fast, plain]) updaters.stepTable(repeatedTouches(step, tableRows, columns), 0.05, step);
    }
    expect(largestError(await rowsOf(fast.table), await rowsOf(plain.table))).toBeLessThan(1e-5);
    await backend.dispose();
  });
});

describe('checkState', () => {
  it('refuses a state without its moments and leaves them alone', async () => {
    using updaters = new Updaters(
      createPlainBackend({ precision: 'f64' }),
      'adam',
      normals(columns, 5),
      normals(tableRows * columns, 6),
      columns,
    );
    updaters.stepMatrix(normals(columns, 8), 0.1, 1);
    const first = updaters.matrixUpdater.tensors()[0]!;
    const before = Float64Array.from(await first.read(0, 1));
    const state = { configuration: {}, tensors: [first] };
    expect(() => updaters.matrixUpdater.checkState(state)).toThrow("the checkpoint has no tensor 'matrix.1'");
    expect(() => updaters.tableUpdater.checkState(state)).toThrow("the checkpoint has no tensor 'table.0'");
    await expect(updaters.matrixUpdater.restore(state)).rejects.toMatchObject({ code: 'state-mismatch' });
    expect(Float64Array.from(await first.read(0, 1))).toEqual(before);
  });
});
