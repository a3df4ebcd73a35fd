/**
 * A tokenizer.json comes from strangers: a regular expression may take time that doubles with each character, a
 * `Replace` may make a text longer without end. Three limits hold it, however it is made:
 *
 * - patterns, nesting and added tokens are checked when it is opened;
 * - no step makes a text longer than 64 times the line and 65,536 characters;
 * - a call that is not known to be fast is interrupted after 2 s and 0.05 ms for each character, and by Ctrl-C.
 *
 * The last needs the module vm of Node, and takes some 0.1 ms a call; tokenizers whose regular expressions are known to
 * take linear time, which are nearly all, do without it.
 */
import { SparseDataError } from '@vastmax/sparse-data';

type Fields = Readonly<Record<string, unknown>>;

/** Far above those of known tokenizers, of which the longest has 700 characters. */
const maxPatternLength = 16_384;
/** Of the lists of steps; a sequence may be in a sequence. */
const maxDepth = 32;
/** They are looked for at each place of a text, by one regular expression. */
const maxAddedCharacters = 2 ** 20;
const freeAddedCharacters = 2 ** 15;

/** Growth of a line. */
const maxGrowth = 64;
const freeCharacters = 2 ** 16;

const freeMilliseconds = 2000;
const millisecondsPerCharacter = 0.05;
/** Steps of a Unigram lattice that need no guard. */
const freeLatticeSteps = 1e7;

/**
 * The regular expressions of well-known tokenizers: GPT-2, and those of cl100k, Llama 3, Qwen 2, o200k and DeepSeek,
 * whose alternatives each consume what they have scanned.
 */
const linearPatterns: ReadonlySet<string> = new Set([
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`[\r\n]`,
  String.raw`\s?\p{L}+`,
  String.raw`\s?\p{P}+`,
  String.raw`\p{N}+`,
  String.raw`\s+`,
  String.raw`\s+$`,
  ' {2,}',
  ' +',
]);
/** Without these a regular expression takes a bounded time at each place. */
const unbounded = /[*+]|\{\d*,\}/;

/** What a tokenizer's definition means for its calls. */
export interface TokenizerCost {
  /** Whether its regular expressions and its model take a time that grows as the line. */
  readonly isLinear: boolean;
  /** Characters of the longest token of a Unigram vocabulary, else 0. */
  readonly longestUnigram: number;
}

/**
 * Looks a parsed tokenizer.json through for what its parts would do without end. What has another type than it should
 * is passed over: it is refused when it is read. O(its size).
 * @throws SparseDataError `bad-tokenizer` for a pattern, a nesting or added tokens beyond the limits.
 */
export function costOf(json: Fields, name: string): TokenizerCost {
  const fail = (problem: string): never => {
    throw new SparseDataError('bad-tokenizer', `createSubwordTokenizer: ${name} ${problem}`);
  };
  const patterns = new Set<string>();
  const visit = (given: unknown, part: string, depth: number): void => {
    const step = asFields(given);
    if (step === undefined) return;
    if (depth > maxDepth) fail(`has a ${part} that is nested deeper than ${maxDepth}`);
    const { Regex: source, String: literal } = asFields(step['pattern']) ?? {};
    for (const text of [source, literal]) {
      if (typeof text === 'string' && text.length > maxPatternLength)
        fail(`has a ${part} with a pattern of ${text.length} characters; at most ${maxPatternLength} are allowed`);
    }
    if (typeof source === 'string') patterns.add(source);
    for (const list of ['normalizers', 'pretokenizers', 'decoders', 'processors'])
      for (const each of asList(step[list])) visit(each, part, depth + 1);
  };
  for (const part of ['normalizer', 'pre_tokenizer', 'decoder', 'post_processor']) visit(json[part], part, 0);
  const added = addedCharacters(json);
  if (added > maxAddedCharacters)
    fail(`has added tokens of ${added} characters together; at most ${maxAddedCharacters} are allowed`);
  const model = asFields(json['model']) ?? {};
  let longestUnigram = 0;
  for (const entry of asList(model['vocab'])) {
    const [token] = asList(entry);
    if (typeof token === 'string') longestUnigram = Math.max(longestUnigram, token.length);
  }
  const wordLength = model['max_input_chars_per_word'] ?? 100;
  return {
    isLinear:
      [...patterns].every((pattern) => linearPatterns.has(pattern) || !unbounded.test(pattern)) &&
      typeof wordLength === 'number' &&
      wordLength <= 1000 &&
      added <= freeAddedCharacters,
    longestUnigram,
  };
}

