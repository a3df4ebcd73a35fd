/**
 * `mpirun vastmax train … --distributed mpi` with the layers that train on samples, which all ranks draw alike, and with
 * a layer of several parts.
 */
import { expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';
import { calm, evaluateModel, expectAlike } from './calm-training.ts';
import { requireMpi, runJob } from './mpi-command.ts';

const folder = createScratchFolder();

it.for([
  ['sampled', '--samples 20 --proposal learned --output-optimizer adagrad'],
  ['nce', '--samples 20'],
  ['negative', '--samples 20 --proposal log-uniform'],
  ['hybrid', '--head-size 8 --tail spherical'],
] as const)(
  'two ranks train the model of one process with --output-layer %s %s, which goes on from their checkpoint',
  async ([layer, options], { skip }) => {
    requireMpi(skip);
    const train = (model: string, examples: number): string =>
      `train train.txt -o ${model} ${calm} --output-layer ${layer} ${options} --examples ${examples}`;
    const alone = await vastmax(folder, train(`${layer}-alone`, 4000));
    expect(alone, alone.stderr).toMatchObject({ code: 0 });
    const together = await runJob(2, folder, `${train(layer, 2000)} --distributed mpi --valid valid.txt`);
    expect(together, together.stderr).toMatchObject({ code: 0 });
    const rest = await vastmax(folder, `train train.txt -o ${layer} --resume --examples 4000`);
    expect(rest, rest.stderr).toMatchObject({ code: 0 });
    expectAlike(await evaluateModel(folder, layer), await evaluateModel(folder, `${layer}-alone`));
  },
);
