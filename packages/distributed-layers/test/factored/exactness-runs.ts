/**
 * Four losses in both precisions, with ragged weighted targets and decay; then many rebases, and singular
 * steps.
 */
import { exactnessMatrix, rebaseCases, singularCases } from '@vastmax/spherical-losses/testing';
import type { DistributedRun } from '../programs/distributed-run.ts';

export function exactnessRuns(): readonly DistributedRun[] {
  const inRowForm = <Case extends { readonly form: string }>(cases: readonly Case[]): readonly Case[] =>
    cases.filter(({ form }) => form === 'row');
  const doubles = inRowForm(exactnessMatrix(500)).filter(
    ({ options }) => options.precision === 'f64' && options.targets === 'ragged' && options.weightDecay !== 0,
  );
  const singles = inRowForm(exactnessMatrix(200)).filter(
    ({ options }) => options.precision === 'f32' && options.targets === 3 && options.weightDecay === 0,
  );
  return [
    // Twelve examples: three and more for each of four ranks.
    ...[...doubles, ...singles, ...inRowForm(rebaseCases(300))].map(({ id, options }) => ({
      id,
      options: { ...options, batch: 12 },
    })),
    // One example, so that all ranks but one are empty.
    ...inRowForm(singularCases()).map(({ id, options }) => ({ id, options: { ...options, steps: 100 } })),
  ];
}
