import { describe, expect, it } from 'vitest';
import { createBackend } from '../../src/measurement/backend-choice.ts';

describe('a backend that cannot be had', () => {
  it('is refused with a reason', async () => {
    await expect(createBackend('plain', 2)).rejects.toThrow('--threads 2 with --backend plain, which has one thread');
  });
});
