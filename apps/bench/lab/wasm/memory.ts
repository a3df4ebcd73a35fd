/** Where the operands of an experiment are, in a memory of the lab's own. */
import { resolve } from 'node:path';
import { compile } from '@vastmax/cpu-backend-wasm/compile';

export type LabKernels = Readonly<Record<string, (...values: number[]) => void>>;

/** Byte offsets of the operands in the memory of the lab. */
export interface Places {
  readonly a: number;
  readonly b: number;
  readonly out: number;
  readonly panelA: number;
  readonly panelB: number;
  readonly scratch: number;
}

/** What the lab uses of the global WebAssembly, which the types of Node leave out. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (descriptor: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
    instantiate(binary: Uint8Array, imports: object): Promise<{ readonly instance: { readonly exports: object } }>;
  };
};

/** Above what the library's functions have as tables. */
const base = 65_536;
const places: Places = {
  a: base,
  b: base + 2 ** 23,
  out: base + 2 * 2 ** 23,
  panelA: base + 3 * 2 ** 23,
  panelB: base + 4 * 2 ** 23,
  scratch: base + 5 * 2 ** 23,
};

export interface LabMemory {
  readonly kernels: LabKernels;
  readonly places: Places;
  /** `count` numbers between ±range, the same every time. */
  fill(operand: 'a' | 'b', count: number, range: number): void;
  /** A copy of the first `count` results; they are poisoned for the next version. */
  takeResults(count: number): Float32Array;
}

/** Of this app, whose node_modules have the package with the kernels that ship. */
const folder = resolve(import.meta.dirname, '../..');

/** Compiles assembly/, some seconds. */
export async function createLabMemory(options: readonly string[]): Promise<LabMemory> {
  const binary = await compile('lab/wasm/assembly/index.ts', ['--memoryBase', '4096', ...options], folder);
  const memory = new WebAssembly.Memory({ initial: 1 + 6 * 128 });
  // The lab gives no work to the host.
  const host = { call: () => undefined };
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory }, host });
  const floats = new Float32Array(memory.buffer);
  return {
    kernels: instance.exports as LabKernels,
    places,
    fill: (operand, count, range) => {
      let state = 1;
      for (let i = 0, at = places[operand] / 4; i < count; i++, at++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
        floats[at] = range * (state / 2 ** 30 - 1);
      }
    },
    takeResults: (count) => {
      const results = floats.slice(places.out / 4, places.out / 4 + count);
      floats.fill(Number.NaN, places.out / 4, places.out / 4 + count);
      return results;
    },
  };
}
