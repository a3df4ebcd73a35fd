/**
 * The parameters of every product kernel: 32 bytes, the same struct in all, so that kernels differ in their code only.
 */

export interface ProductParameters {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Workgroups with work to do; the others of a folded grid return at once. */
  readonly groups: number;
  /** Terms of the sum in one split: k if there is only one split. */
  readonly depthPerSplit: number;
  readonly splits: number;
  readonly alpha: number;
  readonly beta: number;
}

export const parametersDeclaration = `struct Parameters { m: u32, n: u32, k: u32, groups: u32, depthPerSplit: u32, splits: u32, alpha: f32, beta: f32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;`;

export function packParameters({
  m,
  n,
  k,
  groups,
  depthPerSplit,
  splits,
  alpha,
  beta,
}: ProductParameters): ArrayBuffer {
  const buffer = new ArrayBuffer(32);
  new Uint32Array(buffer, 0, 6).set([m, n, k, groups, depthPerSplit, splits]);
  new Float32Array(buffer, 24, 2).set([alpha, beta]);
  return buffer;
}

/**
 * How a kernel stores element `index` of the product: alpha·product + beta·out (with beta 0 `out` is not read, so NaN
 * in it has no effect); or, for one split of the sum, unscaled into that split's part of scratch0.
 * @param type f32, or vec4f where four columns are stored at once and `index` counts by four
 */
export function resultDeclaration(binding: number, type: 'f32' | 'vec4f', isSplit: boolean): string {
  const place = isSplit ? 'partial' : 'result';
  const body = isSplit
    ? `  ${place}[index] = product;`
    : `  if (parameters.beta == 0.0) {
    ${place}[index] = parameters.alpha * product;
  } else {
    ${place}[index] = parameters.alpha * product + parameters.beta * ${place}[index];
  }`;
  return `@group(0) @binding(${binding}) var<storage, read_write> ${place}: array<${type}>;

fn give(index: u32, product: ${type}) {
${body}
}`;
}
