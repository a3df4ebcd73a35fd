// What the page tells the test, as JSON.

import type { ProbeResult } from '@vastmax/linalg-core';
import type { Training } from './training.ts';

/** `default`: the option is left out. */
export type ThreadsAsked = number | 'default';

export type BackendRun =
  | { readonly threads: ThreadsAsked; readonly name: string; readonly training: Training }
  | { readonly threads: ThreadsAsked; readonly error: { readonly code: string | undefined; readonly message: string } };

export interface PageReport {
  readonly crossOriginIsolated: boolean;
  readonly cores: number;
  /** Before any backend was created, and after. */
  readonly probes: readonly [ProbeResult, ProbeResult];
  readonly runs: readonly BackendRun[];
}

/** Of the page webgpu-training.ts. */
export type WebGpuTrainingReport =
  | { readonly available: false; readonly reason: string }
  | {
      readonly available: true;
      readonly name: string;
      /** One a step. */
      readonly losses: readonly number[];
      /** Of the line that the page shows. */
      readonly points: number;
    };
