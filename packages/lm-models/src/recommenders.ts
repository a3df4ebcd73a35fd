// Entry point @vastmax/lm-models/recommenders: networks over a catalogue of items, and the users they serve. Runs anywhere.
export {
  evaluateRecommender,
  rankHeldOut,
  type RecommenderEvaluation,
  type RecommenderEvaluationOptions,
  type RecommenderTest,
} from './recommenders/evaluate-recommender.ts';
export { factorizationDefaults, fitFactorization, type FactorizationOptions } from './recommenders/factorization.ts';
export { ItemNeighbors } from './recommenders/item-neighbors.ts';
export {
  recommenderNames,
  trainedRecommenderNames,
  recommenderOf,
  recommenders,
  type RecommenderBatch,
  type RecommenderBatches,
  type RecommenderBody,
  type RecommenderBodyOptions,
  type RecommenderDefaults,
  type RecommenderEntry,
  type RecommenderName,
  type RecommenderNetwork,
  type RecommenderOrder,
  type RecommenderSettings,
  type ServedRecommender,
  type TrainedRecommenderName,
} from './recommenders/recommender-models.ts';
export {
  Recommender,
  type Recommendation,
  type RecommenderParts,
  type RecommendOptions,
} from './recommenders/recommender.ts';
export {
  loadRecommender,
  readRecommenderParts,
  recommenderNameOf,
  recommenderContent,
  type SavedRecommender,
} from './recommenders/saved-recommender.ts';
