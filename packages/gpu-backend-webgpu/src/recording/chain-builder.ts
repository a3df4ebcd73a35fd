/**
 * Collects elementwise operations into a chain as long as that does not change results. All results have one length, so
 * a thread that applies all operations to its element computes the same as separate kernels. This is not so for a
 * buffer that is read in two ways, or read by broadcasting and written: such an operation ends the chain. Other
 * commands are recorded before the chain, which stays open, if they do not use what it writes and do not write what it
 * uses.
 */
import type { BufferBlock } from '../device/buffer-block.ts';
import {
  maxSteps,
  needsVectors,
  planChain,
  type ChainStep,
  type ElementAccess,
  type ElementwiseOperation,
} from '../kernels/element-chain.ts';
import type { KernelDispatch } from '../kernel-dispatch.ts';

export interface ElementOperation {
  readonly operation: ElementwiseOperation;
  /** Length of the result, in numbers; not 0. */
  readonly length: number;
  readonly a?: BufferBlock;
  readonly b?: BufferBlock;
  /** 'same' unless given. */
  readonly bAccess?: ElementAccess;
  /** Row length of the result, where b is a row or a column. */
  readonly columns?: number;
  readonly out: BufferBlock;
  readonly first?: number;
  readonly second?: number;
}

interface Slot {
  readonly block: BufferBlock;
  readonly access: ElementAccess;
  written: boolean;
}

/** Maximum number of buffers of a chain: more would need too many registers. */
const maxSlots = 16;

export class ChainBuilder {
  readonly #longest: number;
  readonly #maxSlots: number;
  #slots: Slot[] = [];
  #steps: ChainStep[] = [];
  #length = 0;
  #columns: number | undefined;
  /** Whether to process four numbers per thread: required, impossible, or (undefined) optional. */
  #vectors: boolean | undefined;

  /**
   * @param maxBuffers how many buffers a kernel may bind
   * @param fuse false: every chain is one operation
   */
  constructor(maxBuffers: number, fuse: boolean) {
    this.#maxSlots = Math.min(maxSlots, maxBuffers);
    this.#longest = fuse ? maxSteps : 1;
  }

  get isEmpty(): boolean {
    return this.#steps.length === 0;
  }

  /** True when a command that reads and writes these blocks may not be moved before the chain. */
  conflictsWith(read: Iterable<BufferBlock>, written: Iterable<BufferBlock>): boolean {
    if (this.#slots.some(({ block }) => block.external)) return true;
    for (const block of read) if (block.external || this.#find(block)?.written === true) return true;
    for (const block of written) if (block.external || this.#find(block) !== undefined) return true;
    return false;
  }

  /**
   * Adds an operation if it fits; an empty chain accepts every operation.
   * @returns false, with nothing changed, if it does not fit
   */
  tryAdd(element: ElementOperation): boolean {
    const { operation, length, a, b, columns, out, first = 0, second = 0 } = element;
    const vectors = needsVectors(operation) ? true : columns === undefined || columns % 4 === 0 ? undefined : false;
    const uses = usesOf(element);
    if (!this.isEmpty && !this.#admits(length, columns, vectors, uses)) return false;
    for (const { block, access } of uses)
      if (this.#find(block) === undefined) this.#slots.push({ block, access, written: false });
    this.#length = length;
    this.#columns ??= columns;
    this.#vectors ??= vectors;
    const numberOf = (wanted: BufferBlock): number => this.#slots.findIndex(({ block }) => block === wanted);
    const result = numberOf(out);
    this.#slots[result]!.written = true;
    this.#steps.push({ operation, a: a && numberOf(a), b: b && numberOf(b), out: result, first, second });
    return true;
  }

  /** Returns the chain so far and empties it. */
  take(): { readonly dispatch: KernelDispatch; readonly blocks: readonly BufferBlock[] } {
    const slots = this.#slots;
    const vectors = this.#vectors ?? true;
    const dispatch = planChain({
      slots,
      steps: this.#steps,
      length: this.#length,
      columns: this.#columns ?? 0,
      vectors,
    });
    this.#slots = [];
    this.#steps = [];
    this.#columns = undefined;
    this.#vectors = undefined;
    return { dispatch, blocks: slots.map(({ block }) => block) };
  }

  #find(wanted: BufferBlock): Slot | undefined {
    return this.#slots.find(({ block }) => block === wanted);
  }

  #admits(
    length: number,
    columns: number | undefined,
    vectors: boolean | undefined,
    uses: readonly Omit<Slot, 'written'>[],
  ): boolean {
    if (length !== this.#length || this.#steps.length >= this.#longest) return false;
    if (columns !== undefined && this.#columns !== undefined && columns !== this.#columns) return false;
    if (vectors !== undefined && this.#vectors !== undefined && vectors !== this.#vectors) return false;
    // Buffers of an application may overlap, which the recorder handles for single operations only.
    if (uses.some(({ block }) => block.external) || this.#slots.some(({ block }) => block.external)) return false;
    let added = 0;
    for (const { block, access } of uses) {
      const slot = this.#find(block);
      if (slot === undefined) added++;
      else if (slot.access !== access) return false;
    }
    return this.#slots.length + added <= this.#maxSlots;
  }
}

/** The buffers of an operation and how they are read, without repetitions. */
function usesOf({ a, b, bAccess = 'same', out }: ElementOperation): readonly Omit<Slot, 'written'>[] {
  const uses: Omit<Slot, 'written'>[] = [];
  if (a !== undefined) uses.push({ block: a, access: 'same' });
  if (b !== undefined && !uses.some(({ block }) => block === b)) uses.push({ block: b, access: bAccess });
  if (!uses.some(({ block }) => block === out)) uses.push({ block: out, access: 'same' });
  return uses;
}