/** Characters of all added tokens together. */
export function addedCharacters(json: Fields): number {
  return asList(json['added_tokens']).reduce<number>((sum, each) => {
    const content = asFields(each)?.['content'];
    return sum + (typeof content === 'string' ? content.length : 0);
  }, 0);
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** By how many characters the call under way may still make its line longer, and by how many in all. */
const growth = { room: Infinity, limit: Infinity };

/** A step that counts what it makes longer. @param charactersOf of what the step takes and makes. */
export function counted<Value>(
  step: (given: Value) => Value,
  charactersOf: (value: Value) => number,
): (given: Value) => Value {
  return (given) => {
    const made = step(given);
    const added = charactersOf(made) - charactersOf(given);
    if (added > 0) growth.room -= added;
    checkRoom(0);
    return made;
  };
}

/** @throws SparseDataError `record-too-long` when a step is about to add more characters than there is room for. */
export function checkRoom(added: number): void {
  if (added <= growth.room) return;
  throw new SparseDataError(
    'record-too-long',
    `tokenize: a line grows by more than ${growth.limit} characters, the limit of ${maxGrowth} times its own and ${freeCharacters}; use another tokenizer.json`,
  );
}

/** All matches replaced by the content as it is. @throws SparseDataError `record-too-long` before it is made. */
export function replaceAllWithin(text: string, pattern: RegExp, content: string): string {
  if ((text.length + 1) * content.length > growth.room) {
    let added = 0;
    for (const [match] of text.matchAll(pattern)) checkRoom((added += content.length - match.length));
  }
  return text.replaceAll(pattern, () => content);
}

interface Vm {
  readonly Script: new (source: string) => {
    runInThisContext(options: { readonly timeout: number; readonly breakOnSigint: boolean }): unknown;
  };
}

interface Process {
  readonly pid: number;
  getBuiltinModule?(name: string): unknown;
  kill(pid: number, signal: string): void;
}

const guardedCall = Symbol.for('@vastmax/text-readers guarded call');
const host = globalThis as unknown as { readonly process?: Process; [guardedCall]?: (() => void) | undefined };
const vm = host.process?.getBuiltinModule?.('node:vm') as Vm | undefined;
const threads = host.process?.getBuiltinModule?.('node:worker_threads') as
  { readonly isMainThread: boolean } | undefined;
const script =
  vm === undefined ? undefined : new vm.Script(`globalThis[Symbol.for('${guardedCall.description ?? ''}')]()`);

/**
 * Calls the tokenizer on a line of so many characters, within the limits.
 * @param what for the message: the name of the file, and what is done.
 * @throws SparseDataError `record-too-long` with the limit that the call goes beyond, `bad-tokenizer` for an error that
 * is none of this package; an `AbortError` when Ctrl-C ends it.
 */
export function callWithin<Result>(
  what: string,
  characters: number,
  { isLinear, longestUnigram }: TokenizerCost,
  call: () => Result,
): Result {
  const { room, limit } = growth;
  growth.room = growth.limit = maxGrowth * characters + freeCharacters;
  try {
    const isShort = isLinear && characters * longestUnigram <= freeLatticeSteps;
    return isShort || script === undefined ? call() : callInterruptibly(what, characters, call);
  } catch (error) {
    if (error instanceof SparseDataError || (error instanceof Error && error.name === 'AbortError')) throw error;
    throw new SparseDataError(
      'bad-tokenizer',
      `${what}: the tokenizer fails (${error instanceof Error ? error.message : String(error)}); use another tokenizer.json`,
      { cause: error },
    );
  } finally {
    Object.assign(growth, { room, limit });
  }
}

function callInterruptibly<Result>(what: string, characters: number, call: () => Result): Result {
  const results: Result[] = [];
  const timeout = Math.ceil(freeMilliseconds + millisecondsPerCharacter * characters);
  const before = host[guardedCall];
  host[guardedCall] = () => results.push(call());
  try {
    script?.runInThisContext({ timeout, breakOnSigint: threads?.isMainThread === true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new SparseDataError(
        'record-too-long',
        `${what}: ${characters} characters take longer than ${timeout} ms, the limit of ${freeMilliseconds} ms and ${millisecondsPerCharacter} ms a character; break the line up, or use a tokenizer.json with simpler regular expressions`,
        { cause: error },
      );
    if (code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
    // For whoever listens to it; without a listener it ends the process.
    host.process?.kill(host.process.pid, 'SIGINT');
    throw Object.assign(new Error(`${what} was interrupted`), { name: 'AbortError' });
  } finally {
    host[guardedCall] = before;
  }
  return results[0] as Result;
}
