import { LinalgError } from '@vastmax/linalg-core';
import { CheckpointError } from '@vastmax/checkpoints';
import { SparseDataError } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { describeFailure, CommandFailure, UsageError } from '../../src/terminal/errors.ts';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();

describe('describeFailure', () => {
  it.each([
    [new UsageError('call it otherwise'), 2],
    [new CommandFailure('diverged'), 1],
    [new CheckpointError('missing', 'no checkpoint'), 1],
    [new SparseDataError('missing-file', 'no file'), 1],
    [new LinalgError('shape', 'shapes differ'), 1],
    [new RangeError('dropout is 2'), 1],
  ])('shows a foreseen error without its stack: %s', (error, exitCode) => {
    expect(describeFailure(error)).toEqual({ message: error.message, exitCode });
  });

  it('keeps the stack of an error that nobody foresaw', () => {
    const error = new TypeError('x is undefined');
    expect(describeFailure(error)).toEqual({ message: error.stack, exitCode: 1 });
  });

  it('calls options of the packages by the names that the command has', async () => {
    const messageOf = (message: string): string => describeFailure(new SparseDataError('bad-option', message)).message;
    expect(messageOf('NgramBatches: batchSize is 3e9; lower initialScale or headSize (the word is "batchSize")')).toBe(
      'NgramBatches: --batch is 3e9; lower --initial-scale or --head-size (the word is "batchSize")',
    );
    const help = (await vastmax(folder, 'train --help')).stdout;
    const names = 'batchSize minimumCount maximumSize headSize headRate tailRate tailLoss priorPower proposalPower';
    for (const flag of messageOf(
      `${names} initialScale bodyRate outputRate labelSmoothing divValue letterCase weightDecay precondition clipNorm finalFactor`,
    ).split(' '))
      expect(help).toMatch(new RegExp(`${flag}\\b`));
  });

  it('calls an abort an interruption', () => {
    expect(describeFailure(AbortSignal.abort().reason)).toEqual({ message: 'interrupted', exitCode: 130 });
  });
});
