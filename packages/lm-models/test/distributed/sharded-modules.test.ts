import { savedModule, splitModules } from '@vastmax/lm-models/distributed';
import { expect, it } from 'vitest';
import type { ModuleState } from '@vastmax/linalg-core/state';

const classes = 7;
/** Row r holds the number r. */
function shard(rank: number, size: number): ModuleState {
  const rows = Array.from({ length: classes }, (_, row) => row).filter((row) => row % size === rank);
  return {
    configuration: { kind: 'full-softmax', classes, steps: 3, shard: { rank, size } },
    tensors: [
      {
        name: 'classes',
        precision: 'f64',
        rows: rows.length,
        columns: 1,
        read: (first, count) => Promise.resolve(Float64Array.from(rows.slice(first, first + count))),
      },
    ],
  };
}
const firstValues = (state: ModuleState | undefined): Promise<unknown> | undefined =>
  state?.tensors[0]?.read(0, state.tensors[0].rows);
const body: ModuleState = { configuration: {}, tensors: [] };
const savedBy = (modules: Readonly<Record<string, ModuleState>>): Parameters<typeof savedModule>[0] => ({
  moduleNames: Object.keys(modules),
  module: (name) => {
    const found = modules[name];
    if (found === undefined) throw new Error(`no module ${name}`);
    return found;
  },
});

it('a rank writes its own shard, and what all have is for one of them', () => {
  const state = shard(1, 3);
  expect(splitModules({ body, output: state })).toEqual({
    own: { 'output.shard-1-of-3': state },
    replicated: { body },
  });
});

it('with one rank nothing is sharded', async () => {
  const { own, replicated } = splitModules({ body, output: shard(0, 1) });
  expect(own).toEqual({});
  expect(replicated['output']?.configuration).toEqual({ kind: 'full-softmax', classes, steps: 3 });
  expect(await firstValues(replicated['output'])).toEqual(Float64Array.of(0, 1, 2, 3, 4, 5, 6));
});

it('shards are read as the module, or as the one of a rank', async () => {
  const saved = savedBy({
    body,
    ...(Object.assign({}, ...[2, 0, 1].map((rank) => splitModules({ output: shard(rank, 3) }).own)) as Record<
      string,
      ModuleState
    >),
  });
  expect(savedModule(saved, 'body')).toBe(body);
  for (const place of [undefined, { rank: 0, size: 2 }]) {
    const whole = savedModule(saved, 'output', place);
    expect(await firstValues(whole)).toEqual(Float64Array.of(0, 1, 2, 3, 4, 5, 6));
    expect(whole.configuration['shard']).toBeUndefined();
  }
  expect(savedModule(saved, 'output', { rank: 1, size: 3 }).configuration['shard']).toEqual({ rank: 1, size: 3 });
  expect(() => savedModule(saved, 'optimizer')).toThrow('no module optimizer');
});

it('a missing shard is named', () => {
  const saved = savedBy({ 'output.shard-0-of-3': shard(0, 3), 'output.shard-2-of-3': shard(2, 3) });
  expect(() => savedModule(saved, 'output')).toThrow(
    'the checkpoint has 2 of the 3 shards of output: output.shard-0-of-3, output.shard-2-of-3',
  );
});
