export {
  compareWithFiniteDifferences,
  type DifferenceInput,
  type DifferenceOptions,
  type ErrorsOf,
  type VariablesOf,
} from './finite-differences.ts';
