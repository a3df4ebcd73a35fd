/** A checkpoint in memory, as it would be in a folder: reading it costs no files. */
import { createHash } from 'node:crypto';
import { CheckpointError, type CheckpointSource } from '@vastmax/checkpoints';

export type Files = ReadonlyMap<string, Uint8Array>;

export function memorySource(files: Files): CheckpointSource {
  const location = 'memory';
  return {
    location,
    list: () => Promise.resolve([...files.keys()]),
    open: (name) => {
      const path = `${location}/${name}`;
      const file = files.get(name);
      if (file === undefined) return Promise.reject(new CheckpointError('missing', `there is no file ${path}`));
      return Promise.resolve({
        path,
        bytes: file.length,
        read: (target, position) => {
          if (position + target.length > file.length)
            return Promise.reject(new CheckpointError('truncated', `${path} has ${file.length} bytes`));
          target.set(file.subarray(position, position + target.length));
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      });
    },
    createHash: () => {
      const hash = createHash('sha256');
      return {
        update: (bytes) => {
          hash.update(bytes);
        },
        digest: () => hash.digest('hex'),
      };
    },
  };
}
