// What the worker of `bench data` imports. A worker does not have the main thread's loader of TypeScript: it registers its own first.
import { register } from 'tsx/esm/api';

register();
const { streamBatchesInWorker } = await import('./stream-batches.ts');
export default streamBatchesInWorker;
