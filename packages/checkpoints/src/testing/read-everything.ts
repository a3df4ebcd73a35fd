import { createFileStorage } from '../file-storage.ts';
import { openCheckpoint } from '../open-checkpoint.ts';
import type { CheckpointSource } from '../storage.ts';
import { moduleContent } from './tensors.ts';

/** Everything in a checkpoint, for comparing. @param at a folder, or another storage. */
export async function readEverything(at: string | CheckpointSource): Promise<unknown> {
  await using checkpoint = await openCheckpoint(typeof at === 'string' ? createFileStorage(at) : at);
  const modules: Record<string, unknown> = {};
  for (const name of checkpoint.moduleNames) modules[name] = await moduleContent(checkpoint.module(name));
  const texts = Object.fromEntries(checkpoint.textNames.map((name) => [name, checkpoint.text(name)]));
  return { configuration: checkpoint.configuration, modules, texts };
}
