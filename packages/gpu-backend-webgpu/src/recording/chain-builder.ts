/**
 * Collects elementwise operations into a chain as long as that does not change results: all results have one length, so
 * that a thread which takes its element through all of them computes what separate kernels would. A buffer that is read
 * in two ways, or read by broadcasting and written, would break that, and ends the chain. Other commands are recorded
 * before the chain, which stays open, as long as they do not use what it writes and do not write what it uses.
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
  /** Of the result, in numbers; not 0. */
  readonly length: number;
  readonly a?: BufferBlock;
  readonly b?: BufferBlock;
  /** 'same' unless given. */
  readonly bAccess?: ElementAccess;
  /** Of the result, where b is a row or a column. */
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

/** The most buffers of a chain: more would need too many registers. */
const maxSlots = 16;

export class ChainBuilder {
  readonly #longest: number;
  readonly #maxSlots: number;
  #slots: Slot[] = [];
  #steps: ChainStep[] = [];
  #length = 0;
  #columns: number | undefined;
  /** Four numbers a thread: required, impossible, or optional. */
  #vectors: boolean | undefined;

  /**
   * @param maxBuffers that a kernel may bind
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
   * Adds an operation. @returns false, and changes nothing, when it does not fit; an empty chain accepts every
   * operation
   */
  join(element: ElementOperation): boolean {
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

/** The buffers of an operation and how they are read, each once. */
function usesOf({ a, b, bAccess = 'same', out }: ElementOperation): readonly Omit<Slot, 'written'>[] {
  const uses: Omit<Slot, 'written'>[] = [];
  if (a !== undefined) uses.push({ block: a, access: 'same' });
  if (b !== undefined && !uses.some(({ block }) => block === b)) uses.push({ block: b, access: bAccess });
  if (!uses.some(({ block }) => block === out)) uses.push({ block: out, access: 'same' });
  return uses;
}
