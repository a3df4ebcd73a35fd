/**
 * One rank of an MPI job that trains into the folder it is given, saving as often as it reports, until it is done or
 * killed. Called again it goes on from the last checkpoint. Each rank leaves its process id in `pids`; rank 0 says
 * `saved` after each checkpoint, and `done`. A rank that does not answer is waited for for `timeoutMs`.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCheckpointError, openCheckpoint, type Checkpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { createMpiCommunicator } from '@vastmax/collectives';
import { createPlainBackend } from '@vastmax/linalg-core';
import { createNetwork, Trainer } from '@vastmax/lm-models';
import {
  BatchParts,
  createDistributedOutput,
  DataParallel,
  savedModule,
  sliceNgramBatch,
  writeDistributedCheckpoint,
} from '@vastmax/lm-models/distributed';
import { toyBatches, toyModelOptions, toySizes, toyTraining } from '../../training/toy-language.ts';

const [directory = '', pids = '', timeoutMs] = process.argv.slice(2);
using communicator = await createMpiCommunicator(timeoutMs === undefined ? {} : { timeoutMs: Number(timeoutMs) });
const { rank } = communicator;
const say = (word: string): void => {
  if (rank === 0) process.stdout.write(`${word}\n`);
};
const pidFile = join(pids, `rank-${rank}`);
writeFileSync(`${pidFile}.new`, String(process.pid));
renameSync(`${pidFile}.new`, pidFile);
communicator.barrier();

const loss = 'spherical-softmax';
const backend = createPlainBackend();
const storage = createFileStorage(directory);
using ranks = new DataParallel(communicator, backend);
using network = await createNetwork(backend, toySizes, toyModelOptions(loss), createDistributedOutput(communicator));
using trainer = new Trainer(
  network,
  new BatchParts(toyBatches({ examples: 1000, batchSize: 8 }), communicator, sliceNgramBatch),
  toyTraining(loss, { examples: 16_000, optimizer: 'adam', bodyRate: 0.01, schedule: 'cosine' }),
  { ranks },
);
const open = async (): Promise<Checkpoint | undefined> => {
  try {
    return await openCheckpoint(storage);
  } catch (error) {
    if (!isCheckpointError(error) || error.code !== 'missing') throw error;
    return undefined;
  }
};
{
  await using saved = await open();
  if (saved !== undefined)
    await trainer.restore({
      configuration: saved.configuration,
      module: (name) => savedModule(saved, name, communicator),
    });
}
for await (const event of trainer.run()) {
  if (event.type !== 'progress') continue;
  await writeDistributedCheckpoint(communicator, storage, trainer.snapshot());
  say('saved');
}
say('done');
