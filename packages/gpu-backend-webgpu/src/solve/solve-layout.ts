/**
 * How the kernels of a solve share their scratch, and their parameters.
 *
 * The factors are stored in panels of 16 columns. A panel has all rows of a one after another, sixteen numbers per row
 * (four vec4): a thread that owns a row reads and writes 64 bytes at once, and a 16×16 block is sixteen such pieces.
 * Rows keep their position in a; `order` gives the pivot row of each column. n is padded to whole panels by rows and
 * columns of the identity, which do not change the solution.
 */

export const panelWidth = 16;
/** ‖I − a‖₁ up to which the condition is bounded rather than computed. */
export const nearIdentity: number = 1 / 8;

export const paddedSize = (n: number): number => Math.ceil(n / panelWidth) * panelWidth;

/** Columns of the solution that one workgroup computes. */
export const columnsPerStrip = 64;

export interface Strips {
  /** Strips of right-hand sides. */
  readonly sides: number;
  /** All strips, including those of the inverse. */
  readonly all: number;
}

export function stripsOf(n: number, columns: number): Strips {
  const sides = Math.ceil(columns / columnsPerStrip);
  return { sides, all: sides + Math.ceil(n / columnsPerStrip) };
}

/**
 * scratch0: the factors, scratch1: order and facts, scratch2: the solution, in whole strips, scratch3: the 1-norms of
 * a⁻¹'s columns.
 */
export function solveScratchBytes(n: number, columns: number): readonly number[] {
  const padded = paddedSize(n);
  return [4 * padded * padded, 4 * (padded + 4), 4 * padded * stripsOf(n, columns).all * columnsPerStrip, 4 * n];
}

export const solveParametersDeclaration = `struct Parameters { n: u32, padded: u32, columns: u32, sideStrips: u32, strips: u32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;`;

export function packSolveParameters(n: number, columns: number): ArrayBuffer {
  const { sides, all } = stripsOf(n, columns);
  return Uint32Array.of(n, paddedSize(n), columns, sides, all, 0, 0, 0).buffer;
}

/** Results of the factorisation, stored after the padded order: as bits, so that one buffer of u32 holds everything. */
export const facts = { norm: 0, distance: 1, isSingular: 2, needsInverse: 3 } as const;

export const factAt = (fact: keyof typeof facts): string => `order[parameters.padded + ${facts[fact]}u]`;

/** Bits of non-negative numbers order as their values do; NaN comes last, so that a maximum keeps it. */
export const magnitudeDeclaration = `fn magnitude(value: f32) -> u32 { return bitcast<u32>(value) & 0x7fffffffu; }`;
