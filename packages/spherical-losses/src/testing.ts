export { DenseReference, denseLoss, type DenseStep, type ReferenceLoss } from './testing/dense-reference.ts';
export { createBatches, relativeError, runExactness, type ExactnessOptions, type ExactnessResult } from './testing/exactness-run.ts';
