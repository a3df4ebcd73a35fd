import { describeShape } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import type { Tape } from '../tape.ts';
import { checkCurrent, stateOf, type Variable } from '../variable.ts';

/**
 * The tape that all variables of an operation live on. Operations begin with it, so that a mistake is named before
 * anything is computed.
 * @throws AutodiffError `tape-mismatch`, `stale-variable`.
 */
export function commonTape(operation: string, first: Variable, ...others: readonly Variable[]): Tape {
  const { tape } = first;
  checkCurrent(operation, tape, stateOf(first).step);
  for (const other of others) {
    if (other.tape !== tape) {
      throw new AutodiffError(
        'tape-mismatch',
        `${operation}: the operands (${describeShape(first)} and ${describeShape(other)}) live on two tapes; make both on the same one`,
      );
    }
    checkCurrent(operation, tape, stateOf(other).step);
  }
  return tape;
}

/** Options that are not finite are a mistake of the caller, not data. */
export function checkFiniteOption(operation: string, role: string, value: number): void {
  if (!Number.isFinite(value)) {
    throw new AutodiffError('bad-option', `${operation}: ${role} must be a finite number, got ${value}`);
  }
}

/** A divisor of an average may not be 0. */
export function checkNotEmpty(operation: string, x: Variable, count: number): void {
  if (count === 0) {
    throw new AutodiffError(
      'shape',
      `${operation}: x is ${describeShape(x)}, there is nothing to average; give it an element at least`,
    );
  }
}
