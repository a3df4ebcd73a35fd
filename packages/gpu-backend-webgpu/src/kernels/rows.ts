/**
 * Moves rows of a matrix or of a table's buffer, by row numbers that were uploaded with the submission. A thread moves
 * four columns if the row length is a multiple of four. The first word of the uniforms is the offset of the list, which
 * the recorder sets.
 */
import type { KernelDispatch } from '../kernel-dispatch.ts';
import { dispatchOf, groupsFor, memoized, packUniforms, threadsPerGroup } from './plain-dispatch.ts';

function widthOf(columns: number): 1 | 4 {
  return columns % 4 === 0 ? 4 : 1;
}

/** Items for which a kernel loops: a thread for each four columns of `rows`. */
function head(width: string, fields: string): string {
  const type = width === '4' ? 'vec4f' : 'f32';
  return /* wgsl */ `
struct Parameters { list: u32, items: u32, columns: u32, ${fields} }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> lists: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<${type}>;
@group(0) @binding(3) var<storage, read_write> result: array<${type}>;

@compute @workgroup_size(${threadsPerGroup})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var item = id.x; item < parameters.items; item += groups.x * ${threadsPerGroup}u) {
    let i = item / parameters.columns;
    let column = item - i * parameters.columns;`;
}

const gatherText = memoized(
  (width) => /* wgsl */ `${head(width, 'unused: u32')}
    result[item] = a[lists[parameters.list + i] * parameters.columns + column];
  }
}
`,
);

/** out_i = a[list_i] for a list of `count` rows. */
export function planGather(count: number, columns: number): readonly KernelDispatch[] {
  const width = widthOf(columns);
  const items = (count * columns) / width;
  return [
    dispatchOf(gatherText(String(width)), groupsFor(items), packUniforms([0, items, columns / width, 0]), [
      'lists',
      'a',
      'out',
    ]),
  ];
}

const gatherPartText = memoized(
  (width) => /* wgsl */ `${head(width, 'first: u32, all: u32')}
    let entry = parameters.list + parameters.first + i;
    result[lists[entry + parameters.all] * parameters.columns + column] = a[lists[entry] * parameters.columns + column];
  }
}
`,
);

/**
 * out[list_(all + first + i)] = a[list_(first + i)] for `count` of the `all` rows: those that are in one buffer of a
 * table.
 */
export function planGatherPart(first: number, count: number, all: number, columns: number): readonly KernelDispatch[] {
  const width = widthOf(columns);
  const items = (count * columns) / width;
  const uniforms = packUniforms([0, items, columns / width, first, all]);
  return [dispatchOf(gatherPartText(String(width)), groupsFor(items), uniforms, ['lists', 'a', 'out'])];
}

const scatterAddText = memoized(
  (width) => /* wgsl */ `${head(width, 'first: u32, all: u32, firstRow: u32, scale: f32')}
    let entry = parameters.list + parameters.first + i;
    let at = (lists[entry] - parameters.firstRow) * parameters.columns + column;
    let positions = parameters.list + 2u * parameters.all + 1u;
    let end = lists[entry + parameters.all + 1u];
    var sum = result[at];
    for (var p = lists[entry + parameters.all]; p < end; p++) {
      sum += parameters.scale * a[lists[positions + p] * parameters.columns + column];
    }
    result[at] = sum;
  }
}
`,
);

const scatterText = memoized(
  (width) => /* wgsl */ `${head(width, 'first: u32, all: u32, firstRow: u32, unused: f32')}
    let entry = parameters.list + parameters.first + i;
    let at = (lists[entry] - parameters.firstRow) * parameters.columns + column;
    let last = lists[entry + parameters.all + 1u] - 1u;
    result[at] = a[lists[parameters.list + 2u * parameters.all + 1u + last] * parameters.columns + column];
  }
}
`,
);

export interface ScatterRange {
  /** Groups `first` to `first + count - 1` of the `all` in the list, see row-groups.ts. */
  readonly first: number;
  readonly count: number;
  readonly all: number;
  /** The row with which the buffer begins. */
  readonly firstRow: number;
  readonly columns: number;
  /** Factor of the rows that are added. Left out: the last row of each group is stored unchanged. */
  readonly scale?: number;
}

export function planScatter({ first, count, all, firstRow, columns, scale }: ScatterRange): readonly KernelDispatch[] {
  const width = widthOf(columns);
  const items = (count * columns) / width;
  const uniforms = packUniforms([0, items, columns / width, first, all, firstRow], [scale ?? 0]);
  const text = scale === undefined ? scatterText : scatterAddText;
  return [dispatchOf(text(String(width)), groupsFor(items), uniforms, ['lists', 'a', 'out'])];
}
