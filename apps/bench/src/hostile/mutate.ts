/** Seeded damage: bytes anywhere, and JSON whose structure stays while its parts change. */
import type { RandomGenerator } from '@vastmax/sparse-data';

/** What a mutation puts in: what breaks parsers. */
const fragments = [
  '0',
  '-1',
  '1e999',
  '1e308',
  '18446744073709551616',
  '0.5',
  'null',
  '[]',
  '{}',
  '""',
  '[[',
  '}',
  '"',
  ',',
  '\n',
  '\0',
  '\ud83d',
  '\uFEFF',
  '-0',
  ' ',
].map((text) => Buffer.from(text));
const numbers = [0, -1, 1, 0.5, 2 ** 16, 1e6, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 1e9, 2 ** 53, 1e308, -1e308];
const strings = [
  '',
  'x',
  'F64',
  'I32',
  '../x',
  '(a+)+$',
  '\\p{',
  'a'.repeat(3000),
  'full',
  'factored',
  'lstm',
  '\u0000',
  '1e9',
  'Unigram',
  'Replace',
];

function pick<T>(values: readonly T[], random: RandomGenerator): T {
  return values[random.integer(values.length)] as T;
}

/** One to four edits: overwriting, inserting, removing, repeating, cutting off, single bytes. */
export function mutateBytes(bytes: Uint8Array, random: RandomGenerator, limit: number = bytes.length): Uint8Array {
  let changed = Buffer.from(bytes);
  for (let edits = 1 + random.integer(4); edits > 0; edits--) {
    const at = random.integer(Math.max(1, Math.min(limit, changed.length)));
    const length = random.integer(16);
    const [before, after] = [changed.subarray(0, at), changed.subarray(at)];
    const word = pick(fragments, random);
    const kind = random.integer(7);
    if (kind === 0) changed = Buffer.concat([before, word, after]);
    else if (kind === 1) changed = Buffer.concat([before, word, after.subarray(word.length)]);
    else if (kind === 2) changed = Buffer.concat([before, after.subarray(length)]);
    else if (kind === 3) changed = Buffer.concat([before, after.subarray(0, length), after]);
    else if (kind === 4) changed = changed.subarray(0, random.integer(changed.length + 1));
    else if (kind === 5) changed = Buffer.concat([before, Buffer.alloc(length, 255), after.subarray(length)]);
    else changed = Buffer.concat([before, Buffer.from([random.integer(256)]), after.subarray(1)]);
  }
  return changed;
}

/** One to three parts of a JSON value replaced, left out, repeated, or put deeper. */
export function mutateJson(value: unknown, random: RandomGenerator): unknown {
  let changed = structuredClone(value);
  for (let edits = 1 + random.integer(3); edits > 0; edits--) changed = mutatePart(changed, random);
  return changed;
}

function mutatePart(value: unknown, random: RandomGenerator): unknown {
  if (typeof value !== 'object' || value === null || random.integer(30) === 0) return replacement(value, random);
  if (Array.isArray(value)) {
    const items = value as unknown[];
    const kind = random.integer(12);
    if (items.length === 0 || kind === 0) return Array.from({ length: 1 + random.integer(300) }, () => items[0] ?? 1);
    const at = random.integer(items.length);
    if (kind === 1) return items.toSpliced(at, 1);
    if (kind === 2) return items.toSpliced(at, 0, items[random.integer(items.length)]);
    return items.with(at, mutatePart(items[at], random));
  }
  const entries = Object.entries(value);
  const entry = entries[random.integer(Math.max(1, entries.length))];
  if (entry === undefined) return { added: pick(numbers, random) };
  const [key, inner] = entry;
  const kind = random.integer(20);
  const others = entries.filter(([name]) => name !== key);
  if (kind === 0) return Object.fromEntries(others);
  if (kind === 1) return Object.fromEntries([...others, [pick(strings, random), inner]]);
  return { ...(value as object), [key]: mutatePart(inner, random) };
}

function replacement(value: unknown, random: RandomGenerator): unknown {
  const kind = random.integer(10);
  if (typeof value === 'number' && kind < 7)
    return kind < 2 ? value + pick([1, -1, 0.5], random) : pick(numbers, random);
  if (typeof value === 'string' && kind < 6) return pick(strings, random);
  if (kind === 9) {
    let deep: unknown = value;
    for (let depth = random.integer(200); depth > 0; depth--) deep = [deep];
    return deep;
  }
  return pick<unknown>([null, true, [], {}, [[]], '', 1e9, -1, 'x', value], random);
}

/** Of a JSON text; of one that is none, its bytes. */
export function mutateJsonText(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  if (random.integer(4) === 0) return mutateBytes(bytes, random);
  return Buffer.from(JSON.stringify(mutateJson(JSON.parse(Buffer.from(bytes).toString()), random)) ?? 'null');
}

/** Of a safetensors file: its header as JSON, with the length before it, or bytes of header or numbers. */
export function mutateSafetensors(bytes: Uint8Array, random: RandomGenerator): Uint8Array {
  const file = Buffer.from(bytes);
  const length = Number(file.readBigUInt64LE());
  const kind = random.integer(4);
  if (kind === 0) return mutateBytes(file, random, 8 + length);
  if (kind === 1) {
    const data = mutateBytes(file.subarray(8 + length), random);
    return Buffer.concat([file.subarray(0, 8 + length), data]);
  }
  const header = Buffer.from(
    JSON.stringify(mutateJson(JSON.parse(file.subarray(8, 8 + length).toString()), random)) ?? 'null',
  );
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, header, file.subarray(8 + length)]);
}
