import type { ModuleState } from '@vastmax/linalg-core/state';
import { describe, expect, it } from 'vitest';
import { createMemoryStorage } from '../src/memory-storage.ts';
import { openCheckpoint } from '../src/open-checkpoint.ts';
import { publishCheckpoint } from '../src/publish-checkpoint.ts';

const moduleOf = (tensors: readonly string[]): ModuleState => ({
  configuration: { size: 3 },
  tensors: tensors.map((name) => ({
    name,
    precision: 'f32',
    rows: 2,
    columns: 3,
    read: (first, count) =>
      Promise.resolve(Float32Array.from({ length: 3 * count }, (_, i) => 3 * first + i + name.length)),
  })),
});
const content = {
  configuration: { a: 1 },
  modules: { body: moduleOf(['x', 'long']), output: moduleOf(['y']) },
  texts: { 'vocabulary.json': '["a"]' },
  documents: { 'README.md': '# a model\n' },
};

describe('publishCheckpoint', () => {
  it('writes files of known names, which open as a checkpoint', async () => {
    const storage = createMemoryStorage();
    await publishCheckpoint(storage, content);
    expect([...storage.files.keys()].toSorted()).toEqual([
      'README.md',
      'checkpoint.json',
      'model.safetensors',
      'vocabulary.json',
    ]);
    await using opened = await openCheckpoint(storage);
    expect(opened.configuration).toEqual({ a: 1 });
    expect(opened.text('vocabulary.json')).toBe('["a"]');
    expect(opened.module('body').configuration).toEqual({ size: 3 });
    const long = opened.module('body').tensors.find(({ name }) => name === 'long');
    expect(Array.from((await long?.read(0, 2)) ?? [])).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it('cuts weights into shards with an index, and removes those of an earlier one, not other files', async () => {
    const storage = createMemoryStorage([['own.txt', new Blob(['mine'])]]);
    await publishCheckpoint(storage, content, { maximumShardBytes: 24 });
    expect([...storage.files.keys()].filter((name) => name.startsWith('model')).toSorted()).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ]);
    const index = JSON.parse((await storage.files.get('model.safetensors.index.json')?.text()) ?? '') as {
      weight_map: Record<string, string>;
    };
    expect(index.weight_map['output/y']).toBe('model-00003-of-00003.safetensors');
    await using sharded = await openCheckpoint(storage);
    expect(sharded.module('output').tensors).toHaveLength(1);
    await publishCheckpoint(storage, content);
    expect([...storage.files.keys()].toSorted()).toEqual([
      'README.md',
      'checkpoint.json',
      'model.safetensors',
      'own.txt',
      'vocabulary.json',
    ]);
    await using whole = await openCheckpoint(storage);
    expect(whole.counter).toBe(2);
  });

  it('changes nothing when it fails', async () => {
    const storage = createMemoryStorage();
    await publishCheckpoint(storage, content);
    const before = new Map(storage.files);
    await expect(
      publishCheckpoint(storage, { ...content, documents: { 'vocabulary.json': 'twice' } }),
    ).rejects.toMatchObject({ code: 'bad-argument' });
    const broken = { ...moduleOf(['x']).tensors[0]!, read: () => Promise.resolve(new Float32Array(6).fill(NaN)) };
    await expect(
      publishCheckpoint(storage, { ...content, modules: { body: { configuration: {}, tensors: [broken] } } }),
    ).rejects.toMatchObject({ code: 'non-finite' });
    expect(storage.files).toEqual(before);
  });
});
