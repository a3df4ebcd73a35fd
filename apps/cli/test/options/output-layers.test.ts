/** Every output layer through the commands a person would use: train, resume, evaluate, predict, neighbors, inspect. */
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();

describe.each([
  ['factored', '--loss z-loss --precondition 1', 'factored, z-loss (a = 0.1, b = 10, precondition = 1)'],
  ['hybrid', '--head-size 6 --tail-rate 2', 'hybrid (headSize = 6, tailRate = 2)'],
  [
    'hybrid',
    '--overwrite --head-size 6 --cutoffs 9 --tail spherical --prior-power 0.5 --tail-loss taylor --head-rate 1 --tail-rate 1',
    'hybrid (headSize = 6, cutoffs = 9, tail = spherical, priorPower = 0.5, tailLoss = taylor-softmax, headRate = 1, tailRate = 1)',
  ],
  ['full', '--label-smoothing 0.05', 'full (labelSmoothing = 0.05)'],
  ['hierarchical', '--output-optimizer momentum --output-rate 0.1', 'hierarchical (optimizer = momentum)'],
  ['huffman', '--output-optimizer adam --output-rate 0.01', 'huffman (optimizer = adam)'],
  ['adaptive', '--cutoffs 4,10 --div-value 2', 'adaptive (cutoffs = 4,10, divValue = 2)'],
  [
    'sampled',
    '--samples 8 --sampled-head 4 --output-optimizer adagrad',
    'sampled (samples = 8, proposal = unigram, head = 4, optimizer = adagrad)',
  ],
  ['nce', '--samples 8 --proposal log-uniform', 'nce (samples = 8, proposal = log-uniform)'],
  ['negative', '--samples 8 --proposal-power 0.75', 'negative (samples = 8, proposal = unigram, power = 0.75)'],
  [
    'rf',
    '--samples 4 --rf-frequencies 16 --nu 2 --temperature 8',
    'rf (samples = 4, temperature = 8, frequencies = 16, nu = 2)',
  ],
  ['quadratic', '--samples 4 --alpha 10', 'quadratic (samples = 4, alpha = 10)'],
])('%s %s', (layer, options, described) => {
  it('trains, and its model is evaluated, asked and inspected', async () => {
    const { code, stdout, stderr } = await vastmax(
      folder,
      `train train.txt -o ${layer} --valid valid.txt --evaluate 0 ${toyModel} --epochs 4 --body-rate 1 --output-layer ${layer} ${options}`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`output       ${described}, `);
    const reciprocalRank = (name: string): number =>
      Number(new RegExp(`^${name} .* (\\d\\.\\d{3}) `, 'm').exec(stdout)?.[1]);
    expect(reciprocalRank('model')).toBeGreaterThan(reciprocalRank('unigram'));
    const evaluated = await vastmax(folder, `evaluate ${layer} valid.txt --limit 0`);
    expect({ code: evaluated.code, stderr: evaluated.stderr }).toEqual({ code: 0, stderr: '' });
    expect(/^model .*$/m.exec(evaluated.stdout)?.[0], 'the model that was saved').toBe(/^model .*$/m.exec(stdout)?.[0]);
    for (const command of [`predict ${layer} the lazy --top 3`, `neighbors ${layer} cat --top 3`, `inspect ${layer}`]) {
      const result = await vastmax(folder, command);
      expect({ command, code: result.code, stderr: result.stderr }).toEqual({ command, code: 0, stderr: '' });
    }
    await using checkpoint = await openCheckpoint(createFileStorage(join(folder, layer)));
    expect(checkpoint.configuration).toMatchObject({ model: { output: { kind: layer } } });
  });
});

it('a sampled layer resumed draws on where it stopped', async () => {
  const settings = `${toyModel} --output-layer sampled --samples 8 --sampled-head 3 --schedule constant --valid valid.txt --evaluate 0`;
  const whole = await vastmax(folder, `train train.txt -o whole ${settings} --examples 400`);
  await vastmax(folder, `train train.txt -o parts ${settings} --examples 200`);
  const resumed = await vastmax(
    folder,
    'train train.txt -o parts --resume --valid valid.txt --evaluate 0 --examples 400',
  );
  expect(resumed.code).toBe(0);
  expect(/^model .*$/m.exec(resumed.stdout)?.[0]).toBe(/^model .*$/m.exec(whole.stdout)?.[0]);
});

it.each([
  [
    '--output-layer full --samples 3',
    '--samples is an option of --output-layer sampled, nce, negative, rf, quadratic, not of full',
  ],
  [
    '--output-layer sampled --weight-decay 0.1',
    '--weight-decay is an option of --output-layer factored, not of sampled',
  ],
  ['--precondition 2', "--precondition must be 0.5 or 1, got '2'"],
  ['--output-layer sampled --precondition 1', '--precondition is an option of --output-layer factored, not of sampled'],
  ['--output-layer hybrid --prior-power 1', '--prior-power is an option of --tail spherical; give that too'],
  ['--output-layer full --tail tree', '--tail is an option of --output-layer hybrid, not of full'],
  // Options of a loss mean the factored layer, whichever loss they are of.
  ['--pull 1', '--pull is no option of the loss z-loss, which has --z-a and --z-b'],
  ['--unobserved-weight 1', '--unobserved-weight is no option of the loss z-loss, which has --z-a and --z-b'],
  ['--output-layer nce --z-a 1', '--z-a is an option of --output-layer factored, not of nce'],
  [
    '--output-layer sampled --proposal uniform --proposal-power 0.5',
    '--proposal-power is an option of --proposal unigram, not of uniform',
  ],
  [
    '--output-layer sampled --sampled-head 4 --proposal learned',
    '--sampled-head 4 is an option of --proposal unigram with --sharing minibatch',
  ],
  ['--output-layer nce --sampled-head 4', '--sampled-head is an option of --output-layer sampled, not of nce'],
  ['--output-layer adaptive --cutoffs 9,4', 'cutoffs must be whole numbers'],
  [
    '--loss hinge',
    "--loss must be one of z-loss, spherical-softmax, taylor-softmax, squared-error, implicit, rg2, rgx, got 'hinge'",
  ],
  ['--loss implicit --pull 2', '--pull is no option of the loss implicit, which has --unobserved-weight'],
  ['--loss rg2 --interaction 0.5', '--interaction is no option of the loss rg2, which has --pull'],
  ['--loss rgx --interaction 1', "--interaction must be a number of at least 0 and less than 1, got '1'"],
])('refuses %s', async (options, message) => {
  const { code, stderr } = await vastmax(folder, `train train.txt -o refused ${toyModel} ${options}`);
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
});

it('takes the short names of losses', async () => {
  const { code } = await vastmax(folder, `train train.txt -o short ${toyModel} --loss spherical`);
  expect(code).toBe(0);
  await using checkpoint = await openCheckpoint(createFileStorage(join(folder, 'short')));
  expect(checkpoint.configuration).toMatchObject({ model: { output: { loss: { name: 'spherical-softmax' } } } });
});
