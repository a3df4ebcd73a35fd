/**
 * A tokenizer.json comes from strangers, and the library runs it as it is: a regular expression may take time that
 * doubles with each character, a `Replace` may make a text longer without end, an id may ask for an array of any
 * length. Three limits hold it, however it is made:
 *
 * - ids, lengths and patterns are checked when it is opened;
 * - no step makes a text longer than 64 times the line and 65,536 characters;
 * - a call that is not known to be fast is interrupted after 2 s and 0.05 ms for each character, and by Ctrl-C.
 *
 * The last needs the module vm of Node, and takes some 0.1 ms a call; tokenizers whose regular expressions are known to
 * take linear time, which are nearly all, do without it.
 */
import { SparseDataError } from '@vastmax/sparse-data';

/** Throws an error about the tokenizer; `problem` is a sentence without its subject. */
export type TokenizerFailure = (problem: string, cause?: unknown) => never;

type Fields = Readonly<Record<string, unknown>>;

/** Far above those of known tokenizers, of which the longest has 700 characters. */
const maxPatternLength = 16_384;
/** Of the lists of steps; a sequence may be in a sequence. */
const maxDepth = 32;
const maxAddedCharacters = 2 ** 20;
/** Ids may have gaps. */
const idsPerToken = 4;
const freeIds = 2 ** 16;
/** How often a text may be repeated by a template. */
const maxCopies = 4;

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

/** Checks a parsed tokenizer.json. O(its size). @param fail is called with what is wrong. */
export function checkTokenizer(json: Fields, fail: TokenizerFailure): TokenizerCost {
  const patterns = new Set<string>();
  for (const part of ['normalizer', 'pre_tokenizer', 'decoder']) checkSteps(json[part], part, patterns, fail);
  const copies = checkTemplates(json['post_processor'], fail);
  if (copies > maxCopies)
    fail(`has a post_processor that repeats a text ${copies} times; at most ${maxCopies} are allowed`);
  const model = asFields(json['model']) ?? fail('has no model');
  const { vocab } = model;
  const added = json['added_tokens'] ?? [];
  if (!Array.isArray(added)) return fail('has added_tokens that are no array');
  if (typeof vocab !== 'object' || vocab === null) return fail('has a model without a vocab');
  const size = Array.isArray(vocab) ? vocab.length : Object.keys(vocab).length;
  const largest = idsPerToken * (size + added.length) + freeIds;
  const checkId = (token: string, id: unknown): void => {
    if (!Number.isSafeInteger(id) || Number(id) < 0 || Number(id) > largest)
      fail(
        `gives the token ${shorten(token)} the id ${String(id)}; with ${size} tokens a whole number up to ${largest} is needed`,
      );
  };
  let characters = 0;
  for (const each of added as readonly unknown[]) {
    const { content, id } = asFields(each) ?? fail('has an added token that is no object');
    if (typeof content !== 'string' || content === '') return fail('has an added token without content');
    checkId(content, id);
    characters += content.length;
  }
  if (characters > maxAddedCharacters)
    fail(`has added tokens of ${characters} characters together; at most ${maxAddedCharacters} are allowed`);
  let longestUnigram = 0;
  if (Array.isArray(vocab)) {
    for (const entry of vocab as readonly unknown[]) {
      const [token, score] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
      if (typeof token !== 'string' || typeof score !== 'number')
        return fail('has a vocab with an entry that is no pair of a token and a score');
      longestUnigram = Math.max(longestUnigram, token.length);
    }
  } else for (const [token, id] of Object.entries(vocab)) checkId(token, id);
  const wordLength = model['max_input_chars_per_word'] ?? 100;
  return {
    isLinear:
      [...patterns].every((pattern) => linearPatterns.has(pattern) || !unbounded.test(pattern)) &&
      typeof wordLength === 'number' &&
      wordLength <= 1000,
    longestUnigram,
  };
}

