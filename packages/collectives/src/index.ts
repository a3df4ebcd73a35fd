export { CommunicatorError, isCommunicatorError, type CommunicatorErrorCode } from './communicator-error.ts';
export type { Communicator, CommunicatorArray, Traffic } from './communicator.ts';
export { gatherJson } from './gather-json.ts';
export { createMpiCommunicator, type MpiCommunicatorOptions } from './mpi/mpi-transport.ts';
export { probeMpi, type MpiProbeOptions, type MpiProbeResult } from './mpi/probe.ts';
export { createSingleCommunicator } from './single-communicator.ts';
export { runAsThreadRank, startThreadRanks, type ThreadRanksOptions } from './threads/thread-ranks.ts';
export { WordHash } from './word-hash.ts';
