/** `--rates auto`, the default: what is tried, printed and kept, and the run after it. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { RunningCommand, vastmax, type Ended } from '../vastmax.ts';

const folder = createScratchFolder();

function weightsOf(model: string): Buffer {
  const [file = 'no weights'] = readdirSync(join(folder, model)).filter((name) => name.endsWith('.safetensors'));
  return readFileSync(join(folder, model, file));
}

async function configurationOf(model: string): Promise<JsonObject> {
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, model)));
  return checkpoint.configuration;
}

/** The rates that a run says it has taken. */
function ratesIn({ stdout }: Ended): { readonly output: number; readonly body: number } {
  const [, output, body] = /^rates +output ([\d.e-]+), body ([\d.e-]+), after/m.exec(stdout) ?? [];
  return { output: Number(output), body: Number(body) };
}

// 800 minibatches and more: a shorter run takes its defaults.
const model = '--loss spherical --order 2 --embedding 4 --hidden 6 --batch 16 --backend plain';
const long = `${model} --epochs 3`;

describe('--rates auto', () => {
  it('prints what it tried, keeps it, and trains bit for bit as with these rates given', async () => {
    const searched = await vastmax(folder, `train train.txt -o searched ${long}`);
    expect(searched).toMatchObject({ code: 0, stderr: '' });
    expect(searched.stdout).toMatch(/^tried +output +body +MRR +loss$/m);
    const { output, body } = ratesIn(searched);
    const given = await vastmax(folder, `train train.txt -o given ${long} --output-rate ${output} --body-rate ${body}`);
    expect(given).toMatchObject({ code: 0, stderr: '' });
    expect(given.stdout).not.toContain('rates');
    expect(weightsOf('searched').equals(weightsOf('given'))).toBe(true);
    expect(await configurationOf('searched')).toMatchObject({
      rateSearch: { rates: { outputRate: output, bodyRate: body } },
      training: { outputRate: output, bodyRate: body },
    });
    expect((await configurationOf('given'))['rateSearch']).toBeUndefined();

    const resumed = await vastmax(folder, 'train train.txt -o searched --resume --epochs 4');
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).not.toContain('rates');
    expect(await configurationOf('searched')).toMatchObject({
      rateSearch: { rates: { outputRate: output } },
      training: { outputRate: output, bodyRate: body },
    });
  });

  it('searches only the rate that is not given, and none by --rates default or in a short run', async () => {
    const one = await vastmax(folder, `train train.txt -o one ${long} --body-rate 2 --examples 8000`);
    expect(ratesIn(one).body).toBe(2);
    const off = await vastmax(folder, `train train.txt -o off ${model} --examples 16000 --rates default`);
    expect(off).toMatchObject({ code: 0, stderr: '' });
    expect(off.stdout).not.toContain('rates');
    expect(await configurationOf('off')).toMatchObject({ training: { outputRate: 20, bodyRate: 10 } });
    const known = await vastmax(
      folder,
      `train train.txt -o known ${long.replace('spherical', 'z-loss')} --body-rate 2`,
    );
    expect(known.stdout).not.toContain('rates');
    const short = await vastmax(folder, `train train.txt -o short ${model} --examples 5000`);
    expect(short.stdout).not.toContain('rates');
  });

  it('says with --dry-run what it would cost, and tries nothing', async () => {
    const { code, stdout } = await vastmax(folder, `train train.txt -o dry ${long} --dry-run`);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^rates +--output-rate and --body-rate to be searched: at most 10 trainings of \d+ minibatches$/m,
    );
    expect(existsSync(join(folder, 'dry'))).toBe(false);
  });

  it('ends at Ctrl-C with nothing saved', async () => {
    const command = new RunningCommand(
      `train train.txt -o stopped --output-layer factored --order 2 --embedding 64 --hidden 256 --batch 64 --backend plain --epochs 10000`.split(
        ' ',
      ),
      folder,
    );
    await command.waitFor('trying rates');
    command.interrupt();
    const { code, stdout } = await command.ended;
    expect(code).toBe(130);
    expect(stdout).toContain('interrupted while rates were tried: nothing was trained and nothing is saved');
    expect(existsSync(join(folder, 'stopped', 'checkpoint.json'))).toBe(false);
  });

  it("searches a classifier's output rate; its body has Adam", async () => {
    const line = (i: number): string => `${i % 2 === 0 ? 3 : 0},2 ${i % 2}:1 ${2 + (i % 3)}:0.5`;
    writeFileSync(
      join(folder, 'points.xmc'),
      `2000 5 4\n${Array.from({ length: 2000 }, (_, i) => line(i)).join('\n')}\n`,
    );
    const trained = await vastmax(
      folder,
      'train points.xmc -o points --model classifier --output-layer full --embedding 8 --batch 4 --backend plain',
    );
    expect(trained).toMatchObject({ code: 0, stderr: '' });
    const { rateSearch } = await configurationOf('points');
    const { tried } = rateSearch as { tried: { bodyRate: number }[] };
    expect(tried.length).toBeGreaterThan(2);
    expect(new Set(tried.map(({ bodyRate }) => bodyRate)).size).toBe(1);
  });
});
