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

/** What a page found of a checkpoint. */
export interface OpenedCheckpoint {
  readonly step: unknown;
  readonly text: string;
  /** The last two rows of its tensor. */
  readonly values: readonly number[];
}

/** Of the page saved-checkpoint.ts, which has saved and loaded itself again. */
export interface SavedCheckpointReport {
  /** From the page's private files. */
  readonly opened: OpenedCheckpoint;
  /** The same files as Blobs. */
  readonly asBlobs: OpenedCheckpoint;
  /** Values that were saved. */
  readonly expected: readonly number[];
  readonly files: readonly string[];
  /** The code of the error when every file but checkpoint.json lacks its last byte. */
  readonly damaged: string;
}
