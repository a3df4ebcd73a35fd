import { runDense, type DenseRun, type ExactnessOptions } from '@vastmax/spherical-losses/testing';

const ofTheLayerOnly = new Set(['form', 'backend', 'verifyEachStep']);
let last: { readonly key: string; readonly run: DenseRun } | undefined;

/**
 * The dense run of these options. Cases that differ in form, backend or verification alone have the same one: it takes
 * longer than theirs, so it is kept until another is asked for.
 */
export function denseRunOf(options: ExactnessOptions): DenseRun {
  const key = JSON.stringify(options, (name, value: unknown) => (ofTheLayerOnly.has(name) ? undefined : value));
  if (last?.key !== key) last = { key, run: runDense(options) };
  return last.run;
}
