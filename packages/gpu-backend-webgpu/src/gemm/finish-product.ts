/** WGSL that completes a product: adds the splits of a sum in order, and computes beta·out where there is no sum. */
import { parametersDeclaration, resultDeclaration } from './product-parameters.ts';

const threads = 64;

export const resultsPerFinishGroup: number = threads;
export const addSplitsEntry = 'addSplits';
export const scaleOutEntry = 'scaleOut';

const element = `  let index = (group.x + group.y * grid.x) * ${threads}u + thread;
  let results = parameters.m * parameters.n;
  if (index >= results) { return; }`;

const builtins =
  '@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) grid: vec3u, @builtin(local_invocation_index) thread: u32';

/** out = alpha·Σ partials + beta·out. */
export const addSplitsCode: string = `${parametersDeclaration}
@group(0) @binding(1) var<storage, read> partial: array<f32>;
${resultDeclaration(2, 'f32', false)}

@compute @workgroup_size(${threads})
fn ${addSplitsEntry}(${builtins}) {
${element}
  var sum = 0.0;
  for (var split = 0u; split < parameters.splits; split++) { sum += partial[split * results + index]; }
  give(index, sum);
}
`;

/** out = beta·out: where the inner dimension is 0, or alpha is 0 and the operands are not read. */
export const scaleOutCode: string = `${parametersDeclaration}
${resultDeclaration(1, 'f32', false)}

@compute @workgroup_size(${threads})
fn ${scaleOutEntry}(${builtins}) {
${element}
  give(index, 0.0);
}
`;