function checkSteps(given: unknown, part: string, patterns: Set<string>, fail: TokenizerFailure, depth = 0): void {
  if (given === undefined || given === null) return;
  const step = asFields(given) ?? fail(`has a ${part} that is no object`);
  if (depth > maxDepth) fail(`has a ${part} that is nested deeper than ${maxDepth}`);
  const { pattern, length } = step;
  const source = typeof pattern === 'string' ? pattern : (asFields(pattern) ?? {})['Regex'];
  const literal = (asFields(pattern) ?? {})['String'];
  for (const text of [source, literal]) {
    if (text === undefined) continue;
    if (typeof text !== 'string') return fail(`has a ${part} with a pattern that is no string`);
    if (text.length > maxPatternLength)
      fail(`has a ${part} with a pattern of ${text.length} characters; at most ${maxPatternLength} are allowed`);
  }
  if ((step['type'] === 'Replace' || step['type'] === 'Split') && source === undefined && literal === undefined)
    fail(`has a ${part} of the type ${step['type']} without a pattern`);
  if (typeof source === 'string') patterns.add(source);
  if (step['type'] === 'FixedLength' && !(Number.isSafeInteger(length) && Number(length) >= 1))
    fail(`has a ${part} of fixed length ${String(length)}; a whole number of at least 1 is needed`);
  for (const list of ['normalizers', 'pretokenizers', 'decoders']) {
    const steps = step[list] ?? [];
    if (!Array.isArray(steps)) return fail(`has a ${part} whose ${list} are no array`);
    for (const each of steps as readonly unknown[]) checkSteps(each, part, patterns, fail, depth + 1);
  }
}

/** How often a template repeats a text. */
function checkTemplates(given: unknown, fail: TokenizerFailure, depth = 0): number {
  if (given === undefined || given === null) return 1;
  if (depth > maxDepth) fail(`has a post_processor that is nested deeper than ${maxDepth}`);
  const { single = [], processors = [] } = asFields(given) ?? fail('has a post_processor that is no object');
  if (!Array.isArray(single) || !Array.isArray(processors))
    return fail('has a post_processor whose lists are no arrays');
  const own = (single as readonly unknown[]).filter((item) => 'Sequence' in (asFields(item) ?? {})).length;
  return (processors as readonly unknown[]).reduce<number>(
    (product, each) => product * checkTemplates(each, fail, depth + 1),
    Math.max(1, own),
  );
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}

/** A step of the library that maps texts to texts, or a list of such steps. */
interface Step {
  readonly normalizers?: readonly unknown[];
  readonly tokenizers?: readonly unknown[];
  readonly decoders?: readonly unknown[];
  readonly pattern?: RegExp | null;
  readonly config?: { readonly content?: unknown };
  readonly str_rep?: unknown;
}

/** By how many characters the call under way may still make its line longer, and by how many in all. */
const growth = { room: Infinity, limit: Infinity };

/** Counts what each step of a tokenizer makes of a text, and looks ahead where one may make much of little. */
export function limitGrowth(part: unknown): void {
  if (typeof part !== 'function') return;
  const step = part as unknown as Step & Record<string, unknown>;
  const inner = [step.normalizers, step.tokenizers, step.decoders].flatMap((each) => each ?? []);
  inner.forEach(limitGrowth);
  // What a list makes is counted by its steps.
  if (inner.length > 0) return;
  const content = step.config?.content ?? step.str_rep;
  const pattern = step.pattern instanceof RegExp ? step.pattern : / /g;
  for (const method of ['normalize', 'pre_tokenize_text', 'decode_chain']) {
    const original = step[method];
    if (typeof original !== 'function') continue;
    step[method] = (given: unknown, ...rest: unknown[]): unknown => {
      if (typeof content === 'string') checkReplacements(stringsOf(given), pattern, content);
      const made: unknown = Reflect.apply(original, step, [given, ...rest]);
      growth.room -= Math.max(0, charactersOf(made) - charactersOf(given));
      if (growth.room < 0) throw growthError();
      return made;
    };
  }
}

function stringsOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === 'string');
}

function charactersOf(value: unknown): number {
  return stringsOf(value).reduce((sum, { length }) => sum + length, 0);
}

/** @throws SparseDataError `record-too-long` when the texts with all matches replaced do not fit into the room. */
function checkReplacements(texts: readonly string[], pattern: RegExp, content: string): void {
  let added = texts.reduce((sum, { length }) => sum + (length + 1) * content.length, 0);
  if (added <= growth.room) return;
  added = 0;
  for (const text of texts) {
    for (const [match] of text.matchAll(pattern)) {
      added += content.length - match.length;
      if (added > growth.room) throw growthError();
    }
  }
}

function growthError(): SparseDataError {
  return new SparseDataError(
    'record-too-long',
    `tokenize: a line grows by more than ${growth.limit} characters, the limit of ${maxGrowth} times its own and ${freeCharacters}; use another tokenizer.json`,
  );
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
 * @throws SparseDataError `record-too-long` with the limit that the call goes beyond, `bad-tokenizer` for an error of
 * the library; an `AbortError` when Ctrl-C ends it.
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
    const isShort = isLinear && characters * longestUnigram ** 2 <= freeLatticeSteps;
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
