/**
 * One rank of three fails in the middle; the whole job must end, not with success, and the output must name the rank.
 */
import { expect, it } from 'vitest';
import type { FailureRequest } from '../programs/failures.ts';
import { requireLauncher } from '@vastmax/test-programs';
import { launchers, runUnderMpi } from '../run-program.ts';

const cases: readonly { readonly how: FailureRequest['how']; readonly names: RegExp; readonly timeoutMs: number }[] = [
  // Long patience: these must end the job by themselves.
  { how: 'throw', names: /vastmax: rank 1 of 3 ends the job: the data ran out/, timeoutMs: 600_000 },
  { how: 'exit', names: /vastmax: rank 1 of 3 ends the job: the process exits with code 3/, timeoutMs: 600_000 },
  { how: 'abort', names: /vastmax: rank 1 of 3 ends the job: the disk is full/, timeoutMs: 600_000 },
  // The launcher notices, in its own words.
  { how: 'kill', names: /rank 1\b.*(signal 9|Killed)|EXIT CODE: 9|KILLED BY SIGNAL: 9/i, timeoutMs: 600_000 },
  // Only the others can notice, by how long they wait; a rank that a busy machine delays for so long would be named
  // too.
  {
    how: 'hang',
    names: /vastmax: rank [02] of 3 ends the job: rank 1 did not reach allReduce \(call 2\) within 8 s/,
    timeoutMs: 8000,
  },
  {
    how: 'exit-0',
    names: /vastmax: rank [02] of 3 ends the job: rank 1 did not reach allReduce \(call 2\) within 8 s|rank 1/,
    timeoutMs: 8000,
  },
];

// The two families differ in who notices what; the rest is this package's own and the same.
const perLauncher = launchers.flatMap((launcher, place) =>
  cases
    .filter(({ how }) => place === 0 || ['throw', 'kill', 'hang'].includes(how))
    .map((one) => ({ launcher, ...one, name: launcher.name })),
);

it.for(perLauncher)(
  'a rank that does $how ends a job of $name',
  async ({ launcher, how, names, timeoutMs }, { skip }) => {
    requireLauncher(launcher, (reason) => skip(reason));
    const { code, output } = await runUnderMpi(
      launcher,
      'mpi-failures',
      3,
      JSON.stringify({ how, rank: 1 }),
      String(timeoutMs),
    );
    expect(output).toMatch(names);
    expect(output).not.toContain('nothing happened');
    expect(code, output).not.toBe(0);
    // Ended by itself rather than by the launcher's limit.
    expect(code, output).not.toBeUndefined();
  },
);
