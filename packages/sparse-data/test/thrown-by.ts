import { expect } from 'vitest';
import { SparseDataError } from '../src/errors.ts';

/** The SparseDataError that an action throws, or rejects with, as `code: message`. */
export async function thrownBy(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(SparseDataError);
    const { code, message } = error as SparseDataError;
    return `${code}: ${message}`;
  }
  return 'nothing was thrown';
}
