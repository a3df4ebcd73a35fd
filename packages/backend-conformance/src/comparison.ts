/** Comparisons that throw a ConformanceFailure with the place, the actual and the expected value and the tolerance. */
import { isLinalgError, type LinalgErrorCode } from '@vastmax/linalg-core';

/** The backend is wrong. The message is for the author of the backend. */
export class ConformanceFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConformanceFailure';
  }
}

export function expectTrue(what: string, condition: boolean): void {
  if (!condition) throw new ConformanceFailure(what);
}

/** Every element within its tolerance. NaN and infinities must match exactly; the sign of zero does not matter. */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerances: ArrayLike<number>,
  columns: number = expected.length,
): void {
  expectLength(what, actual, expected);
  let wrong = 0;
  let worst = -1;
  let worstRatio = -1;
  for (let i = 0; i < expected.length; i++) {
    const error = distance(actual[i]!, expected[i]!);
    if (error === 0 || error <= tolerances[i]!) continue;
    wrong++;
    const ratio = Number.isNaN(error) ? Infinity : error / tolerances[i]!;
    if (ratio > worstRatio) {
      worst = i;
      worstRatio = ratio;
    }
  }
  if (wrong === 0) return;
  const error = distance(actual[worst]!, expected[worst]!);
  throw new ConformanceFailure(
    `${what}: ${wrong} of ${expected.length} elements are wrong; the worst is ${position(worst, columns)}: got ${actual[worst]!}, ` +
      `expected ${expected[worst]!}, off by ${error.toExponential(2)}, allowed ${tolerances[worst]!.toExponential(2)}`,
  );
}

/** Bit for bit, except that any NaN equals any NaN and 0 equals -0. */
export function expectSame(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  columns: number = expected.length,
): void {
  expectLength(what, actual, expected);
  for (let i = 0; i < expected.length; i++) {
    if (distance(actual[i]!, expected[i]!) === 0) continue;
    throw new ConformanceFailure(
      `${what}: ${position(i, columns)}: got ${actual[i]!}, expected exactly ${expected[i]!}`,
    );
  }
}

/** Checks that `action` throws a LinalgError of that code whose message contains every fragment. */
export function expectThrows(
  what: string,
  code: LinalgErrorCode,
  fragments: readonly string[],
  action: () => unknown,
): void {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expectError(what, code, fragments, thrown);
}

/** As `expectThrows`, for a rejected promise. */
export async function expectRejects(
  what: string,
  code: LinalgErrorCode,
  fragments: readonly string[],
  action: () => Promise<unknown>,
): Promise<void> {
  let thrown: unknown;
  try {
    await action();
  } catch (error) {
    thrown = error;
  }
  expectError(what, code, fragments, thrown);
}

function expectError(what: string, code: LinalgErrorCode, fragments: readonly string[], thrown: unknown): void {
  if (thrown === undefined)
    throw new ConformanceFailure(`${what}: nothing was thrown, expected a LinalgError '${code}'`);
  if (!isLinalgError(thrown) || thrown.code !== code) {
    const got = isLinalgError(thrown) ? `LinalgError '${thrown.code}': ${thrown.message}` : String(thrown);
    throw new ConformanceFailure(`${what}: expected a LinalgError '${code}', got ${got}`, { cause: thrown });
  }
  for (const fragment of fragments) {
    if (!thrown.message.includes(fragment)) {
      throw new ConformanceFailure(`${what}: the message lacks "${fragment}": ${thrown.message}`, { cause: thrown });
    }
  }
}

/** 0 where both are the same, NaN where one is not a number, and otherwise the difference. */
function distance(actual: number, expected: number): number {
  if (actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))) return 0;
  return Number.isFinite(expected) ? Math.abs(actual - expected) : Number.NaN;
}

function expectLength(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (actual.length !== expected.length) {
    throw new ConformanceFailure(`${what}: got ${actual.length} numbers, expected ${expected.length}`);
  }
}

function position(index: number, columns: number): string {
  return columns === 0 ? `element ${index}` : `row ${Math.floor(index / columns)}, column ${index % columns}`;
}
