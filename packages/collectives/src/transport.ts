/** The four moves a kind of communicator makes with bytes; transport-communicator.ts makes a Communicator of them. */
export interface Transport {
  readonly kind: string;
  readonly description: string;
  readonly rank: number;
  readonly size: number;
  /** @param counts bytes of each rank. @param offsets where each rank's part begins in `out`. */
  gather(call: string, part: Uint8Array, counts: Int32Array, offsets: Int32Array, out: Uint8Array): void;
  exchange(call: string, send: Uint8Array, sending: PartSizes, receive: Uint8Array, receiving: PartSizes): void;
  broadcast(call: string, bytes: Uint8Array, root: number): void;
  barrier(call: string): void;
  abort(message: string): never;
  close(): void;
}

/** In bytes, one of each a rank. */
export interface PartSizes {
  readonly counts: Int32Array;
  readonly offsets: Int32Array;
}
