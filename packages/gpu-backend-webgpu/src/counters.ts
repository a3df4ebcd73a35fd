/**
 * What a backend has asked of its device since it was made: for tests, benches and the curious. A difference of two
 * copies is a step.
 */
export interface WebGpuCounters {
  /** Compute dispatches; copies are not among them. */
  dispatches: number;
  /** Calls of queue.submit: what a step should need one of. */
  submits: number;
  /** From the host to the device: uniforms, indices, matrices, rows. */
  bytesUploaded: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  /** Reads back to the host, those that tables in host memory need included. */
  reads: number;
}

export function createCounters(): WebGpuCounters {
  return {
    dispatches: 0,
    submits: 0,
    bytesUploaded: 0,
    buffersCreated: 0,
    bindGroupsCreated: 0,
    pipelinesCreated: 0,
    reads: 0,
  };
}
