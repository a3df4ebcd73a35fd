/**
 * A list of workgroups, folded into two dimensions where one dimension is too short: a kernel computes its number as
 * `group.x + group.y * grid.x`.
 */

/** The limit of the device; every device allows WebGPU's default, 65,535. */
export interface GridLimits {
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** At least `count` workgroups, less than one row more: those beyond `count` must return at once. */
export function foldWorkgroups(
  count: number,
  { maxComputeWorkgroupsPerDimension: limit }: GridLimits,
): readonly [x: number, y: number] {
  const rows = Math.max(1, Math.ceil(count / limit));
  return [Math.ceil(count / rows), rows];
}
