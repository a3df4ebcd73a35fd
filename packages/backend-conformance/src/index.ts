export { conformanceCases } from './all-cases.ts';
export {
  checkKnownFailures,
  findAvailability,
  requiredBackends,
  type Availability,
  type BackendUnderTest,
} from './backend-under-test.ts';
export { checkBackend, type CaseOutcome, type CaseStatus, type CheckOptions, type CheckReport } from './check.ts';
export { ConformanceFailure } from './comparison.ts';
export type { CaseContext, ConformanceCase, OptionalKernel, Prepared } from './conformance-case.ts';
export { measureBackend, type Measurement, type MeasureOptions } from './measure.ts';
export { createRandom, type Random } from './random.ts';
export { registerBackendSuite, type SuiteOptions, type SuiteRunner } from './register-suite.ts';
export { runCase, type CaseEnvironment } from './run-case.ts';
export { formatSupport, supportOf, type SupportTable } from './support.ts';
export { elementwiseTolerance, epsilonOf, smallestNormalOf, sumTolerance } from './tolerance.ts';
