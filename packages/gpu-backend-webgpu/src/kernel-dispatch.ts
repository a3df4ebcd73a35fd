/**
 * How every kernel of this package describes its work: its code, its number of workgroups, its parameters and its
 * operands. A plan is a list of these, run in order; each sees the results of those before it.
 *
 * Binding 0 of group 0 is the uniform buffer; it is bound with an offset that changes, so a kernel declares it as one
 * struct: `@group(0) @binding(0) var<uniform> parameters: Parameters;`. Bindings 1, 2 … are the storage buffers named
 * by `bindings`, each `var<storage, read>` or `var<storage, read_write>`: the recorder takes the access from the
 * declaration in the WGSL text.
 */

/**
 * Which buffer goes to a binding. `a`, `b`, `out` and `reciprocalCondition` are the operands of the operation; `lists`
 * is the buffer in which integers uploaded with this submission lie (at offsets that are in the uniforms); `scratch0`,
 * `scratch1` … have undefined content at first, keep their content from one dispatch of a plan to the next, and are as
 * large as the largest `scratchBytes` of the plan; `operand0` … are those of a chain of elementwise operations.
 */
export type BindingRole = 'a' | 'b' | 'out' | 'reciprocalCondition' | 'lists' | `scratch${number}` | `operand${number}`;

export interface KernelDispatch {
  /** WGSL. With `entryPoint` the key of the pipeline cache: pass the same string for the same kernel. */
  readonly code: string;
  readonly entryPoint: string;
  /** x, y, z; each at most maxComputeWorkgroupsPerDimension. A dispatch with a 0 is left out. */
  readonly workgroups: readonly [number, number, number];
  /** Binding 0: a multiple of 16 bytes, from 16 to 256. */
  readonly uniforms: ArrayBuffer;
  /** Bindings 1, 2 …, in order. No role twice. A buffer that is written may not be bound under two roles. */
  readonly bindings: readonly BindingRole[];
  /** Bytes of scratch0, scratch1 …; needed where `bindings` names one. */
  readonly scratchBytes?: readonly number[];
}
