import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { conformanceCases, formatSupport, supportOf } from '../src/index.ts';
import { createBareBackend, createBrokenBackend } from './broken-backend.ts';

const ids = ['fill/every-element', 'fill/nan-and-infinity', 'symmetric-rank-2-update/no-transpose/plain'];
const cases = conformanceCases.filter(({ id }) => ids.includes(id));

describe('support', () => {
  it('is a table of several backends, with reasons as notes', async () => {
    const probe = () => ({ available: false, reason: 'no device' }) as const;
    const tables = [
      await supportOf({ name: 'plain', create: () => createPlainBackend() }, { cases }),
      await supportOf({ name: 'bare', create: createBareBackend }, { cases }),
      await supportOf(
        { name: 'broken', create: createBrokenBackend, knownFailures: { 'fill/every-element': 'adds one' } },
        { cases },
      ),
      await supportOf({ name: 'absent', create: () => createPlainBackend(), probe }, { cases, required: new Set() }),
    ];
    expect(formatSupport(tables)).toBe(
      [
        '| case | plain | bare | broken | absent |',
        '|---|---|---|---|---|',
        '| fill/every-element | pass | pass | known failure [1] | unavailable [2] |',
        '| fill/nan-and-infinity | pass | pass | pass | unavailable [2] |',
        '| symmetric-rank-2-update/no-transpose/plain | pass | not offered [3] | pass | unavailable [2] |',
        '',
        '[1] adds one  ',
        '[2] no device  ',
        '[3] offers no symmetricRank2Update; the composition is used  ',
        '',
      ].join('\n'),
    );
  });
});
