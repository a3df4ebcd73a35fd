/**
 * The factored layer against dense f64 SGD: on the plain backend, and on the backends that tools take, which sum in
 * another order and solve small systems in another way. Cases with the same data are beside each other, because they
 * share the dense run, which takes longer than theirs.
 */
import { createOpenBlasBackend, probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createPlainBackend, type Backend, type Precision } from '@vastmax/linalg-core';
import {
  exactnessMatrix,
  rebaseCases,
  judgeExactness,
  runExactness,
  singularCases,
  type ExactnessCase,
  type ExactnessResult,
} from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';
import { denseRunOf } from './dense-run-of.ts';

const openBlas = await probeOpenBlasBackend();
const withoutOpenBlas = openBlas.available ? undefined : openBlas.reason;
interface TestedBackend {
  readonly name: string;
  readonly precision: Precision;
  readonly create: () => Backend | Promise<Backend>;
  readonly missing: string | undefined;
}

const plain = (precision: Precision): TestedBackend => ({
  name: 'plain',
  precision,
  create: () => createPlainBackend({ precision }),
  missing: undefined,
});
const native: readonly TestedBackend[] = [
  { name: 'wasm', precision: 'f32', create: () => createWasmBackend(), missing: undefined },
  { name: 'openblas', precision: 'f32', create: () => createOpenBlasBackend(), missing: withoutOpenBlas },
  {
    name: 'openblas',
    precision: 'f64',
    create: () => createOpenBlasBackend({ precision: 'f64' }),
    missing: withoutOpenBlas,
  },
];

type TestedCase = ExactnessCase & TestedBackend & { readonly distance?: number };

/** Each case on the plain backend, if `onPlain`, and on the others of its precision. */
function onBackends(
  cases: readonly ExactnessCase[],
  onPlain: (each: ExactnessCase) => boolean = () => true,
): readonly TestedCase[] {
  return cases.flatMap((each) => {
    const { form, options } = each;
    const isOnNative = form !== 'auto' && (options.targets === 'ragged' || options.targets === 3);
    return [...(onPlain(each) ? [plain(options.precision)] : []), ...(isOnNative ? native : [])]
      .filter(({ precision }) => precision === options.precision)
      .map((backend) => ({ ...each, ...backend }));
  });
}

async function run(
  { name, precision, create, missing, options, distance }: TestedCase,
  skip: (reason: string) => never,
): Promise<ExactnessResult> {
  if (missing !== undefined) {
    // A suite that must not be skipped names its backends; the conformance suite reads the same variable.
    expect(process.env['REQUIRE_BACKENDS'] ?? '').not.toContain(`${name}-${precision}`);
    skip(missing);
  }
  const near = distance === undefined ? options : { ...options, singularDistance: distance };
  const backend = await create();
  const result = await runExactness({ ...near, backend }, denseRunOf(near));
  await backend.dispose();
  return result;
}

function expectExact(result: ExactnessResult, precision: Precision, criterion?: 'bound'): void {
  expect(judgeExactness(result, precision), JSON.stringify(result)).toMatchObject({
    pass: true,
    ...(criterion === undefined ? {} : { criterion }),
  });
}

describe('exactness over 2,000 steps', () => {
  // The layer's own choice is one of the two forms at each step; the bench command runs it in all combinations.
  const cases = onBackends(
    exactnessMatrix(),
    ({ form, options }) => form !== 'auto' || (options.targets === 'ragged' && options.weightDecay !== 0),
  );
  it.for(cases)('$id on $name', async (tested, { skip }) => {
    const result = await run(tested, skip);
    expect(result.movement, 'training moves the weights').toBeGreaterThan(0.1);
    expectExact(result, tested.precision);
  });
});

describe('dozens of rebases', () => {
  it.for(onBackends(rebaseCases()))('$id on $name', async (tested, { skip }) => {
    const result = await run(tested, skip);
    expect(result.counters.rebases).toBeGreaterThan(48);
    // Touched rows are at most batch·targets a step; only the sweep reaches the others.
    expect(result.counters.transformsApplied).toBeGreaterThan(0);
    expectExact(result, tested.precision, tested.name === 'plain' ? 'bound' : undefined);
  });
});

describe('singular steps', () => {
  it.for(onBackends(singularCases()))('$id on $name: twenty in two hundred', async (tested, { skip }) => {
    const result = await run(tested, skip);
    if (tested.name === 'plain') expect(result.counters.singularSteps).toBe(20);
    expectExact(result, tested.precision, tested.name === 'plain' ? 'bound' : undefined);
  });

  // Grouped by distance, so that the forms share the dense run of it.
  const distances = [1e-12, 1e-7, 1e-4, 1e-3, 0.01, 0.03, 0.1];
  const nearly = (['f64', 'f32'] as const).flatMap((precision) =>
    distances.flatMap((distance) =>
      singularCases()
        .filter(({ options }) => options.precision === precision)
        .map((each) => ({ ...each, ...plain(precision), distance })),
    ),
  );
  it.for(nearly)('$id: nearly singular, $distance away', async (tested, { skip }) => {
    expectExact(await run(tested, skip), tested.precision, 'bound');
  });
});
