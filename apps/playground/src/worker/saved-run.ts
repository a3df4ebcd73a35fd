/**
 * A run as a checkpoint: one that the `vastmax` command reads, and that holds what the page needs to go on beside it.
 * In the private files of the page it survives a reload.
 */
import {
  createMemoryStorage,
  createOpfsStorage,
  isCheckpointError,
  openCheckpoint,
  writeCheckpoint,
  type Checkpoint,
  type CheckpointContent,
  type CheckpointStorage,
} from '@vastmax/checkpoints';
import type { Curve, RunDescription, SavedRun } from '../messages.ts';
import type { Contender } from './contender.ts';
import { createTar } from './tar.ts';

const folderName = 'run';
const textName = 'dropped-text';
/** What is kept without being asked for: more would take long, and much of what a browser lends a page. */
export const maxKeptBytes = 128 * 2 ** 20;

export interface KeptRun {
  readonly run: RunDescription;
  readonly curve: Curve;
  readonly seconds: number;
  readonly savedAt: string;
}

export function checkpointOf(run: RunDescription, contender: Contender): CheckpointContent {
  const { configuration, modules } = contender.trainer.snapshot();
  const { words } = contender.model;
  const kept: KeptRun = { run, curve: contender.curve, seconds: contender.seconds, savedAt: new Date().toISOString() };
  return {
    configuration: {
      ...configuration,
      ...(words === undefined
        ? {}
        : { command: 'train', text: { ...words.reading.settings }, exampleSettings: { ...words.model.examples } }),
      precision: 'f32',
      batchSize: run.settings.batch,
      // Curves are plain numbers: JSON.
      playground: JSON.parse(JSON.stringify(kept)) as Record<string, never>,
    },
    modules,
    texts:
      words === undefined ? {} : { ...words.reading.texts, 'vocabulary.json': JSON.stringify(words.model.vocabulary) },
  };
}

/** As a tar of a folder of that name. */
export async function packCheckpoint(folder: string, content: CheckpointContent): Promise<Blob> {
  const storage = createMemoryStorage();
  await writeCheckpoint(storage, content);
  return createTar(Array.from(storage.files, ([name, file]) => [`${folder}/${name}`, file] as const));
}

export async function keepRun(content: CheckpointContent): Promise<void> {
  await writeCheckpoint(await openKept(), content);
}

/** @returns undefined where nothing is kept, or it is of another version. */
export async function keptRun(): Promise<{ readonly checkpoint: Checkpoint; readonly kept: KeptRun } | undefined> {
  let checkpoint: Checkpoint;
  try {
    checkpoint = await openCheckpoint(await openKept());
  } catch (error) {
    if (isCheckpointError(error) || error instanceof DOMException) return undefined;
    throw error;
  }
  const kept = checkpoint.configuration['playground'] as unknown as KeptRun | undefined;
  if (kept?.run.contenders.length === 1) return { checkpoint, kept };
  await checkpoint.close();
  return undefined;
}

export async function describeKept(): Promise<SavedRun | undefined> {
  const found = await keptRun();
  if (found === undefined) return undefined;
  const { run, curve, seconds, savedAt } = found.kept;
  await found.checkpoint.close();
  return { title: run.title, savedAt, seconds, examples: curve.progress.at(-1)?.examples ?? 0 };
}

export async function discardKept(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  for (const name of [folderName, textName]) await root.removeEntry(name, { recursive: true }).catch(() => undefined);
}

/** A text that was dropped on the page, for a run that goes on after a reload. */
export async function keepText(text: Blob): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getFileHandle(textName, { create: true })).createWritable();
  await file.write(text);
  await file.close();
}

/** @throws DOMException where there is none. */
export async function keptText(): Promise<Blob> {
  return await (await (await navigator.storage.getDirectory()).getFileHandle(textName)).getFile();
}

async function openKept(): Promise<CheckpointStorage> {
  const root = await navigator.storage.getDirectory();
  return createOpfsStorage(await root.getDirectoryHandle(folderName, { create: true }));
}
