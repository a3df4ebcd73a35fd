/** What keeps a bench from measuring, for the person who called it: no stack. */
export class BenchError extends Error {
  readonly code: 'unavailable' | 'bad-option' | 'memory' | 'failed';

  constructor(code: BenchError['code'], message: string) {
    super(message);
    this.name = 'BenchError';
    this.code = code;
  }
}
