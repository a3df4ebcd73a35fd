// Entry point @vastmax/checkpoints/node: what needs Node. The main entry runs anywhere.
export { createFileStorage, createFolder } from './file-storage.ts';
