// Entry point @vastmax/lm-models/labels: classifiers, whose features are given or made from texts. Runs anywhere.
export {
  balancedClassWeights,
  checkClassWeights,
  classWeightingNames,
  type ClassWeighting,
} from './labels/class-weights.ts';
export {
  classesOf,
  Classifier,
  createClassifierTexts,
  encodeLabelledTexts,
  tokenizeOf,
  type ClassifierParts,
  type ClassifierTexts,
  type DenseClassifier,
  type LabelledRows,
  type LabelName,
  type LabelNetwork,
} from './labels/classifier.ts';
export { nearestLabels, nearestWords, wordVectorTensor } from './labels/label-vectors.ts';
export { classifierTraining, type ClassifierTraining } from './labels/classifier-defaults.ts';
export {
  classifierContent,
  isClassifier,
  isDenseClassifier,
  loadClassifier,
  loadDenseClassifier,
  readClassifierParts,
  type CreateSubword,
  type SavedClassifier,
} from './labels/saved-classifier.ts';
export { predictClasses, type PredictedClasses } from './prediction/predict-classes.ts';
