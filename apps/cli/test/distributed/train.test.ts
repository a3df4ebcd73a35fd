/** `mpirun vastmax train … --distributed mpi`, and what may go wrong with it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { pause, vastmax } from '../vastmax.ts';
import { calm, evaluateModel, expectAlike } from './calm-training.ts';
import { requireMpi, runJob, startJob } from './mpi-command.ts';
import { checkDistributable } from '../../src/run/distribution.ts';

const folder = createScratchFolder();

describe('two ranks', () => {
  it('train the model of one process, save it together, and go on as another number of ranks or one', async ({
    skip,
  }) => {
    requireMpi(skip);
    const alone = await vastmax(folder, `train train.txt -o alone ${calm} --examples 8000`);
    expect(alone.code).toBe(0);
    const expected = await evaluateModel(folder, 'alone');
    const whole = await runJob(
      2,
      folder,
      `train train.txt -o together ${calm} --examples 8000 --distributed mpi --valid valid.txt --log together.log`,
    );
    expect(whole, whole.stderr).toMatchObject({ code: 0 });
    // One speaks for all, and counts the examples of all: 8,000 and what fills the last minibatch, the epochs of 5,371
    // ending with a small one.
    expect(whole.stdout).toMatch(/^ranks {8}Open MPI .*, 2 ranks; sizes below are of one\nbackend /);
    expect(whole.stdout.match(/^saved {8}together$/gm)).toHaveLength(1);
    expect(whole.stdout.match(/^model /gm)).toHaveLength(1);
    expect(
      readFileSync(join(folder, 'together.log'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { examples: number }).examples)
        .at(-1),
    ).toBe(8027);
    {
      await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'together')));
      expect(checkpoint.moduleNames).toEqual([
        'body',
        'sizes',
        'optimizer',
        'output.shard-0-of-2',
        'output.shard-1-of-2',
      ]);
    }
    expectAlike(await evaluateModel(folder, 'together'), expected);

    const half = await runJob(3, folder, `train train.txt -o half ${calm} --examples 4000 --distributed mpi`);
    expect(half, half.stderr).toMatchObject({ code: 0 });
    const more = await runJob(2, folder, 'train train.txt -o half --resume --examples 6016 --distributed mpi');
    expect(more, more.stderr).toMatchObject({ code: 0 });
    const rest = await vastmax(folder, 'train train.txt -o half --resume --examples 8000');
    expect(rest, rest.stderr).toMatchObject({ code: 0 });
    expectAlike(await evaluateModel(folder, 'half'), expected);
  });

  it('train a recurrent model, whose streams are saved together and shared out anew', async ({ skip }) => {
    requireMpi(skip);
    const lstm =
      '--model lstm --output-layer factored --steps 8 --embedding 8 --hidden 12 --batch 40 --backend plain --precision f64 --body-rate 0.003 --output-rate 0.1 --schedule constant';
    const alone = await vastmax(folder, `train train.txt -o lstm-alone ${lstm} --examples 8000`);
    expect(alone, alone.stderr).toMatchObject({ code: 0 });
    const half = await runJob(3, folder, `train train.txt -o lstm ${lstm} --examples 4000 --distributed mpi`);
    expect(half, half.stderr).toMatchObject({ code: 0 });
    const more = await runJob(2, folder, 'train train.txt -o lstm --resume --examples 6000 --distributed mpi');
    expect(more, more.stderr).toMatchObject({ code: 0 });
    const rest = await vastmax(folder, 'train train.txt -o lstm --resume --examples 8000');
    expect(rest, rest.stderr).toMatchObject({ code: 0 });
    expectAlike(await evaluateModel(folder, 'lstm'), await evaluateModel(folder, 'lstm-alone'));
    const refused = await runJob(
      3,
      folder,
      'train train.txt -o few --distributed mpi --model lstm --steps 20 --batch 40',
    );
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(
      'a minibatch of 40 examples has 2 streams of 20 steps, fewer than the 3 ranks; give a --batch of at least 60, or fewer --steps',
    );
  });

  it('end when one is killed, and the last checkpoint goes on', async ({ skip }) => {
    requireMpi(skip);
    const job = startJob(
      2,
      folder,
      `train train.txt -o killed ${calm} --epochs 100000 --checkpoint-every 1 --distributed mpi`,
    );
    const committed = join(folder, 'killed', 'checkpoint.json');
    while (!existsSync(committed)) await pause(20);
    await pause(300);
    job.kill(1);
    const { code, stderr } = await job.ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/rank 1\b.*(signal 9|Killed)/);
    const step = await stepOf('killed');
    expect(step).toBeGreaterThan(0);
    const resumed = await runJob(
      2,
      folder,
      `train train.txt -o killed --resume --examples ${32 * (step + 100)} --distributed mpi`,
    );
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    expect(await stepOf('killed')).toBeGreaterThanOrEqual(step + 99);
  });

  it('save when they are interrupted', async ({ skip }) => {
    requireMpi(skip);
    const job = startJob(
      2,
      folder,
      `train train.txt -o interrupted ${calm} --epochs 100000 --checkpoint-every 1 --distributed mpi`,
    );
    while (!existsSync(join(folder, 'interrupted', 'checkpoint.json'))) await pause(20);
    job.interrupt();
    const { stdout } = await job.ended;
    expect(stdout).toMatch(
      /interrupted at step \d+; go on with: vastmax train train\.txt -o interrupted --backend plain --distributed mpi --resume\n/,
    );
    expect(await stepOf('interrupted')).toBe(Number(/at step (\d+)/.exec(stdout)?.[1]));
  });

  it('refuse what only one process can train, with one voice', async ({ skip }) => {
    requireMpi(skip);
    const message = "--distributed has no output layer 'adaptive' over several ranks";
    const { code, stderr } = await runJob(
      2,
      folder,
      'train train.txt -o refused --distributed mpi --output-layer adaptive',
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain(`vastmax: rank 0 of 2 ends the job: ${message}`);
    expect(stderr.split(message)).toHaveLength(2);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });
});

describe('a model over ranks', () => {
  const factored = { kind: 'factored', loss: { name: 'z-loss', options: {} }, initialScale: 0.1, seed: 1 } as const;
  const full = { kind: 'full', initialScale: 0.1, seed: 1 } as const;
  const sampled = { kind: 'sampled', samples: 10, proposal: 'uniform', initialScale: 0.1, seed: 1 } as const;

  it('is any with an output layer that is over ranks', () => {
    for (const output of [
      factored,
      full,
      sampled,
      { ...sampled, kind: 'nce' },
      { ...sampled, kind: 'negative' },
    ] as const)
      expect(() => {
        checkDistributable(output);
      }).not.toThrow();
  });

  it.each([
    [
      'another layer',
      { kind: 'adaptive', initialScale: 0.1, seed: 1 },
      "--distributed has no output layer 'adaptive' over several ranks; use --output-layer factored, with any of its losses, hybrid, full, hierarchical, sampled, nce or negative",
    ],
    [
      'samples for each example',
      { ...sampled, sharing: 'example' },
      '--distributed draws samples for the minibatch of all ranks; leave --sharing example out',
    ],
    [
      'label smoothing',
      { ...full, labelSmoothing: 0.1 },
      '--distributed has no label smoothing; leave --label-smoothing out',
    ],
  ] as const)('is refused otherwise: %s, %o', (_what, output, message) => {
    expect(() => {
      checkDistributable(output);
    }).toThrow(message);
  });
});

it('standard input is of rank 0 alone, and refused', async () => {
  const { code, stderr } = await vastmax(folder, 'train - -o refused --distributed mpi');
  expect(code).toBe(2);
  expect(stderr).toContain(
    '--distributed reads texts on every rank; standard input and pipes can be read by one; give a file',
  );
});

async function stepOf(model: string): Promise<number> {
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, model)));
  return Number(checkpoint.configuration['step']);
}
