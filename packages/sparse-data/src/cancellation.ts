/**
 * The part of an AbortSignal that is used here: this package compiles without DOM and Node types. Any AbortSignal fits.
 */
export interface CancellationSignal {
  readonly aborted: boolean;
  throwIfAborted(): void;
}
