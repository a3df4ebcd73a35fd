import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { pause, RunningCommand, vastmax } from '../vastmax.ts';

const folder = createScratchFolder();

function weightsOf(model: string): Buffer {
  const [file = 'no weights'] = readdirSync(join(folder, model)).filter((name) => name.endsWith('.safetensors'));
  return readFileSync(join(folder, model, file));
}

async function configurationOf(model: string): Promise<{ step: number; examples: number; cursor: unknown }> {
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, model)));
  const { step, examples, cursor } = checkpoint.configuration;
  return { step: Number(step), examples: Number(examples), cursor };
}

describe('a run that is stopped', () => {
  it('by SIGTERM saves, and the printed command goes on bit for bit with the backend and the files of the first call', async () => {
    // The backend is not the one that a call without --backend would take.
    const options = `${toyModel} --epochs 12 --backend plain --seed 3 --evaluate 50`;
    const whole = vastmax(folder, `train train.txt -o whole --valid valid.txt ${options}`);
    const command = new RunningCommand(
      `train train.txt -o part --valid valid.txt ${options} --log part.jsonl`.split(' '),
      folder,
    );
    await command.waitFor('minibatches');
    command.interrupt('SIGTERM');
    const { code, stdout } = await command.ended;
    expect(code).toBe(130);
    const printed = /go on with: vastmax (.*)\n/.exec(stdout)?.[1] ?? 'no command';
    expect(printed).toBe(
      'train train.txt -o part --valid valid.txt --evaluate 50 --log part.jsonl --backend plain --resume',
    );
    const { step } = await configurationOf('part');
    // Without the backend the run keeps its own.
    const resumed = await vastmax(folder, printed.replace('--backend plain ', ''));
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).toContain('backend      plain');
    expect((await whole).code).toBe(0);
    expect(step).toBeLessThan((await configurationOf('whole')).step);
    expect(weightsOf('part').equals(weightsOf('whole'))).toBe(true);
    expect(readFileSync(join(folder, 'part.jsonl'), 'utf8')).toMatch(/^(\{.*\}\n)+$/);
  });

  it('by SIGHUP of a closed terminal saves', async () => {
    const command = new RunningCommand(`train train.txt -o closed ${toyModel} --epochs 100000`.split(' '), folder);
    await command.waitFor('minibatches');
    command.interrupt('SIGHUP');
    expect(await command.ended).toMatchObject({ code: 130 });
    expect((await configurationOf('closed')).step).toBeGreaterThanOrEqual(0);
  });

  it('by two signals ends although a computation keeps it from looking at them', async () => {
    // Planning measures a product of these sizes, which takes the plain backend minutes.
    const command = new RunningCommand(
      'train train.txt -o stuck --backend plain --order 1 --embedding 4 --hidden 4000 --batch 100000'.split(' '),
      folder,
    );
    while (!existsSync(join(folder, 'stuck'))) await pause(20);
    await pause(1500);
    command.interrupt();
    await pause(100);
    command.interrupt('SIGTERM');
    const { code, stdout } = await command.ended;
    expect([130, null]).toContain(code);
    expect(stdout).not.toContain('saved');
  });
});

describe('Ctrl-C during training', () => {
  it('saves, and a resumed run ends with the bytes of one that nothing interrupted', async () => {
    const options = `${toyModel} --epochs 30 --batch 8 --optimizer adam --dropout 0.2 --body-rate 0.01`;
    const undisturbed = vastmax(folder, `train train.txt -o undisturbed ${options}`);
    const command = new RunningCommand(
      `train train.txt -o interrupted --valid valid.txt ${options}`.split(' '),
      folder,
    );
    await command.waitFor('minibatches');
    await pause(100);
    command.interrupt();
    const { code, stdout, stderr } = await command.ended;
    expect(code).toBe(130);
    expect(stderr).toBe('stopping; press Ctrl-C again to end at once\n');
    const { step } = await configurationOf('interrupted');
    expect(stdout).toContain(
      `interrupted at step ${step}; go on with: vastmax train train.txt -o interrupted --valid valid.txt --resume\n`,
    );

    expect((await undisturbed).code).toBe(0);
    const end = await configurationOf('undisturbed');
    expect(step).toBeGreaterThan(0);
    expect(step).toBeLessThan(end.step);

    // As it was first called, and as the message says.
    const resumed = await vastmax(folder, `train train.txt -o interrupted --valid valid.txt ${options} --resume`);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).toMatch(/^model /m);
    expect(await configurationOf('interrupted')).toEqual(end);
    expect(weightsOf('interrupted').equals(weightsOf('undisturbed'))).toBe(true);

    const again = await vastmax(folder, 'train train.txt -o interrupted --resume');
    expect(again.code).toBe(0);
    expect(again.stdout).toContain(
      `trained      all ${end.examples.toLocaleString('en-US')} examples of the run already; go on with --epochs or --examples\n`,
    );
    expect(weightsOf('interrupted').equals(weightsOf('undisturbed'))).toBe(true);
  });

  it('twice ends at once and leaves the last checkpoint as it was', async () => {
    // Large weights and Adam's moments take a while to save, and the second press comes in the middle of that.
    const options = `${toyModel} --hidden 3000,1500 --optimizer adam --body-rate 0.001 --epochs 1000 --checkpoint-every 1`;
    const command = new RunningCommand(`train train.txt -o twice ${options}`.split(' '), folder);
    await command.waitFor('minibatches');
    const hasCheckpoint = (): Promise<boolean> =>
      configurationOf('twice').then(
        () => true,
        () => false,
      );
    while (!(await hasCheckpoint())) await pause(50);
    command.interrupt();
    await command.waitFor('press Ctrl-C again');
    command.interrupt();
    const { code, stdout } = await command.ended;
    // No code where it was killed in the midst of a computation.
    expect([130, null]).toContain(code);
    expect(stdout).not.toContain('interrupted at step');
    expect((await configurationOf('twice')).step).toBeGreaterThan(0);
  });
});
