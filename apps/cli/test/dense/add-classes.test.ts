/** `vastmax add-classes`, and training that goes on with new labels. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();

/** Unit vectors of the kinds, in turn. */
function writeKinds(name: string, kinds: readonly string[], examples: number): void {
  const lines = Array.from({ length: examples }, (_, i) => i % kinds.length);
  writeFileSync(
    join(folder, `${name}.jsonl`),
    lines.map((kind) => `${JSON.stringify([0, 1, 2, 3].map((j) => (j === kind ? 1 : 0)))}\n`).join(''),
  );
  writeFileSync(join(folder, `${name}.txt`), lines.map((kind) => `${kinds[kind] ?? ''}\n`).join(''));
}
writeKinds('old', ['a', 'b', 'c'], 60);
writeKinds('new', ['a', 'b', 'c', 'small dogs'], 80);

it.each([
  ['full', ''],
  ['sampled', '--samples 4'],
  ['factored', '--loss squared-error'],
])('a %s layer learns a label that came later', async (layer, more) => {
  const settings = `--output-layer ${layer} ${more} --rates default --batch 8 --epochs 40 --schedule constant --backend wasm`;
  const trained = await vastmax(folder, `train --features old.jsonl --labels old.txt -o ${layer} ${settings}`);
  expect(trained).toMatchObject({ code: 0, stderr: '' });
  const added = await vastmax(folder, ['add-classes', layer, 'small dogs', '--backend', 'wasm']);
  expect(added).toMatchObject({ code: 0, stderr: '' });
  expect(added.stdout).toBe(`added        1 labels, 4 now\nsaved        ${layer}\n`);
  const refused = await vastmax(folder, ['add-classes', layer, 'small dogs']);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is a label 'small dogs' already") as string,
  });
  const empty = await vastmax(folder, ['add-classes', layer, ' ']);
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('a label is empty') as string });
  const resumed = await vastmax(folder, `train --features new.jsonl --labels new.txt -o ${layer} --resume`);
  expect(resumed).toMatchObject({ code: 0, stderr: '' });
  // As many epochs as before, of the examples that there are now.
  expect(resumed.stdout).toMatch(/^training +3,200 examples/m);
  const evaluated = await vastmax(folder, `evaluate ${layer} --features new.jsonl --labels new.txt --backend wasm`);
  expect(evaluated.stdout).toMatch(/^model +100\.0 %/m);
  const foreign = await vastmax(folder, `evaluate ${layer} --features new.jsonl --labels new.txt --top-items 3`);
  expect(foreign).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('a classifier of vectors, which has no --top-items; leave it out') as string,
  });
});

it('refuses what has no labels of a name, and what is not trained on', async () => {
  await vastmax(folder, 'train --features old.jsonl --labels old.txt -o ridge --output-layer ridge --backend wasm');
  const ridge = await vastmax(folder, 'add-classes ridge x --backend wasm');
  expect([ridge.code, ridge.stderr]).toEqual([
    2,
    expect.stringContaining('ridge holds a ridge head, which was fitted in one pass and is not trained on'),
  ]);
  await vastmax(folder, 'train train.txt -o words --examples 64 --rates default --backend wasm');
  const words = await vastmax(folder, 'add-classes words x --backend wasm');
  expect([words.code, words.stderr]).toEqual([2, expect.stringContaining('words holds a model over words')]);
});
