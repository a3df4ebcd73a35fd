export { isTopKError, TopKError, type TopKErrorCode } from './errors.ts';
export {
  createTopKIndex,
  indexTable,
  TopKIndex,
  type GroupedQuery,
  type SearchOptions,
  type TopKResult,
  type VectorOptions,
} from './top-k-index.ts';
