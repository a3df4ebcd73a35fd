/** A rank that leaves its duty ends the job: soon, and with a message that names it. */
import { isCommunicatorError } from '@vastmax/collectives';
import { describe, expect, it } from 'vitest';
import type { FailureRequest } from '../programs/failures.ts';
import { runOnThreads } from '../run-program.ts';

// Only a hang is noticed by its duration. A rank that the machine keeps waiting for so long would be named instead.
const timeoutMs = (how: FailureRequest['how']): number => (how === 'hang' ? 8000 : 600_000);

async function failureOf(
  how: FailureRequest['how'],
  rank: number,
): Promise<{ readonly message: string; readonly code: string; readonly rank: number | undefined }> {
  try {
    await runOnThreads('thread-failures', 3, { how, rank }, { timeoutMs: timeoutMs(how) });
  } catch (error) {
    if (isCommunicatorError(error)) return { message: error.message, code: error.code, rank: error.rank };
    throw error;
  }
  throw new Error(`a rank did ${how} and nothing happened`);
}

describe('a thread that', () => {
  it.each<[FailureRequest['how'], RegExp]>([
    ['throw', /^the job was ended: rank 1 of 3: the data ran out$/],
    ['exit', /^the job was ended: rank 1 of 3: the thread ended with code 3 before its program did$/],
    ['exit-0', /^the job was ended: rank 1 of 3: the thread ended with code 0 before its program did$/],
    ['abort', /^the job was ended: rank 1 of 3: the disk is full$/],
    ['hang', /^the job was ended: rank 1 did not reach allReduce within 8 s, rank [02] waits there$/],
    [
      'other-call',
      /^the job was ended: rank \d called (barrier|allReduce) where rank \d called (barrier|allReduce); all ranks must make the same calls$/,
    ],
    ['other-size', /^the job was ended: allReduce: rank \d expects (8|24) bytes from rank \d, which sends (8|24)$/],
  ])('does %s ends the job', async (how, message) => {
    const failure = await failureOf(how, 1);
    expect(failure.message).toMatch(message);
    expect(failure.code).toBe('aborted');
  });
});

it('options that make no sense are refused', async () => {
  await expect(runOnThreads('thread-failures', 0)).rejects.toThrow(
    'startThreadRanks: size must be a whole number of at least 1, got 0',
  );
  await expect(runOnThreads('thread-failures', 2, {}, { windowBytes: 0.5 })).rejects.toThrow(
    'windowBytes must be a whole number of at least 1, got 0.5',
  );
});
