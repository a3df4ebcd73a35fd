// Entry point @vastmax/lm-models/metrics: how good a network is, and baselines to compare it with.
export {
  evaluateLabels,
  LabelCounter,
  type LabelEvaluationReport,
  type LabelScores,
  type PredictionRule,
} from './metrics/label-evaluation.ts';
export {
  evaluateMultiLabel,
  computePropensities,
  MultiLabelCollector,
  popularityBaseline,
  type EvaluationSpan,
  type MultiLabelEvaluationOptions,
  type MultiLabelMetrics,
  type MultiLabelMetricsAtK,
  type MultiLabelOptions,
  type MultiLabelReport,
  type PropensityOptions,
} from './metrics/multi-label.ts';
export {
  evaluateRanking,
  RankCollector,
  reportedTops,
  unigramBaseline,
  type BandMetrics,
  type EvaluationOptions,
  type RankedBatch,
  type RankingMetrics,
  type RankingReport,
} from './metrics/ranking-metrics.ts';
export {
  evaluateWordSimilarity,
  readClassVectors,
  readEmbeddings,
  readWordPairs,
  spearmanCorrelation,
  type WordPair,
  type WordSimilarity,
} from './metrics/word-similarity.ts';
