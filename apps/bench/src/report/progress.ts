/**
 * Progress on stderr: stdout holds the result and nothing else. One line that overwrites itself on a terminal, plain
 * lines elsewhere.
 */
export class Progress {
  readonly #total: number;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** The name of what begins now. */
  show(name: string, detail = ''): void {
    const line = `${this.#done}/${this.#total} ${name}${detail === '' ? '' : ` ${detail}`}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
    else if (detail === '') process.stderr.write(`${line}\n`);
  }

  completed(): void {
    this.#done++;
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
