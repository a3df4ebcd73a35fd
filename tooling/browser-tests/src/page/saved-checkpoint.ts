// A page that saves a checkpoint to its origin private file system (OPFS), reloads, and then opens the checkpoint, from
// OPFS and as Blobs. After the reload it writes its report to the <output> of the page.

import {
  createMemoryStorage,
  createOpfsStorage,
  isCheckpointError,
  openCheckpoint,
  writeCheckpoint,
  type Checkpoint,
  type CheckpointSource,
  type CheckpointStorage,
  type DirectoryHandle,
} from '@vastmax/checkpoints';
import type { OpenedCheckpoint, SavedCheckpointReport } from './report.ts';

/** The part of the DOM that is used here. The DOM types themselves would be visible in all packages. */
interface PageScope {
  readonly document: { querySelector(selector: string): { textContent: string } };
  readonly location: { hash: string; reload(): void };
  readonly navigator: {
    readonly storage: {
      getDirectory(): Promise<DirectoryHandle & { getDirectoryHandle: GetDirectoryHandle }>;
    };
  };
}
type GetDirectoryHandle = (name: string, options: { readonly create: boolean }) => Promise<DirectoryHandle>;

const { document, location, navigator } = globalThis as unknown as PageScope;
const rows = 200_000;
const valueAt = (at: number): number => Math.fround(Math.sin(at));

async function save(storage: CheckpointStorage, step: number): Promise<void> {
  const table = {
    name: 'table',
    precision: 'f32' as const,
    rows,
    columns: 8,
    read: (first: number, count: number) =>
      Promise.resolve(Float32Array.from({ length: count * 8 }, (_, at) => step * valueAt(first * 8 + at))),
  };
  await writeCheckpoint(storage, {
    configuration: { step },
    modules: { output: { configuration: { rows }, tensors: [table] } },
    texts: { 'vocabulary.json': '["schön"]' },
  });
}

async function read(source: CheckpointSource): Promise<OpenedCheckpoint> {
  await using checkpoint: Checkpoint = await openCheckpoint(source);
  const values = await checkpoint.module('output').tensors[0]?.read(rows - 2, 2);
  return {
    step: checkpoint.configuration['step'],
    text: checkpoint.text('vocabulary.json'),
    values: [...(values ?? [])],
  };
}

async function blobsOf(directory: DirectoryHandle): Promise<[string, Blob][]> {
  const blobs: [string, Blob][] = [];
  for await (const name of directory.keys()) blobs.push([name, await (await directory.getFileHandle(name)).getFile()]);
  return blobs;
}

const root = await navigator.storage.getDirectory();
const directory = await root.getDirectoryHandle('run', { create: true });
const storage = createOpfsStorage(directory);
if (location.hash === '#saved') {
  const opened = await read(storage);
  const blobs = await blobsOf(directory);
  const memory = createMemoryStorage(blobs);
  const asBlobs = await read(memory);
  const isManifest = (name: string): boolean => name === 'checkpoint.json';
  const damaged = createMemoryStorage(
    blobs.map(([name, blob]) => [name, isManifest(name) ? blob : blob.slice(0, blob.size - 1)]),
  );
  const failure: unknown = await openCheckpoint(damaged).catch((error: unknown) => error);
  const report: SavedCheckpointReport = {
    opened,
    asBlobs,
    files: blobs.map(([name]) => name).sort(),
    expected: Array.from({ length: 16 }, (_, at) => Math.fround(2 * valueAt((rows - 2) * 8 + at))),
    damaged: isCheckpointError(failure) ? failure.code : String(failure),
  };
  document.querySelector('output').textContent = JSON.stringify(report);
} else {
  await save(storage, 1);
  await save(storage, 2);
  location.hash = '#saved';
  location.reload();
}
