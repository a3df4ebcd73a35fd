/**
 * Internal parts of the layer, for the same layer over ranks (distributed-layers). They may change with any version.
 */
export { createFromPlan, planHybridLayer } from './create-hybrid-layer.ts';
export type { TailPlan } from './create-tails.ts';
export { joinParts, partNamesOf, partOf } from './joined-state.ts';
