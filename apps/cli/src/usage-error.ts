/** A mistake in how the command was called: the message is for the person, without a stack. Exit code 2. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UsageError';
  }
}

/** A whole number from `minimum` up, or a UsageError that names the option. Underscores and 2e6 are understood. */
export function wholeNumber(option: string, minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text.replaceAll('_', ''));
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < minimum) {
      throw new UsageError(`${option} must be a whole number of at least ${minimum}, got '${text}'`);
    }
    return value;
  };
}

/** A finite number of at least 0. */
export function nonNegative(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
      throw new UsageError(`${option} must be a number of at least 0, got '${text}'`);
    }
    return value;
  };
}

/** Whole numbers with commas between. */
export function wholeNumbers(option: string, minimum: number): (text: string) => number[] {
  const one = wholeNumber(option, minimum);
  return (text) => text.split(',').map((part) => one(part));
}
