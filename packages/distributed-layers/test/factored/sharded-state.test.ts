import { createSingleCommunicator } from '@vastmax/collectives';
import { createDistributedFactoredLayer, mergeShards } from '@vastmax/distributed-layers';
import { createPlainBackend, read } from '@vastmax/linalg-core';
import { createFactoredOutputLayer } from '@vastmax/spherical-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import type { CheckpointAnswer, CheckpointRequest } from '../programs/scenarios/checkpoints.ts';
import {
  constantsLoss,
  rebasingLoss,
  layerOptions,
  moduleState,
  plainState,
  type PlainState,
} from '../programs/scenarios/small-layer.ts';
import { playOnThreads } from '../run-program.ts';

const play = (size: number, request: CheckpointRequest): Promise<CheckpointAnswer[]> =>
  playOnThreads('checkpoints', size, request);

describe.each(['rebases', 'constants'] as const)('a checkpoint of a layer with %s', (loss) => {
  it('resumes bit for bit on as many ranks, and exactly on others', async () => {
    const straight = await play(3, { loss, skip: 0, steps: 80 });
    const half = await play(3, { loss, skip: 0, steps: 40 });
    const from = half.map(({ state }) => state);
    if (loss === 'rebases') expect(half[0]?.rebases).toBeGreaterThan(1);

    const same = await play(3, { loss, skip: 40, from, steps: 40 });
    for (const [rank, { state, steps }] of same.entries()) {
      expect(steps).toBe(80);
      expect(state, `rank ${rank}`).toEqual(straight[rank]?.state);
    }
    for (const size of loss === 'rebases' ? [1, 2, 4] : [2]) {
      const other = await play(size, { loss, skip: 40, from, steps: 40 });
      for (const { weights, steps } of other) {
        expect(steps).toBe(80);
        expect(relativeError(weights, straight[0]?.weights ?? []), `${size} ranks`).toBeLessThan(1e-12);
      }
    }
  });

  it('is that of the factored layer in one process, and back', async () => {
    const half = await play(3, { loss, skip: 0, steps: 40 });
    const [first] = half;
    const backend = createPlainBackend({ precision: 'f64' });
    const options = layerOptions(loss === 'rebases' ? rebasingLoss() : constantsLoss());
    using single = await createFactoredOutputLayer(backend, options);
    await single.restore(mergeShards(half.map(({ state }) => moduleState(state))));
    using dense = backend.createMatrix(single.classes, single.width);
    single.denseRows(0, dense);
    expect(relativeError(await read(dense), first?.weights ?? [])).toBeLessThan(1e-13);

    using distributed = await createDistributedFactoredLayer(createSingleCommunicator(), backend, options);
    await distributed.restore(single.state());
    using again = backend.createMatrix(single.classes, single.width);
    distributed.denseRows(0, again);
    expect(await read(again)).toEqual(await read(dense));
  });
});

describe('shards that do not fit', () => {
  const shardsOf = async (): Promise<PlainState[]> =>
    (await play(2, { loss: 'rebases', skip: 0, steps: 3 })).map(({ state }) => state);

  it('are refused by name', async () => {
    const shards = await shardsOf();
    const [first, second] = shards.map(moduleState);
    if (first === undefined || second === undefined) throw new Error('there must be two shards');
    expect(() => mergeShards([first])).toThrow('1 states that are not the shards 0 to 0 of 1: {"rank":0,"size":2}');
    expect(() => mergeShards([first, first])).toThrow('not the shards 0 to 1 of 2');
    expect(() => mergeShards([])).toThrow('there are no shards');
    const later = { ...second, configuration: { ...second.configuration, steps: 4 } };
    expect(() => mergeShards([first, later])).toThrow("'steps' is 3 in shard 0 and 4 in shard 1");
    const cut = { ...second, tensors: second.tensors.filter(({ name }) => name !== 'rows') };
    expect(() => mergeShards([first, cut])).toThrow("tensor 'rows' of shard 1 is missing");

    const backend = createPlainBackend({ precision: 'f64' });
    using layer = await createDistributedFactoredLayer(
      createSingleCommunicator(),
      backend,
      layerOptions(rebasingLoss()),
    );
    const before = await plainState(layer.state());
    await expect(layer.restore(second)).rejects.toThrow(
      'the state is shard 1 of 2, this is rank 0 of 1; give every rank mergeShards of all shards',
    );
    expect(await plainState(layer.state())).toEqual(before);
  });

  it('may come in any order', async () => {
    const shards = (await shardsOf()).map(moduleState);
    expect(await plainState(mergeShards([...shards].reverse()))).toEqual(await plainState(mergeShards(shards)));
  });
});
