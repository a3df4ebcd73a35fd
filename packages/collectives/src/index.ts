export { ArrayChecksum } from './array-checksum.ts';
export { compareRanks, type RankRecord } from './compare-ranks.ts';
export { CommunicatorError, isCommunicatorError, type CommunicatorErrorCode } from './communicator-error.ts';
export { gatherJson, type Communicator, type CommunicatorArray, type Traffic } from './communicator.ts';
export { createMpiCommunicator, type MpiCommunicatorOptions } from './mpi/mpi-transport.ts';
export { probeMpi, type MpiProbeOptions, type MpiProbeResult } from './mpi/find-mpi.ts';
export { createSingleCommunicator } from './single-communicator.ts';
export { runAsThreadRank, startThreadRanks, type ThreadRanksOptions } from './threads/thread-ranks.ts';
