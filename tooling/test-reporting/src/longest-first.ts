// The order of test files. In a fresh clone vitest knows no durations and takes large files first; a small file that
// runs for minutes may then begin last, and all cores but one wait for it. These few begin first. Files that share a
// process come last and beside each other, because vitest ends a shared process when a file of another kind is next.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take the longest, in order; paths relative to the repository. */
export const longestFiles: readonly string[] = [
  'packages/spherical-losses/test/factored/webgpu-suite.test.ts',
  'packages/spherical-losses/test/factored/long-run.test.ts',
  'packages/spherical-losses/test/factored/webgpu.test.ts',
  'packages/lm-models/test/distributed/killed-ranks.test.ts',
  'packages/gpu-backend-webgpu/test/conformance.test.ts',
  'packages/spherical-losses/test/factored/exactness.test.ts',
  'packages/lm-models/test/training/webgpu-curve.test.ts',
  'packages/lm-models/test/checkpoint/killed-training.test.ts',
  'tooling/package-tests/test/readme-examples.test.ts',
  'tooling/package-tests/test/published/packed-packages.test.ts',
  'apps/site/test/built/site.test.ts',
  'packages/distributed-layers/test/factored/exactness.test.ts',
  'apps/cli/test/options/output-layers.test.ts',
  'apps/cli/test/distributed/train.test.ts',
  'apps/bench/test/rooms/rooms.test.ts',
  'apps/cli/test/distributed/data-parallel.test.ts',
  'apps/cli/test/run/models.test.ts',
  'packages/collectives/test/mpi/failures.test.ts',
];

const placeOf = ({ moduleId }: Pick<TestSpecification, 'moduleId'>): number => {
  const place = longestFiles.findIndex((path) => moduleId.endsWith(`/${path}`));
  return place === -1 ? longestFiles.length : place;
};

const sharesProcess = ({ project }: TestSpecification): number => (project.config.isolate ? 0 : 1);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    return bySize.sort((a, b) => sharesProcess(a) - sharesProcess(b) || placeOf(a) - placeOf(b));
  }
}
