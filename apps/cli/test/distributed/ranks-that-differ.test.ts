/** `mpirun -n 1 vastmax train … : -n 1 vastmax train …` with another option or another text on one rank. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addTrainCommand } from '../../src/commands/train.ts';
import { comparisonOfOptions, flagOfOption } from '../../src/options/options-of-ranks.ts';
import { createScratchFolder } from '../scratch-folder.ts';
import { calm } from './calm-training.ts';
import { requireMpi, runDifferentRanks } from './mpi-command.ts';

const folder = createScratchFolder();

it('of every option it is known whether ranks compare it, under its flag', () => {
  const program = new Command();
  addTrainCommand(program);
  const options = program.commands[0]?.options ?? [];
  expect(options.length).toBeGreaterThan(50);
  // The argument may be given in a configuration file, as `text`.
  expect(new Set(Object.keys(comparisonOfOptions))).toEqual(
    new Set([...options.map((option) => option.attributeName()), 'text']),
  );
  for (const option of options) expect(flagOfOption(option.attributeName())).toBe(option.long);
});

const train = (changes: string): string =>
  `train train.txt -o refused ${calm} --examples 4000 --distributed mpi ${changes}`;

it.for([
  // Of --order the sizes of what is added up would not fit together; of the last two one rank would add up more often.
  [
    '--seed 1 --checkpoint-every 1',
    '--seed 2 --checkpoint-every 1000 --order 4 --z-a 0.2 --dry-run',
    [
      '--order is 3 on rank 0 and 4 on rank 1',
      '--seed is 1 on rank 0 and 2 on rank 1',
      '--checkpoint-every is 1 on rank 0 and 1000 on rank 1',
      '--z-a is not given on rank 0 and 0.2 on rank 1',
      '--dry-run is not given on rank 0 and true on rank 1',
    ],
  ],
  // One that models over words do not know together with the others.
  ['', '--model classifier', ['--model is "ngram" on rank 0 and "classifier" on rank 1']],
] as const)('options "%s" and "%s" are refused with one message', async ([first, second, words], { skip }) => {
  requireMpi(skip);
  const { code, stdout, stderr } = await runDifferentRanks(folder, [train(first), train(second)]);
  expect(code).not.toBe(0);
  const messages = stderr.match(/^vastmax: .*$/gm);
  expect(messages).toEqual([
    expect.stringMatching(
      /^vastmax: rank 0 of 2 ends the job: --distributed: the ranks differ: .*; all ranks must be given the same$/,
    ),
  ]);
  for (const each of words) expect(messages?.[0]).toContain(each);
  expect(stdout).not.toContain('trained');
});

it.for([
  ['other words', 'vocabulary', (text: string) => text.replace(/\bcat\b/, 'tiger')],
  ['another order of lines', 'the text', (text: string) => text.trim().split('\n').reverse().join('\n')],
] as const)('%s on one rank are refused: %s', async ([, differs, change], { skip }) => {
  requireMpi(skip);
  const text = readFileSync(join(folder, 'train.txt'), 'utf8');
  expect(change(text)).not.toBe(text);
  writeFileSync(join(folder, 'other.txt'), change(text));
  const { code, stderr } = await runDifferentRanks(folder, [train(''), train('').replace('train.txt', 'other.txt')]);
  expect(code).not.toBe(0);
  expect(stderr.match(/^vastmax: .*$/gm)).toEqual([
    expect.stringMatching(
      new RegExp(
        `^vastmax: rank 0 of 2 ends the job: training data: the ranks differ: ${differs} is "\\d+ (words|tokens), checksum \\d+" on rank 0 and "\\d+ (words|tokens), checksum \\d+" on rank 1; `,
      ),
    ),
  ]);
});

it('one that was not told of the others is refused', async ({ skip }) => {
  requireMpi(skip);
  const { code, stderr } = await runDifferentRanks(folder, [train(''), train('').replace('--distributed mpi', '')]);
  expect(code).not.toBe(0);
  expect(stderr.match(/^vastmax: .*$/gm)).toEqual([
    'vastmax: this process was started as one of 2 ranks, without --distributed mpi; add it, or unset OMPI_COMM_WORLD_SIZE to train alone',
  ]);
});

it('what has no effect on the model may differ', async ({ skip }) => {
  requireMpi(skip);
  writeFileSync(join(folder, 'copy.txt'), readFileSync(join(folder, 'train.txt')));
  const { code, stderr } = await runDifferentRanks(folder, [
    `train train.txt -o alike ${calm} --examples 2000 --distributed mpi --log alike.log`,
    `train copy.txt -o alike ${calm} --examples 2000 --distributed mpi`,
  ]);
  expect(code, stderr).toBe(0);
});
