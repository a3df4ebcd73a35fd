/**
 * What is asked of a model that ranks have trained and saved together: one process answers as for the model of one
 * process.
 */
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';
import { calm } from './calm-training.ts';
import { requireMpi, runJob } from './mpi-command.ts';

const folder = createScratchFolder();

async function ask(args: string): Promise<string> {
  const { code, stdout, stderr } = await vastmax(folder, args);
  expect({ code, stderr }, args).toEqual({ code: 0, stderr: '' });
  return stdout;
}

interface Inspection {
  readonly words: number;
  readonly configuration: Readonly<Record<string, unknown>> & { readonly model: unknown };
  readonly tensors: readonly {
    readonly module: string;
    readonly name: string;
    readonly rows: number;
    readonly columns: number;
  }[];
}

describe.each([
  ['factored', '--loss spherical-softmax', 'rows'],
  ['full', '', 'classes'],
])('a model with the output layer %s %s', (layer, options, rows) => {
  const alone = `alone-${layer}${options.replaceAll(/[ -]+/g, '-')}`;
  const together = alone.replace('alone', 'together');
  const train = (model: string): string =>
    `train train.txt -o ${model} ${calm} --examples 4000 --output-layer ${layer}${options === '' ? '' : ` ${options}`}`;

  it('predicts, evaluates, has neighbours and is inspected alike', async ({ skip }) => {
    requireMpi(skip);
    await ask(train(alone));
    const job = await runJob(2, folder, `${train(together)} --distributed mpi`);
    expect(job, job.stderr).toMatchObject({ code: 0 });

    for (const question of [
      (model: string) => `predict ${model} --top 8 --continue 6 the cat sleeps`,
      (model: string) => `evaluate ${model} valid.txt --limit 0 --backend plain`,
      (model: string) => `neighbors ${model} cat sings the -k 5`,
      (model: string) => `neighbors ${model} cat sings the -k 5 --vectors input`,
    ]) {
      const answer = await ask(question(alone));
      expect(answer.split('\n').length).toBeGreaterThan(3);
      expect(await ask(question(together)), question(together)).toBe(answer);
    }

    const [one, several] = [
      JSON.parse(await ask(`inspect ${alone} --json`)) as Inspection,
      JSON.parse(await ask(`inspect ${together} --json`)) as Inspection,
    ];
    expect(several.words).toBe(one.words);
    for (const key of ['model', 'training', 'step', 'examples', 'cursor', 'tokens'])
      expect(several.configuration[key], key).toEqual(one.configuration[key]);
    const ofBody = ({ tensors }: Inspection): Inspection['tensors'] =>
      tensors.filter(({ module }) => module === 'body');
    expect(ofBody(several)).toEqual(ofBody(one));
    // The classes are shared out; each rank has its own.
    const shared = several.tensors.filter(({ name }) => name === rows);
    expect(shared.map(({ module }) => module)).toEqual(['output.shard-0-of-2', 'output.shard-1-of-2']);
    expect(shared.reduce((sum, tensor) => sum + tensor.rows, 0)).toBe(one.words);
    expect(await ask(`inspect ${together}`)).toMatch(
      /checksums verified\nstep \d+, 4,\d+ examples, vocabulary of 22 words\n/,
    );
  });
});
