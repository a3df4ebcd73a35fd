// Entry point @vastmax/text-readers/node: functions that need Node. The main entry point runs on any JavaScript engine.
export { isParquetFile, readParquet, readParquetTexts, readSubwordTokenizer } from './node/read-files.ts';
export { openFeatures, readVectors, type FeatureFile, type OpenFeaturesOptions } from './node/open-features.ts';
export { writeNpy, type WriteNpyOptions } from './node/write-npy.ts';
