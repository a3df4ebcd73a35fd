/** Training could not go on, for a reason that the person can act upon. Exit code 1. */
export class TrainingFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TrainingFailure';
  }
}
