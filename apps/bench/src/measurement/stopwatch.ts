/** Adds up the time between `begin` and `end`, in milliseconds. */
export class Stopwatch {
  milliseconds = 0;
  #begun = 0;

  readonly onPhase = (phase: 'begin' | 'end'): void => {
    const now = performance.now();
    if (phase === 'begin') this.#begun = now;
    else this.milliseconds += now - this.#begun;
  };

  reset(): void {
    this.milliseconds = 0;
  }
}
