// Entry point @vastmax/lm-models/rates: learning rates found by short trainings before a run.
export {
  rateNames,
  rateSearchCost,
  ratesToSearch,
  searchRates,
  type RateName,
  type Rates,
  type RateSearchCost,
  type RateSearchOptions,
  type RateSearchProgress,
  type RateSearchReport,
  type SearchedNetwork,
  type TriedRates,
} from './rates/rate-search.ts';
export type { TrialBatch } from './rates/trial-data.ts';
