/**
 * Consecutive elementwise operations on operands of one length, fused into one kernel: a thread applies all of them to
 * its element, so intermediate results stay in registers. A loss is twenty such operations on m numbers each, and a
 * dispatch costs more than they do. A single operation is a chain of length one.
 *
 * A thread processes four numbers where it can. The last one to three are stored one by one, because the memory after
 * them may be the unused capacity of a resized matrix.
 */
import type { BinaryOperation, UnaryOperation } from '@vastmax/linalg-core';
import type { KernelDispatch } from '../kernel-dispatch.ts';
import { elementaryFunctions } from './elementary-functions.ts';
import { dispatchOf, groupsFor, memoized, packUniforms, threadsPerGroup } from './plain-dispatch.ts';

export type ElementwiseOperation = UnaryOperation | BinaryOperation | 'fill' | 'copy' | 'affine' | 'axpy';

/** `$a` and `$b` are operands, `$out` is the old value of the result, `$first` and `$second` are factors. */
const expressions: Readonly<Record<ElementwiseOperation, string>> = {
  fill: 'Item($first)',
  copy: '$a',
  affine: '$first * $a + $second',
  axpy: '$out + $first * $a',
  abs: 'abs($a)',
  exp: 'exp4($a)',
  gelu: 'gelu4($a)',
  geluDerivative: 'geluDerivative4($a)',
  log: 'log4($a)',
  reciprocal: '1.0 / $a',
  relu: 'relu4($a)',
  sigmoid: 'sigmoid4($a)',
  softplus: 'softplus4($a)',
  sqrt: 'sqrt4($a)',
  square: '$a * $a',
  step: 'step4($a)',
  tanh: 'tanh4($a)',
  add: '$a + $b',
  subtract: '$a - $b',
  multiply: '$a * $b',
  divide: '$a / $b',
};

/** True for an operation that is implemented for four numbers at a time only. */
export function needsVectors(operation: ElementwiseOperation): boolean {
  return expressions[operation].includes('4(');
}

/**
 * How the element of an operand is found: at the same place, or by broadcasting one number, a row (1×n) or a column
 * (m×1).
 */
export type ElementAccess = 'same' | 'scalar' | 'row' | 'column';

/** An operand of the chain: `operand0`, `operand1` …. */
interface ChainSlot {
  readonly access: ElementAccess;
  readonly written: boolean;
}

export interface ChainStep {
  readonly operation: ElementwiseOperation;
  /** Indices of slots. */
  readonly a: number | undefined;
  readonly b: number | undefined;
  readonly out: number;
  readonly first: number;
  readonly second: number;
}

export interface Chain {
  readonly slots: readonly ChainSlot[];
  readonly steps: readonly ChainStep[];
  /** Length of the results, in numbers. */
  readonly length: number;
  /** Row length of the results, where rows or columns are broadcast; otherwise any number. */
  readonly columns: number;
  /** Four numbers per thread; needs columns to be a multiple of four where rows or columns are broadcast. */
  readonly vectors: boolean;
}

/** Maximum number of steps: their factors must fit in the uniforms. */
export const maxSteps = 24;

export function planChain({ slots, steps, length, columns, vectors }: Chain): KernelDispatch {
  const width = vectors ? 4 : 1;
  const described = steps.map(({ operation, a = '', b = '', out }) => `${operation},${a},${b},${out}`);
  const key = `${width}|${slots.map(({ access, written }) => `${access},${written ? 'w' : 'r'}`).join(' ')}|${described.join(' ')}`;
  const factors = steps.flatMap(({ first, second }) => [first, second]);
  const uniforms = packUniforms([length, Math.max(1, columns / width), 0, 0], factors);
  return dispatchOf(
    textOf(key),
    groupsFor(Math.ceil(length / width)),
    uniforms,
    slots.map((_, i) => `operand${i}` as const),
  );
}

const textOf = memoized((key) => {
  const [width = '', slotWords = '', stepWords = ''] = key.split('|');
  const vectors = width === '4';
  const slots = slotWords.split(' ').map((word) => word.split(','));
  const steps = stepWords.split(' ').map((word) => word.split(','));
  const loaded = new Set<string>();
  const lines: string[] = [];
  const load = (slot: string): string => {
    if (!loaded.has(slot)) lines.push(`var v${slot} = ${loadOf(slot, slots[Number(slot)]?.[0] ?? '')};`);
    loaded.add(slot);
    return `v${slot}`;
  };
  for (const [i, [operation = '', a = '', b = '', out = '']] of steps.entries()) {
    const template = expressions[operation as ElementwiseOperation];
    const pair = `parameters.factors[${i >> 1}].${i % 2 === 0 ? 'xy' : 'zw'}`;
    const expression = template
      .replaceAll('$first', `${pair}.x`)
      .replaceAll('$second', `${pair}.y`)
      .replace(/\$(a|b|out)/g, (_, role: string) => load(role === 'a' ? a : role === 'b' ? b : out));
    lines.push(`${loaded.has(out) ? '' : 'var '}v${out} = ${expression};`);
    loaded.add(out);
  }
  for (const [slot, [, access]] of slots.entries()) if (access === 'w') lines.push(storeOf(slot, vectors));
  const declarations = slots.map(([access, written], slot) => {
    const type = access === 'same' || access === 'row' ? 'Item' : 'f32';
    return `@group(0) @binding(${slot + 1}) var<storage, ${written === 'w' ? 'read_write' : 'read'}> b${slot}: array<${type}>;`;
  });
  return /* wgsl */ `${steps.some(([operation]) => needsVectors(operation as ElementwiseOperation)) ? elementaryFunctions : ''}
alias Item = ${vectors ? 'vec4f' : 'f32'};
struct Parameters { length: u32, columns: u32, unused0: u32, unused1: u32, factors: array<vec4f, ${(steps.length + 1) >> 1}> }
@group(0) @binding(0) var<uniform> parameters: Parameters;
${declarations.join('\n')}

@compute @workgroup_size(${threadsPerGroup})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; ${vectors ? '4u * ' : ''}i < parameters.length; i += groups.x * ${threadsPerGroup}u) {
    ${lines.join('\n    ')}
  }
}
`;
});

function loadOf(slot: string, access: string): string {
  if (access === 'same') return `b${slot}[i]`;
  if (access === 'row') return `b${slot}[i % parameters.columns]`;
  return access === 'column' ? `Item(b${slot}[i / parameters.columns])` : `Item(b${slot}[0])`;
}

function storeOf(slot: number, vectors: boolean): string {
  if (!vectors) return `b${slot}[i] = v${slot};`;
  return `if (parameters.length - 4u * i >= 4u) { b${slot}[i] = v${slot}; } else {
      b${slot}[i].x = v${slot}.x;
      if (parameters.length - 4u * i > 1u) { b${slot}[i].y = v${slot}.y; }
      if (parameters.length - 4u * i > 2u) { b${slot}[i].z = v${slot}.z; }
    }`;
}
