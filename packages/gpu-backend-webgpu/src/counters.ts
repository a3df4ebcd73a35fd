/**
 * What a backend has requested of its device since its creation, for tests and benchmarks. Subtract two copies to
 * measure a step.
 */
export interface WebGpuCounters {
  /** Compute dispatches; copies are not among them. */
  dispatches: number;
  /** Calls of queue.submit; a step should need one. */
  submits: number;
  /** From the host to the device: uniforms, indices, matrices, rows. */
  bytesUploaded: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  /** Reads back to the host, including those for tables in host memory. */
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
