/**
 * WGSL of the product of a matrix and a vector, in either order: the case m = 1 or n = 1. Each element of the matrix is
 * used once, so only memory access matters: neighbouring threads must read neighbouring elements.
 *
 * along-lines: the sums run along the lines of the matrix. `lanes` threads share a line, and their partial sums are
 * added in a tree. across-lines: the sums run down the columns. A workgroup processes 32 columns with 32 threads side
 * by side and eight such rows of threads, each of which reads every eighth line; the eight partial sums of a column are
 * added in a tree. The shape of a tree depends on the size only, so results are reproducible. Rejected: atomic
 * additions, whose order varies.
 */
import { parametersDeclaration, resultDeclaration } from './product-parameters.ts';

export interface MatrixVector {
  readonly direction: 'along-lines' | 'across-lines';
  /** Which operand is the matrix; the vector is the other one. */
  readonly matrix: 'a' | 'b';
  /** Threads that share a line; 32 where lines are across. */
  readonly lanes: 32 | 256;
  /** The lines' length is divisible by 4, so matrix and vector are read as vec4: along lines only. */
  readonly vector: boolean;
  readonly isSplit: boolean;
}

const threads = 256;

/** Results of one workgroup. */
export function resultsPerGroup({ direction, lanes }: Pick<MatrixVector, 'direction' | 'lanes'>): number {
  return direction === 'along-lines' ? threads / lanes : lanes;
}

/**
 * Adds `sums` over `count` neighbours `distance` apart, of which `index` is the thread's; eight at a time, so that 32
 * need two barriers.
 */
function treeSum(index: string, count: number, distance: number): string {
  const steps: string[] = [];
  for (let left = count; left > 1;) {
    const fan = Math.min(8, left);
    left /= fan;
    const others = Array.from({ length: fan - 1 }, (_, i) => `sums[thread + ${(i + 1) * left * distance}u]`);
    steps.push(`  workgroupBarrier();
  if (${index} < ${left}u) { sums[thread] += ${others.join(' + ')}; }`);
  }
  return steps.join('\n');
}

export const matrixVectorEntry = 'multiplyVector';

export function matrixVector(options: MatrixVector): string {
  const { direction, matrix, lanes, vector, isSplit } = options;
  const element = vector ? 'vec4f' : 'f32';
  const other = matrix === 'a' ? 'b' : 'a';
  const alongLines = direction === 'along-lines';
  const width = vector ? '(parameters.k / 4u)' : 'parameters.k';
  const [index, step] = alongLines ? [`thread % ${lanes}u`, lanes] : [`thread / ${lanes}u`, threads / lanes];
  const at = alongLines ? `result * ${width} + term` : 'term * results + result';

  return `${parametersDeclaration}
@group(0) @binding(1) var<storage, read> a: array<${element}>;
@group(0) @binding(2) var<storage, read> b: array<${element}>;
${resultDeclaration(3, 'f32', isSplit)}

var<workgroup> sums: array<f32, ${threads}>;

@compute @workgroup_size(${threads})
fn ${matrixVectorEntry}(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let place = group.x + group.y * grid.x;
  if (place >= parameters.groups) { return; }
  let results = parameters.m * parameters.n;
  let result = place * ${resultsPerGroup(options)}u + ${alongLines ? `thread / ${lanes}u` : `thread % ${lanes}u`};
  let index = ${index};
  let begin = group.z * parameters.depthPerSplit;
  let end = min(parameters.k, begin + parameters.depthPerSplit)${vector ? ' / 4u' : ''};
  var sum = ${element}();
  if (result < results) {
    for (var term = begin${vector ? ' / 4u' : ''} + index; term < end; term += ${step}u) {
      sum += ${matrix}[${at}] * ${other}[term];
    }
  }
  sums[thread] = ${vector ? '(sum.x + sum.y) + (sum.z + sum.w)' : 'sum'};
${treeSum('index', alongLines ? lanes : threads / lanes, alongLines ? 1 : lanes)}
  if (index == 0u && result < results) { give(group.z * results + result, sums[thread]); }
}
`;
}
