import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';

/** All numbers of a model's folder. */
export async function tensorsOf(directory: string): Promise<number[][]> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  const tensors: number[][] = [];
  for (const module of checkpoint.moduleNames)
    for (const { rows, read } of checkpoint.module(module).tensors) tensors.push([...(await read(0, rows))]);
  return tensors;
}
