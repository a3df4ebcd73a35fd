// The reports of the pages to the tests, as JSON.

import type { ProbeResult } from '@vastmax/linalg-core';
import type { Training } from './training.ts';

/** `default`: the option is not set. */
export type ThreadsAsked = number | 'default';

export type BackendRun =
  | { readonly threads: ThreadsAsked; readonly name: string; readonly training: Training }
  | { readonly threads: ThreadsAsked; readonly error: { readonly code: string | undefined; readonly message: string } };

export interface PageReport {
  readonly crossOriginIsolated: boolean;
  readonly cores: number;
  /** The probes before any backend was created, and after. */
  readonly probes: readonly [ProbeResult, ProbeResult];
  readonly runs: readonly BackendRun[];
}

/** Report of the page webgpu-training.ts. */
export type WebGpuTrainingReport =
  | { readonly available: false; readonly reason: string }
  | {
      readonly available: true;
      readonly name: string;
      /** One loss per step. */
      readonly losses: readonly number[];
      /** Number of points of the curve that the page shows. */
      readonly points: number;
    };

/** What a page read from a checkpoint. */
export interface OpenedCheckpoint {
  readonly step: unknown;
  readonly text: string;
  /** The last two rows of its tensor. */
  readonly values: readonly number[];
}

/** Report of the page saved-checkpoint.ts, after it saved a checkpoint and reloaded. */
export interface SavedCheckpointReport {
  /** Read from the origin private file system (OPFS). */
  readonly opened: OpenedCheckpoint;
  /** Read from the same files as Blobs. */
  readonly asBlobs: OpenedCheckpoint;
  /** The values that were saved. */
  readonly expected: readonly number[];
  readonly files: readonly string[];
  /** The error code after the last byte of every file except checkpoint.json was removed. */
  readonly damaged: string;
}
