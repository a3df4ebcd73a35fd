/** What the project says of its speed and memory, against what was measured. */
import { figure, percent } from '../reporting/numbers.ts';
import { type Measurements, reportsOf } from './measurements.ts';

export interface Claim {
  readonly claim: string;
  readonly bound: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const billionWordClasses = 793_471;

/** Of what was measured only: a missing backend has no line. */
export function claimsOf(measurements: Measurements): readonly Claim[] {
  return [
    ...kernelClaims(measurements),
    ...outputLayerClaims(measurements),
    ...scalingClaims(measurements),
    ...steadyStateClaims(measurements),
  ];
}

function atLeast(claim: string, measured: number, bound: number, show: (value: number) => string = figure): Claim {
  return { claim, bound: `≥ ${show(bound)}`, measured: show(measured), isMet: measured >= bound };
}

function atMost(claim: string, measured: number, bound: number, show: (value: number) => string = figure): Claim {
  return { claim, bound: `≤ ${show(bound)}`, measured: show(measured), isMet: measured <= bound };
}

function kernelClaims(measurements: Measurements): Claim[] {
  return reportsOf(measurements, 'kernels').flatMap(({ ratios }) => [
    ...(ratios.wasmOneThreadToOpenblasOneThread === null
      ? []
      : [atLeast('512³ product: wasm over openblas, one thread each', ratios.wasmOneThreadToOpenblasOneThread, 0.4)]),
    ...(ratios.wasmTwoThreadsToOne === null
      ? []
      : [atLeast('512³ product: wasm, two threads over one', ratios.wasmTwoThreadsToOne, 1.8)]),
  ]);
}

function outputLayerClaims(measurements: Measurements): Claim[] {
  return reportsOf(measurements, 'output-layer')
    .filter(
      ({ options, backend }) =>
        options.classes === billionWordClasses && options.batch === 128 && backend.threads === 1,
    )
    .flatMap(({ backend: { name }, speedup, factored }) => [
      atLeast(`${name}: step of D = 793,471, d = 300, m = 128, times faster than dense`, speedup, 800),
      atLeast(`${name}: that step's share of the 512³ rate`, factored.gemmCeilingShare, 0.75, percent),
      ...(name === 'openblas'
        ? [atMost(`${name}: that step in products of 128×300×300`, factored.stepOverGemm, 10)]
        : []),
    ]);
}

function scalingClaims(measurements: Measurements): Claim[] {
  return reportsOf(measurements, 'scaling').map(({ backend, rows, flatness }) => {
    const sizes = rows.map(({ classes }) => classes.toExponential(0).replace('e+', '·10^'));
    return atMost(
      `${backend.name}: slowest over fastest step from ${sizes[0] ?? ''} to ${sizes.at(-1) ?? ''} classes`,
      flatness,
      1.3,
    );
  });
}

function steadyStateClaims(measurements: Measurements): Claim[] {
  const bounds: readonly (readonly [loss: string, share: number])[] = [
    ['z-loss', 0.02],
    ['squared-error', 0.3],
  ];
  return reportsOf(measurements, 'steady-state').flatMap(
    ({ backend: { name }, handlesCreated, heapGrowthBytes, stabilizationShare }) => [
      atMost(`${name}: handles created in a thousand steps`, handlesCreated, 0),
      atMost(`${name}: growth of the heap in a thousand steps, MB`, heapGrowthBytes / 1e6, 1),
      ...bounds.flatMap(([loss, bound]) => {
        const share = stabilizationShare[loss];
        return share === undefined
          ? []
          : [atMost(`${name}: share of the step's time for stabilization, ${loss}`, share, bound, percent)];
      }),
    ],
  );
}
