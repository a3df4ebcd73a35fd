/** `--output-layer auto`, the default: the layer that the number of words asks for, and what is kept of the choice. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const small = '--order 2 --embedding 4 --hidden 4 --batch 32 --rates default --schedule constant';
// 2,000 different words, each twice.
const line = (i: number): string => `w${i % 2000} w${(i + 1) % 2000}\n`;
writeFileSync(join(folder, 'many.txt'), Array.from({ length: 2000 }, (_, i) => line(2 * i)).join(''));

async function configurationOf(model: string): Promise<unknown> {
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, model)));
  return checkpoint.configuration;
}

describe('train', () => {
  it('says which layer it took and why, and keeps it for all later commands', async () => {
    const whole = await vastmax(folder, `train many.txt -o whole ${small} --examples 256`);
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toMatch(
      /^output layer sampled: 2,00\d words; near the quality of log-softmax in the shortest time$/m,
    );
    expect(whole.stdout).toMatch(/^output +sampled \(samples = 500, proposal = unigram\), /m);
    expect(await configurationOf('whole')).toMatchObject({
      options: { outputLayer: 'sampled' },
      model: { output: { kind: 'sampled' } },
    });

    await vastmax(folder, `train many.txt -o parts ${small} --examples 128`);
    const resumed = await vastmax(folder, 'train many.txt -o parts --resume --output-layer auto --examples 256');
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).not.toContain('output layer');
    const evaluate = (model: string): Promise<unknown> => vastmax(folder, `evaluate ${model} many.txt --limit 200`);
    expect(await evaluate('parts')).toEqual(await evaluate('whole'));
    const other = await vastmax(folder, 'train many.txt -o parts --resume --output-layer hybrid --examples 300');
    expect(other.stderr).toContain('--output-layer is "hybrid", but the run in parts has "sampled"');
  });

  it('takes all words where they are few, and a layer that has the options that are given', async () => {
    const few = await vastmax(folder, `train train.txt -o few ${small} --dry-run`);
    expect(few.stdout).toMatch(
      /^output layer full: 22 words; log-softmax over all of them costs no more than sampled$/m,
    );
    for (const [options, layer] of [
      ['--loss taylor', 'factored'],
      ['--head-size 5', 'hybrid'],
    ] as const) {
      const { stdout } = await vastmax(folder, `train train.txt -o few ${small} ${options} --dry-run`);
      expect(stdout).toMatch(new RegExp(`^output +${layer}[ ,]`, 'm'));
      expect(stdout).not.toContain('output layer');
    }
    const drawn = await vastmax(folder, `train train.txt -o few ${small} --samples 9 --dry-run`);
    expect(drawn.stdout).toMatch(/^output layer sampled: 22 words; /m);
    const none = await vastmax(folder, `train train.txt -o few ${small} --loss taylor --samples 4`);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('choose one by --output-layer') as string });
  });

  it('takes the layer of a classifier by the number of labels', async () => {
    mkdirSync(join(folder, 'labels'), { recursive: true });
    const texts = Array.from({ length: 1500 }, (_, i) => `__label__l${i} some words of ${i % 7}\n`).join('');
    writeFileSync(join(folder, 'labels/many.ft'), texts);
    const { code, stdout } = await vastmax(
      folder,
      'train labels/many.ft -o labels/model --model classifier --embedding 4 --rates default --backend wasm',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^output layer sampled: 1,500 labels; /m);
    const resumed = await vastmax(
      folder,
      'train labels/many.ft -o labels/model --model classifier --resume --epochs 2',
    );
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
  });
});
