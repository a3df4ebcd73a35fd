/** Errors that say what is wrong with a file: those of the packages, and those that the command prints without a stack. */
const typedErrors: ReadonlySet<string> = new Set([
  'CheckpointError',
  'LinalgError',
  'ModelError',
  'OutputLayerError',
  'SparseDataError',
  'StateError',
  'UsageError',
]);

export function isTyped(error: unknown): boolean {
  return error instanceof Error && typedErrors.has(error.name) && 'code' in error && error.message.length > 0;
}
