/** Mutation number n of a run: which file of which kind, and what is done to it. A function of seed and number. */
import { createHash } from 'node:crypto';
import { RandomGenerator } from '@vastmax/sparse-data';
import type { Files } from './memory-source.ts';
import { mutateBytes, mutateJson, mutateJsonText, mutateSafetensors } from './mutate.ts';
import { seedTexts, type SeedKind } from './seed-texts.ts';

export type HostileKind = SeedKind | 'checkpoint';
export const hostileKinds: readonly HostileKind[] = ['checkpoint', ...(Object.keys(seedTexts) as SeedKind[])];

export interface DamagedFile {
  readonly kind: SeedKind;
  /** Of its name. */
  readonly extension: string;
  readonly bytes: Uint8Array;
}

export interface DamagedCheckpoint {
  readonly kind: 'checkpoint';
  /** Of the checkpoint that was damaged. */
  readonly name: string;
  readonly files: Files;
}

/** Half of all mutations are of checkpoints, and half of those have checksums that fit. */
export function damage(
  seed: number,
  number: number,
  checkpoints: ReadonlyMap<string, Files>,
  kinds: readonly HostileKind[],
): DamagedFile | DamagedCheckpoint {
  const random = new RandomGenerator(seed * 2 ** 32 + number);
  const others = kinds.filter((kind): kind is SeedKind => kind !== 'checkpoint');
  const isCheckpoint = kinds.includes('checkpoint') && (others.length === 0 || random.integer(2) === 0);
  if (!isCheckpoint) {
    const kind = others[random.integer(others.length)] ?? 'text';
    const files = seedTexts[kind];
    const at = random.integer(files.length);
    const bytes = files[at] ?? new Uint8Array(0);
    const isJson = kind === 'tokenizer' || kind === 'config';
    const extension = kind === 'text' ? (['.txt', '.gz', '.br'][at] ?? '') : '';
    return { kind, extension, bytes: isJson ? mutateJsonText(bytes, random) : mutateBytes(bytes, random) };
  }
  const names = [...checkpoints.keys()];
  const name = names[random.integer(names.length)] ?? '';
  const files = new Map(checkpoints.get(name));
  const isSealed = random.integer(2) === 0;
  return { kind: 'checkpoint', name, files: damageCheckpoint(files, random, isSealed) };
}

const manifestName = 'checkpoint.json';
const noChecksum = '0'.repeat(64);

interface FileRecord {
  file: string;
  bytes: number;
  sha256: string;
}

function damageCheckpoint(files: Map<string, Uint8Array>, random: RandomGenerator, isSealed: boolean): Files {
  const names = [...files.keys()];
  // The manifest holds the configurations: half of the time it is the one.
  const victim = random.integer(2) === 0 ? manifestName : (names[random.integer(names.length)] ?? manifestName);
  const original = files.get(victim) ?? new Uint8Array(0);
  if (victim !== manifestName) {
    files.set(
      victim,
      victim.endsWith('.json') ? mutateJsonText(original, random) : mutateSafetensors(original, random),
    );
    if (isSealed) changeManifest(files, (manifest) => resize(manifest, files));
    return files;
  }
  if (!isSealed) files.set(manifestName, mutateJsonText(original, random));
  else if (random.integer(6) === 0)
    files.set(manifestName, sealed(Buffer.from(mutateBytes(original, random)).toString()));
  else
    changeManifest(files, (manifest) => {
      // The configurations more often than the records of files.
      const part = random.integer(4);
      if (part === 0) return mutateJson(manifest, random);
      const key = part === 1 ? 'modules' : 'configuration';
      return { ...manifest, [key]: mutateJson(manifest[key], random) };
    });
  return files;
}

type Manifest = Readonly<Record<string, unknown>>;

function changeManifest(files: Map<string, Uint8Array>, change: (manifest: Manifest) => unknown): void {
  const manifest = JSON.parse(Buffer.from(files.get(manifestName) ?? []).toString()) as Manifest;
  const changed = change(manifest);
  const text = JSON.stringify(
    typeof changed === 'object' && changed !== null ? { ...changed, checksum: noChecksum } : changed,
  );
  files.set(manifestName, sealed(text));
}

/** Sizes and checksums of the files as they are. */
function resize(manifest: Manifest, files: Files): Manifest {
  const renew = (record: FileRecord): FileRecord => {
    const bytes = files.get(record.file) ?? new Uint8Array(0);
    return { ...record, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  const { shards, texts } = manifest as unknown as { readonly shards: FileRecord[]; readonly texts: FileRecord[] };
  return { ...manifest, shards: shards.map(renew), texts: texts.map(renew) };
}

function sealed(text: string): Uint8Array {
  const open = text.replace(/"checksum": ?"\w*"/, `"checksum":"${noChecksum}"`);
  return Buffer.from(open.replace(noChecksum, createHash('sha256').update(open).digest('hex')));
}
