/**
 * Workgroups in a row, folded into two dimensions where one may not be as long: a kernel counts `group.x + group.y *
 * grid.x`.
 */

/** What a device allows; the defaults of WebGPU, `{ maxComputeWorkgroupsPerDimension: 65_535 }`, are met everywhere. */
export interface GridLimits {
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** At least `count` workgroups, fewer than a row too many: those beyond `count` have to return at once. */
export function foldWorkgroups(
  count: number,
  { maxComputeWorkgroupsPerDimension: limit }: GridLimits,
): readonly [x: number, y: number] {
  const rows = Math.max(1, Math.ceil(count / limit));
  return [Math.ceil(count / rows), rows];
}
