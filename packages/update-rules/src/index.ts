export { MatrixUpdater } from './matrix-updater.ts';
export { TableUpdater, type RowGradient } from './table-updater.ts';
export {
  adagradRule,
  adamRule,
  createUpdateRule,
  momentumRule,
  sgdRule,
  updateRuleNames,
  type UpdateRule,
  type UpdateRuleName,
} from './update-rules.ts';
