export { DensePreconditioner } from './testing/dense-preconditioner.ts';
export { DenseReference, denseLoss, type DenseStep, type ReferenceLoss } from './testing/dense-reference.ts';
export {
  exactnessMatrix,
  rebaseCases,
  judgeExactness,
  singularCases,
  type ExactnessCase,
  type ExactnessVerdict,
  type FormChoice,
} from './testing/exactness-cases.ts';
export {
  createBatches,
  factoredLoss,
  relativeError,
  runDense,
  runExactness,
  type DenseRun,
  type DenseRunOptions,
  type ExactnessOptions,
  type ExactnessResult,
} from './testing/exactness-run.ts';
export { largestDrift, longRuns, runLong, type LongRunOptions, type LongRunResult } from './testing/long-run.ts';
