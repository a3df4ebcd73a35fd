import { SparseDataError } from '@vastmax/sparse-data';

/**
 * The fields of a JSON object of a tokenizer.json. Each is read with its kind; {@link Fields.end} refuses those that
 * were not read, since a field that is ignored would change the tokens without a word.
 */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();
  /** Where the object is, for messages: the name of the file, and the way to it. */
  readonly where: string;

  /** @throws SparseDataError `bad-tokenizer` for what is no object. */
  constructor(value: unknown, where: string) {
    this.where = where;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.error(`is ${shown(value)}; an object is needed`);
    this.#values = value as Readonly<Record<string, unknown>>;
  }

  /** @param problem a sentence without its subject. */
  error(problem: string): SparseDataError {
    return new SparseDataError('bad-tokenizer', `createSubwordTokenizer: ${this.where} ${problem}`);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  get(name: string): unknown {
    this.#read.add(name);
    return this.has(name) ? this.#values[name] : undefined;
  }

  string(name: string, otherwise?: string): string {
    return this.#typed(name, 'string', otherwise);
  }

  boolean(name: string, otherwise?: boolean): boolean {
    return this.#typed(name, 'boolean', otherwise);
  }

  /** A whole number of at least 0. */
  count(name: string, otherwise?: number): number {
    const value = this.#typed(name, 'number', otherwise);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw this.error(`has ${name} ${value}; a whole number of at least 0 is needed`);
  }

  /** Null and a missing field are undefined. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    const value = this.get(name);
    return value === null || value === undefined ? undefined : read(name);
  }

  oneOf<T extends string>(name: string, choices: readonly T[], otherwise?: T): T {
    const value = this.string(name, otherwise);
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.error(`has ${name} ${shown(value)}; what is known here is ${choices.join(', ')}`);
  }

  list(name: string): readonly unknown[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw this.error(`has ${name} ${shown(value)}; an array is needed`);
    return value as unknown[];
  }

  object(name: string): Fields {
    return new Fields(this.get(name), this.#wayTo(name));
  }

  /** Objects in an array. */
  objects(name: string): Fields[] {
    return this.list(name).map((value, at) => new Fields(value, `${this.#wayTo(name)}[${at}]`));
  }

  #wayTo(name: string): string {
    return `${this.where}${this.where.endsWith(':') ? ' ' : '.'}${name}`;
  }

  /** @throws SparseDataError `bad-tokenizer` for a field that this package does not know. */
  end(): void {
    const unknown = Object.keys(this.#values).find((name) => !this.#read.has(name));
    if (unknown !== undefined)
      throw this.error(
        `has the field ${JSON.stringify(unknown)}, which is not known here and might change the tokens; remove it if it does not`,
      );
  }

  #typed(name: string, type: 'string', otherwise: string | undefined): string;
  #typed(name: string, type: 'boolean', otherwise: boolean | undefined): boolean;
  #typed(name: string, type: 'number', otherwise: number | undefined): number;
  #typed(name: string, type: string, otherwise: unknown): unknown {
    const value = this.get(name) ?? otherwise;
    if (typeof value === type) return value;
    throw this.error(`has ${name} ${shown(value)}; a ${type} is needed`);
  }
}

/** A value for a message: short, whatever it is. */
export function shown(value: unknown): string {
  try {
    const text = JSON.stringify(value) ?? 'undefined';
    return text.length > 60 ? `${text.slice(0, 60)}…` : text;
  } catch {
    return 'deeply nested';
  }
}
