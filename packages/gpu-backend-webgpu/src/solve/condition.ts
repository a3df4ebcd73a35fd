/**
 * WGSL of the reciprocal condition, from the norms that the kernels before it have stored: one workgroup, the last
 * dispatch.
 */
import { factAt, magnitudeDeclaration, solveParametersDeclaration } from './solve-layout.ts';

const conditionThreads = 64;
export const conditionEntry = 'estimateCondition';

/**
 * 1/(‖a‖₁‖a⁻¹‖₁). For ‖I − a‖₁ = e ≤ 1/8 the inverse was not computed: its norm is at most 1/(1 − e), which is at most
 * 9/7 times its smallest possible value. This upper bound is used: layers multiply the conditions of many steps, and
 * none may be too small.
 */
export const conditionCode: string = `${solveParametersDeclaration}
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> columnNorms: array<f32>;
@group(0) @binding(3) var<storage, read_write> reciprocalCondition: array<f32>;

var<workgroup> largest: array<u32, ${conditionThreads}>;

${magnitudeDeclaration}

@compute @workgroup_size(${conditionThreads})
fn ${conditionEntry}(@builtin(local_invocation_index) thread: u32) {
  let needsInverse = ${factAt('needsInverse')} != 0u;
  var norm = 0u;
  if (needsInverse) {
    for (var i = thread; i < parameters.n; i += ${conditionThreads}u) { norm = max(norm, magnitude(columnNorms[i])); }
  }
  largest[thread] = norm;
  for (var half = ${conditionThreads / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { largest[thread] = max(largest[thread], largest[thread + half]); }
  }
  if (thread != 0u) { return; }
  let normOfA = bitcast<f32>(${factAt('norm')});
  if (${factAt('norm')} > 0x7f800000u) {
    reciprocalCondition[0] = normOfA;
  } else if (${factAt('isSingular')} != 0u) {
    reciprocalCondition[0] = 0.0;
  } else if (needsInverse) {
    reciprocalCondition[0] = 1.0 / (normOfA * bitcast<f32>(largest[0]));
  } else {
    reciprocalCondition[0] = (1.0 - bitcast<f32>(${factAt('distance')})) / normOfA;
  }
}
`;

export const emptyEntry = 'conditionOfNothing';

/** For a system without equations, which is perfectly conditioned. */
export const emptyCode: string = `${solveParametersDeclaration}
@group(0) @binding(1) var<storage, read_write> reciprocalCondition: array<f32>;

@compute @workgroup_size(1)
fn ${emptyEntry}() { reciprocalCondition[0] = f32(parameters.n == 0u); }
`;
