export {
  adagradRule,
  adamRule,
  checkRule,
  createUpdateRule,
  momentumRule,
  sgdRule,
  updateRuleNames,
  type UpdateRule,
  type UpdateRuleName,
} from './update-rules.ts';
export { MatrixUpdater, TableUpdater, type RowGradient } from './updaters.ts';
